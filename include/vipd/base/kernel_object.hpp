/// What the kernel holds for us, as values: AddressObject, RouteObject, RuleObject, and KernelObject for any of them.
///
/// The configuration says what should be there and names interfaces; AddressOwner looks their indices up when it
/// claims, and the Kernel goes by the index alone, so that an interface that is renamed meanwhile keeps nothing of
/// ours. A view of the kernel holds routes and rules as as_told() gives them: without what only we know of them.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "vipd/base/ip.hpp"

namespace vipd {

/// Where an IPv4 address is valid: RT_SCOPE_* of linux/rtnetlink.h. IPv6 addresses carry theirs in themselves.
enum class Scope : std::uint8_t { global = 0, site = 200, link = 253, host = 254 };

/// What becomes of a packet: RTN_* of linux/rtnetlink.h.
enum class RouteType : std::uint8_t { unicast = 1, blackhole = 6, unreachable = 7, prohibit = 8 };

/// How long an address is chosen as a source (RFC 4862 5.5.4).
enum class PreferredLifetime : std::uint8_t { forever, zero };

/// An address of an interface.
struct AddressObject {
  IpPrefix prefix = {};        ///< length 0: that of the interface's own subnet around it, found at the claim
  std::string interface = {};  ///< empty in a configuration: the instance's
  int ifindex = 0;
  std::string label = {};  ///< IPv4; empty: the interface's name
  Scope scope = Scope::global;
  std::optional<IpAddress> peer = {};  ///< the other end of a point-to-point link
  bool nodad = true;                   ///< IPv6: no duplicate address detection (conformance C27)
  PreferredLifetime preferred_lifetime = PreferredLifetime::forever;
  bool prefix_route = true;  ///< brings a route to its subnet (not IFA_F_NOPREFIXROUTE)

  friend auto operator<=>(const AddressObject&, const AddressObject&) = default;
};

/// A route.
struct RouteObject {
  IpPrefix to = {};            ///< length 0 of the unspecified address: the default route
  std::string interface = {};  ///< empty in a configuration: the instance's; none unless unicast
  int ifindex = 0;
  std::optional<IpAddress> via = {}, source = {};
  std::uint32_t table = 254;  ///< RT_TABLE_MAIN
  std::uint32_t metric = 0;   ///< 0: the kernel's default
  RouteType type = RouteType::unicast;

  friend auto operator<=>(const RouteObject&, const RouteObject&) = default;
};

/// A rule of policy routing: what matches is looked up in `table`.
struct RuleObject {
  std::optional<IpPrefix> from = {}, to = {};  ///< at least one of them, in one family
  std::string interface = {};                  ///< where a packet came in; empty: anywhere
  std::uint32_t table = 0, priority = 0;

  Family family() const { return (from ? from : to)->address.family(); }

  friend auto operator<=>(const RuleObject&, const RuleObject&) = default;
};

/// One thing that we make the kernel hold.
using KernelObject = std::variant<AddressObject, RouteObject, RuleObject>;

/// "192.0.2.10/24", "198.51.100.0/24 via 192.0.2.1 dev eth0", "from 192.0.2.10/32 lookup 10 priority 100": as ip(8)
/// shows it. An address whose length is not known yet has none.
std::string to_string(const AddressObject& address);
/// As above.
std::string to_string(const RouteObject& route);
/// As above.
std::string to_string(const RuleObject& rule);
/// "192.0.2.10/24 on eth0", "route …", "rule …": for sentences.
std::string describe(const KernelObject& object);

/// "global", "site", "link", "host"
std::string_view to_string(Scope scope);
/// "unicast", "blackhole", "unreachable", "prohibit"
std::string_view to_string(RouteType type);
/// "forever", "0s"
std::string_view to_string(PreferredLifetime lifetime);

/// The route as the kernel tells of it.
RouteObject as_told(RouteObject route);

}  // namespace vipd
