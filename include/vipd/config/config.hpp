/// Config: the operator's configuration as values.
///
/// parse_config() (config/parse.hpp) makes a Config from TOML. The Supervisor builds the instances from it, and
/// compares two of them at a reload. Every value is checked, so each Config can be run as far as the text alone can
/// tell. The daemon finds out whether interfaces and programs exist.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "vipd/base/ip.hpp"
#include "vipd/base/kernel_object.hpp"
#include "vipd/base/time.hpp"
#include "vipd/vrrp/advert.hpp"
#include "vipd/vrrp/check.hpp"

namespace vipd {

/// One entry of `addresses`.
struct VirtualAddress : AddressObject {
  /// True if the adverts list the address. False for the other family, and for addresses that do not fit.
  bool advertised = true;
  /// True if vipd adds the address to an interface. False if something else, such as a cloud, assigns it.
  bool assigned = true;
  /// True if a fault of its interface is a fault of the instance.
  bool tracked = true;

  friend bool operator==(const VirtualAddress&, const VirtualAddress&) = default;
};

/// One entry of `routes`.
struct VirtualRoute : RouteObject {
  /// True if a fault of its interface is a fault of the instance.
  bool tracked = true;

  friend bool operator==(const VirtualRoute&, const VirtualRoute&) = default;
};

/// The consequence of a hooks.before_active that fails or does not answer in time.
enum class HookFailure : std::uint8_t { go_on, resign };

/// "continue", "resign"
constexpr std::string_view to_string(HookFailure failure) {
  return failure == HookFailure::go_on ? "continue" : "resign";
}

/// The user's programs for one instance or sync group; an empty argument list means none.
struct HookSettings {
  std::vector<std::string> active, backup, fault, stop;
  std::vector<std::string> any;  ///< run at each transition, with "INSTANCE|GROUP NAME STATE PRIORITY" appended
  Duration timeout = std::chrono::seconds(30);  ///< the time that a hook has, 100ms..1h; then TERM, and KILL 2 s later
  // The following exist for instances only.
  std::vector<std::string> before_active = {};   ///< run before a takeover; the addresses come when it has ended
  std::vector<std::string> before_release = {};  ///< run before a planned stop; the addresses go when it has ended
  /// The time that each of the two has, 100ms..1m.
  Duration before_active_timeout = std::chrono::seconds(2), before_release_timeout = std::chrono::seconds(2);
  HookFailure before_active_failure = HookFailure::go_on;  ///< the consequence if before_active fails
  std::vector<std::string> reassert = {};                  ///< run while Active, after another node was Active, too
  Duration reassert_interval = Duration::zero();  ///< the time between further runs of reassert; 0 = none, else 1s..24h

  friend bool operator==(const HookSettings&, const HookSettings&) = default;
};

/// The form of gratuitous ARP.
enum class AnnounceForm : std::uint8_t { request, reply, both };

/// "request", "reply", "both"
constexpr std::string_view to_string(AnnounceForm form) {
  return form == AnnounceForm::request ? "request" : form == AnnounceForm::reply ? "reply" : "both";
}

/// Gratuitous ARP and unsolicited NA after a takeover.
struct AnnounceSettings {
  AnnounceForm form = AnnounceForm::request;
  Duration delay = Duration::zero();               ///< from the takeover to the first announcement; 0 or 1ms..1h
  Duration gap = std::chrono::milliseconds(20);    ///< the time between two rounds of a burst, 1ms..1s
  unsigned count = 5;                              ///< announcements of each address in a burst, 1..100
  Duration again_after = std::chrono::seconds(5);  ///< from the takeover to the second burst; 0 = none, at most 1h
  Duration refresh = std::chrono::seconds(60);     ///< the time between refreshes while Active; 0 = none, else 1s..1d

  friend bool operator==(const AnnounceSettings&, const AnnounceSettings&) = default;
};

/// Passes when the program ends with exit status 0.
struct CommandCheck {
  std::vector<std::string> arguments;  ///< the absolute path of the program, then its arguments

  friend bool operator==(const CommandCheck&, const CommandCheck&) = default;
};

/// Passes when enough processes run a program.
struct ProcessCheck {
  std::string program;  ///< a name or an absolute path, and arguments if wanted
  unsigned count = 1;   ///< the least number of processes, 1..100000

  friend bool operator==(const ProcessCheck&, const ProcessCheck&) = default;
};

/// Passes when a unit of systemd is active.
struct UnitCheck {
  std::string name;

  friend bool operator==(const UnitCheck&, const UnitCheck&) = default;
};

/// Passes when a file is there.
struct FileCheck {
  std::string path;  ///< absolute

  friend bool operator==(const FileCheck&, const FileCheck&) = default;
};

/// Passes when an interface is up and has a carrier. vipd answers this check itself.
struct InterfaceCheck {
  std::string name;

  friend bool operator==(const InterfaceCheck&, const InterfaceCheck&) = default;
};

/// Passes when a TCP connection is accepted.
struct TcpCheck {
  std::string target;  ///< "HOST:PORT" or "[ADDRESS]:PORT"

  friend bool operator==(const TcpCheck&, const TcpCheck&) = default;
};

/// Passes when the answer to a URL has the expected status and text.
struct HttpCheck {
  std::string url;
  unsigned status = 0;   ///< the expected status, 100..599; 0 = any of 200..399
  std::string contains;  ///< a text that the body must contain; empty = any body

