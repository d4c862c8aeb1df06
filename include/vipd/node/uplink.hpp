/// Uplink: the interfaces that an instance needs, and the source address of its adverts.
///
/// An instance needs its own interface and those of its tracked addresses and routes. An interface that is missing,
/// down or without carrier is a trouble. So is an own interface on which no advert can be heard, or which has no
/// address to send from. A link that was down counts as up again only after link_hold.
///
/// look() reads the kernel's view anew and returns what it found. The caller decides what follows from that.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "vipd/config/config.hpp"
#include "vipd/os/kernel.hpp"
#include "vipd/vrrp/standing.hpp"

namespace vipd {

class Uplink {
 public:
  struct Trouble {
    FaultCause cause;  ///< interface_missing, interface_down or no_source
    std::string sentence;
  };
  struct Findings {
    std::vector<Trouble> troubles;  ///< at most one for each cause
    bool new_index = false;         ///< true when the own interface has another index than at the last look
  };

  Uplink(const Kernel& kernel, SharedInstance config);

  /// Takes other settings; an interface that both need keeps its state.
  void reconfigure(SharedInstance config);
  Findings look(TimePoint now);
  /// When a link that is up again counts as up; kNever if there is none.
  TimePoint due() const;

  /// The index of the own interface when it was last there; 0 if it never was.
  int ifindex() const { return ifindex_; }
  /// The address that adverts leave from; nullopt while there is none.
  const std::optional<IpAddress>& source() const { return source_; }
  /// The own interface, if it is there and asks by ARP or neighbour discovery; else null.
  const Interface* ethernet() const;
  /// Why an instance of priority 255 is no owner of an address that it has, in a sentence; nullopt if all is well.
  std::optional<std::string> why_no_owner() const;
  /// The needed interfaces as the kernel has them, without the virtual addresses and what vipd added.
  std::vector<Interface> surroundings() const;

 private:
  struct Link {
    std::string interface;
    std::string user = {};    // " of 203.0.113.10/29"; empty: the instance itself
    bool was_down = false;    // true until the link has been up for link_hold
    TimePoint held = kNever;  // when a link that is up again has been up for link_hold
  };

  void need(const std::string& interface, const std::string& user, const std::vector<Link>& before);
  void look_at(Link& link, Findings& findings, TimePoint now) const;
  void hold(Link& link, bool running, TimePoint now) const;
  void look_for_source(Findings& findings);
  std::string why_deaf(const Interface& interface) const;
  std::string why_no_source() const;
  std::optional<IpAddress> choose_source(const Interface& interface) const;
  bool may_be_source(const IpAddress& address, const AddressState& state) const;

  const Kernel& kernel_;
  SharedInstance config_;
  std::vector<Link> links_;  // the own interface's comes first
  int ifindex_ = 0;
  std::optional<IpAddress> source_;
};

}  // namespace vipd
