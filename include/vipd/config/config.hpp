/// Config: what the operator wrote, as values.
///
/// parse_config() (config/parse.hpp) makes it from TOML; the Supervisor builds the instances from it and, later,
/// compares two of them to find out what a reload changes. Everything here is checked: a Config that exists is one
/// that can be run, as far as the text alone can tell. Whether an interface exists or a script is there is the
/// machine's business and is found out by the daemon.
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
  /// Listed in the adverts. False for addresses of the other family and for those that no longer fit.
  bool advertised = true;
  /// Put on an interface. False where something else, such as a cloud, gives the address to the Active node.
  bool assigned = true;
  /// True while a fault of its interface is one of the instance.
  bool tracked = true;

  friend bool operator==(const VirtualAddress&, const VirtualAddress&) = default;
};

/// One entry of `routes`.
struct VirtualRoute : RouteObject {
  /// True while a fault of its interface is one of the instance.
  bool tracked = true;

  friend bool operator==(const VirtualRoute&, const VirtualRoute&) = default;
};

/// What follows from a hooks.before_active that fails or does not answer in time.
enum class HookFailure : std::uint8_t { go_on, resign };

/// "continue", "resign"
constexpr std::string_view to_string(HookFailure failure) {
  return failure == HookFailure::go_on ? "continue" : "resign";
}

/// The user's programs for one instance or sync group; an empty argument list means none.
struct HookSettings {
  std::vector<std::string> active, backup, fault, stop;
  std::vector<std::string> any;                 ///< gets "INSTANCE|GROUP NAME STATE PRIORITY" appended
  Duration timeout = std::chrono::seconds(30);  ///< 100ms..1h; then TERM, and KILL 2 s later
  // Of an instance alone:
  std::vector<std::string> before_active = {};   ///< ends before the addresses come
  std::vector<std::string> before_release = {};  ///< ends before a planned stop
  /// How long each may take, 100ms..1m.
  Duration before_active_timeout = std::chrono::seconds(2), before_release_timeout = std::chrono::seconds(2);
  HookFailure before_active_failure = HookFailure::go_on;
  std::vector<std::string> reassert = {};         ///< while Active, after another node was, too
  Duration reassert_interval = Duration::zero();  ///< and this often; 0 = never, else 1s..24h

  friend bool operator==(const HookSettings&, const HookSettings&) = default;
};

/// Which gratuitous ARP is sent.
enum class AnnounceForm : std::uint8_t { request, reply, both };

/// "request", "reply", "both"
constexpr std::string_view to_string(AnnounceForm form) {
  return form == AnnounceForm::request ? "request" : form == AnnounceForm::reply ? "reply" : "both";
}

/// Gratuitous ARP and unsolicited NA after a takeover.
struct AnnounceSettings {
  AnnounceForm form = AnnounceForm::request;
  Duration delay = Duration::zero();               ///< from the takeover to the first one; 0 or 1ms..1h
  Duration gap = std::chrono::milliseconds(20);    ///< between two rounds of a burst, 1ms..1s
  unsigned count = 5;                              ///< announcements of each address in a burst, 1..100
  Duration again_after = std::chrono::seconds(5);  ///< second burst; 0 = none, at most 1h
  Duration refresh = std::chrono::seconds(60);     ///< one of each address for as long as Active; 0 = none, else 1s..1d

  friend bool operator==(const AnnounceSettings&, const AnnounceSettings&) = default;
};

/// Passes when the program ends with exit status 0.
struct CommandCheck {
  std::vector<std::string> arguments;  ///< the program by its absolute path, then what it is given

  friend bool operator==(const CommandCheck&, const CommandCheck&) = default;
};

/// Passes when enough processes run a program.
struct ProcessCheck {
  std::string program;  ///< a name or an absolute path, and arguments if wanted
  unsigned count = 1;   ///< how many processes at least, 1..100000

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

/// Passes when an interface is up and has a carrier. Vipd looks at it itself.
struct InterfaceCheck {
  std::string name;

  friend bool operator==(const InterfaceCheck&, const InterfaceCheck&) = default;
};

/// Passes when a connection is taken.
struct TcpCheck {
  std::string target;  ///< "HOST:PORT" or "[ADDRESS]:PORT"