  friend bool operator==(const HttpCheck&, const HttpCheck&) = default;
};

/// Passes when an address answers an ICMP echo request.
struct PingCheck {
  std::optional<IpAddress> address;  ///< never empty in a Config

  friend bool operator==(const PingCheck&, const PingCheck&) = default;
};

/// A check, and the rules that judge its results: `[check.NAME]`.
struct CheckConfig {
  std::string name;  ///< 1..64 characters of [A-Za-z0-9_.-]
  /// The kinds stand in the order of check_kinds() (config/check_kinds.hpp).
  std::variant<CommandCheck, ProcessCheck, UnitCheck, FileCheck, InterfaceCheck, TcpCheck, HttpCheck, PingCheck> kind;
  CheckRules rules;

  friend bool operator==(const CheckConfig&, const CheckConfig&) = default;
};

/// One virtual router: `[instance.NAME]`.
struct InstanceConfig {
  std::string name;             ///< 1..64 characters of [A-Za-z0-9_.-]
  std::string interface;        ///< 1..15 bytes
  std::uint8_t vrid = 0;        ///< 1..255, no default
  std::uint8_t priority = 100;  ///< 1..254, 255 for the owner (RFC 9568 5.2.4)
  std::uint8_t version = 3;     ///< 3, or 2 for IPv4
  /// 10ms..40.95s in steps of 10ms (RFC 9568 5.2.7); VRRPv2: whole seconds, 1s..255s (RFC 3768 5.3.7).
  Duration advert_interval = std::chrono::seconds(1);
  bool preempt = true;
  Duration preempt_delay = Duration::zero();  ///< 0 or 10ms..1h; how long a lower Active router is not preempted
  Duration startup_delay = Duration::zero();  ///< 0 or 10ms..1h; the shortest time to listen after a start
  Duration link_hold = Duration::zero();      ///< 0 or 10ms..1h; how long a returned link must stay up before it counts
  /// How often the instance may become Active within flap_window and still preempt; 0 = no limit, else 1..100.
  unsigned flap_limit = 0;
  Duration flap_window = std::chrono::minutes(10);  ///< 10s..24h
  /// The longest interval that is adopted from a peer, 10ms..40.95s, at least advert_interval; 0 = ten times that.
  Duration max_adopted_interval = Duration::zero();
  ChecksumPolicy ipv4_checksum = ChecksumPolicy::automatic;
  bool virtual_mac = false;  ///< true if the addresses have the MAC of RFC 9568 7.3; see docs/decisions/0007
  bool accept = true;        ///< true if packets to the addresses are accepted (RFC 9568 6.1, Accept_Mode)
  std::string auth_legacy;   ///< the clear-text password of VRRPv2, 1..8 octets; empty = none
  std::vector<VirtualAddress> addresses;  ///< in the file's order; never empty
  std::vector<VirtualRoute> routes;       ///< added and removed with the addresses
  std::vector<RuleObject> rules;          ///< added and removed with the addresses
  std::vector<UnicastPeer> peers;         ///< unicast peers of the instance's family; empty = multicast
  std::optional<IpAddress> source;        ///< the source of adverts, of that family; nullopt = the usual choice
  std::vector<std::string> checks;        ///< names of CheckConfigs; the instance is unfit while one of them fails
  HookSettings hooks;
  AnnounceSettings announce;
  std::string sync_group;  ///< the SyncGroupConfig that lists it; empty = none

  /// The family of the adverts: that of the first address.
  Family family() const { return addresses.front().prefix.address.family(); }

  /// True if `address` is one of `addresses`.
  bool is_virtual(const IpAddress& address) const {
    return std::ranges::any_of(addresses, [&](const auto& each) { return each.prefix.address == address; });
  }

  /// True if packets to the addresses are accepted. The owner always accepts (RFC 9568 6.1).
  bool accepts() const { return accept || priority == kOwnerPriority; }

  friend bool operator==(const InstanceConfig&, const InstanceConfig&) = default;
};

/// A group of instances that are all Active or none: `[sync_group.NAME]`.
struct SyncGroupConfig {
  std::string name;                    ///< 1..64 characters of [A-Za-z0-9_.-]
  std::vector<std::string> instances;  ///< names of instances; never empty, each in one group only
  HookSettings hooks;

  friend bool operator==(const SyncGroupConfig&, const SyncGroupConfig&) = default;
};

struct Config {
  std::string node;                       ///< the name of the node; empty = the host's name
  std::string notify_fifo;                ///< the absolute path of the notify FIFO; empty = none
  std::vector<std::string> hooks_d;       ///< the programs of hooks.d, which have no key: load_config() lists them
  std::vector<InstanceConfig> instances;  ///< in the file's order; never empty
  std::vector<SyncGroupConfig> sync_groups;
  std::vector<CheckConfig> checks;

  friend bool operator==(const Config&, const Config&) = default;
};

/// A configuration that its users share: there is one copy, and it never changes.
using SharedConfig = std::shared_ptr<const Config>;
/// Parts of a shared configuration. Each keeps the whole alive.
using SharedInstance = std::shared_ptr<const InstanceConfig>;
using SharedGroup = std::shared_ptr<const SyncGroupConfig>;
using SharedHooks = std::shared_ptr<const HookSettings>;

/// The hooks of an instance or a sync group.
SharedHooks hooks_of(const auto& shared) { return {shared, &shared->hooks}; }

}  // namespace vipd
