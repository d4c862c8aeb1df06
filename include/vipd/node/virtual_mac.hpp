/// VirtualMac: the device that has the addresses of an instance with virtual_mac = true.
///
/// The device is a macvlan on the instance's interface with the MAC of RFC 9568 7.3. It is made when the instance
/// starts, so a takeover need not make it. It is up only while Active, so a Backup neither attracts frames to that MAC
/// nor answers (RFC 9568 6.4.2). Adverts are still received on the parent, and their source address is the parent's.
///
/// ARP must tell the virtual MAC for the virtual addresses alone, and the parent's own MAC for the parent's addresses.
/// Linux answers and asks with any address on any interface unless arp_ignore and arp_announce forbid it on both. While
/// the device is up, its alias has the previous values of the parent ("vipd arp_ignore=0 arp_announce=0"). So a later
/// run, or the last will, recognises the device and restores the values. The first device on a parent changes the
/// settings; the last one that goes down restores them.
///
/// Not good yet: if an owner (priority 255) has its address on the parent, too, both interfaces answer for it.
#pragma once

#include <optional>
#include <string>

#include "vipd/config/config.hpp"
#include "vipd/os/kernel.hpp"

namespace vipd {

/// The name of the device: "vrrp4.51.eth0". A hash replaces the parent's name if it is too long.
std::string virtual_mac_device(const InstanceConfig& config);

/// The default interface of an instance's addresses: the device of its virtual MAC, or its interface.
std::string address_interface(const InstanceConfig& config);

class VirtualMac {
 public:
  VirtualMac(Kernel& kernel, const InstanceConfig& config);

  /// Makes the device, unless it exists as it should. Fails if the kernel refuses, or if a foreign device has the name;
  /// that device is left alone.
  Result<void> prepare();
  /// Sets the device up, with the settings that make ARP right. A further call repairs both.
  Result<void> raise();
  /// Sets the device down and restores the settings of the parent.
  void lower();
  /// Removes the device, even that of a previous run. Returns true if it existed and was up.
  bool remove();

 private:
  const Interface* parent() const { return kernel_.view().find(parent_); }
  /// The device if it is vipd's by name and alias, whatever its parent is; otherwise null.
  const Interface* device() const;
  bool has_lost_ipv6() const;
  Result<void> make(const Interface& below, const Interface* wrong);
  const std::string* journal_of_another() const;
  std::string journal() const;
  void restore(const std::string& alias);
  Result<void> apply_settings();

  Kernel& kernel_;
  std::string parent_, name_;
  MacAddress mac_;
  bool answers_arp_;   // true if the instance has an IPv4 address
  bool needs_ipv6_;    // true if the instance has an IPv6 address
  std::string alias_;  // the noted settings of the parent, while the device is up
};

}  // namespace vipd