  friend bool operator==(const TcpCheck&, const TcpCheck&) = default;
};

/// Passes when a URL is answered well.
struct HttpCheck {
  std::string url;
  unsigned status = 0;   ///< the status that is expected, 100..599; 0 = any of 200..399
  std::string contains;  ///< a text in the body; empty = any body

  friend bool operator==(const HttpCheck&, const HttpCheck&) = default;
};

/// Passes when an address answers an ICMP echo request.
struct PingCheck {
  std::optional<IpAddress> address;  ///< never empty in a Config

  friend bool operator==(const PingCheck&, const PingCheck&) = default;
};

/// What is asked, and how it is judged: `[check.NAME]`.
struct CheckConfig {
  std::string name;  ///< as an instance's
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
  Duration preempt_delay = Duration::zero();  ///< 0 or 10ms..1h; a lower Active router is left alone for so long
  Duration startup_delay = Duration::zero();  ///< 0 or 10ms..1h; the least time to listen after a start
  Duration link_hold =
      Duration::zero();  ///< 0 or 10ms..1h; how long a link that was down has to be up before it counts
  /// 0 = none, else 1..100: how often it may become Active within flap_window and still preempt.
  unsigned flap_limit = 0;
  Duration flap_window = std::chrono::minutes(10);  ///< 10s..24h
  /// 10ms..40.95s, never taken as less than advert_interval; 0 = ten times advert_interval.
  Duration max_adopted_interval = Duration::zero();
  ChecksumPolicy ipv4_checksum = ChecksumPolicy::automatic;
  bool virtual_mac = false;               ///< the addresses have the MAC of RFC 9568 7.3; see docs/decisions/0007
  bool accept = true;                     ///< packets to the addresses are taken in (RFC 9568 6.1, Accept_Mode)
  std::string auth_legacy;                ///< VRRPv2's password in clear text, 1..8 octets; empty = none
  std::vector<VirtualAddress> addresses;  ///< in the file's order; never empty
  std::vector<VirtualRoute> routes;       ///< come with the addresses and go with them
  std::vector<RuleObject> rules;          ///< likewise
  std::vector<UnicastPeer> peers;         ///< of the instance's family; empty = multicast
  std::optional<IpAddress> source;        ///< where adverts come from, of that family; nullopt = the usual choice
  std::vector<std::string> checks;        ///< names of CheckConfigs: what makes it unfit
  HookSettings hooks;
  AnnounceSettings announce;
  std::string sync_group;  ///< the SyncGroupConfig that lists it; empty = none

  /// An instance speaks one family: that of its first address.
  Family family() const { return addresses.front().prefix.address.family(); }

  /// Is it one of `addresses`?
  bool is_virtual(const IpAddress& address) const {
    return std::ranges::any_of(addresses, [&](const auto& each) { return each.prefix.address == address; });
  }

  /// The owner of the addresses always accepts (RFC 9568 6.1).
  bool accepts() const { return accept || priority == kOwnerPriority; }

  friend bool operator==(const InstanceConfig&, const InstanceConfig&) = default;
};

/// Instances that are all Active or none: `[sync_group.NAME]`.
struct SyncGroupConfig {
  std::string name;                    ///< as an instance's
  std::vector<std::string> instances;  ///< their names; never empty, each in one group only
  HookSettings hooks;

  friend bool operator==(const SyncGroupConfig&, const SyncGroupConfig&) = default;
};

struct Config {
  std::string node;                       ///< [node] name; empty = the host's name
  std::string notify_fifo;                ///< [node] notify_fifo, an absolute path; empty = none
  std::vector<std::string> hooks_d;       ///< the programs of hooks.d: no key, load_config() looks for them
  std::vector<InstanceConfig> instances;  ///< in the file's order; never empty
  std::vector<SyncGroupConfig> sync_groups;
  std::vector<CheckConfig> checks;

  friend bool operator==(const Config&, const Config&) = default;
};

/// A configuration as it is handed round: one copy for all who go by it, and it does not change.
using SharedConfig = std::shared_ptr<const Config>;
/// Parts of one. Each keeps the whole.
using SharedInstance = std::shared_ptr<const InstanceConfig>;
using SharedGroup = std::shared_ptr<const SyncGroupConfig>;
using SharedHooks = std::shared_ptr<const HookSettings>;

/// Those of an instance or a sync group.
SharedHooks hooks_of(const auto& shared) { return {shared, &shared->hooks}; }

}  // namespace vipd
