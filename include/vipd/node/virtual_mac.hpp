/// VirtualMac: the device on which an instance's addresses live with virtual_mac = true.
///
/// A macvlan on the instance's interface with the MAC of RFC 9568 7.3. It is made when the instance takes up and is up
/// only while Active, so that a Backup neither attracts frames to that MAC nor answers (RFC 9568 6.4.2), and a takeover
/// has nothing to make. The parent remains what adverts are received on and what their source address is from.
///
/// ARP must say the virtual MAC for the virtual addresses and nothing else, and the parent's own MAC for the parent's
/// own. Linux answers and asks with any address on any interface unless arp_ignore and arp_announce say otherwise, on
/// both; what these were on the parent is in the device's alias ("vipd arp_ignore=0 arp_announce=0") while it is up. So
/// a later vipd, or its last will, finds there whose device it is and what has to be put back. The first device on a
/// parent changes them, the last one that goes down puts them back.
///
/// Caller: AddressOwner. Not good yet: an owner (priority 255) whose address is on the parent, too, is answered for by
/// both.
#pragma once

#include <optional>
#include <string>

#include "vipd/config/config.hpp"
#include "vipd/os/kernel.hpp"

namespace vipd {

/// "vrrp4.51.eth0": the name of the device. Where the parent's name is too long for that, a hash of it stands there.
std::string virtual_mac_device(const InstanceConfig& config);

/// Where an instance's addresses are put by default: the device of its virtual MAC, or its interface.
std::string address_interface(const InstanceConfig& config);

class VirtualMac {
 public:
  VirtualMac(Kernel& kernel, const InstanceConfig& config);

  /// Makes the device if it is not there as it should be; nothing is changed if it is. Fails if that cannot be done, or
  /// if somebody else's device has the name, which is left alone.
  Result<void> prepare();
  /// Sets the device up, and what makes ARP right. Again: repairs both.
  Result<void> raise();
  /// Sets it down and puts back what was changed on the parent.
  void lower();
  /// Removes it; also one that another vipd has left. Returns whether it was there and up.
  bool remove();

 private:
  const Interface* parent() const { return kernel_.view().find(parent_); }
  /// The device, if it is ours: vipd's by its name and its alias, whatever stands below it.
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
  bool answers_arp_;   // there is an IPv4 address
  bool needs_ipv6_;    // there is an IPv6 address
  std::string alias_;  // the journal, while raised
};

}  // namespace vipd
