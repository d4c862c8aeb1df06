/// Objects that vipd adds to the kernel: AddressObject, RouteObject, RuleObject, and KernelObject for any of them.
///
/// The configuration names interfaces. AddressOwner looks their indices up at the claim, and the Kernel uses the index
/// alone. An interface that is renamed meanwhile thus keeps no object of vipd. A view of the kernel holds routes and
/// rules in the form of as_told(), without the fields that the kernel does not report.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "vipd/base/ip.hpp"

namespace vipd {

/// Where an IPv4 address is valid: RT_SCOPE_* of linux/rtnetlink.h. An IPv6 address implies its scope.
enum class Scope : std::uint8_t { global = 0, site = 200, link = 253, host = 254 };

/// What the kernel does with a packet of the route: RTN_* of linux/rtnetlink.h.
enum class RouteType : std::uint8_t { unicast = 1, blackhole = 6, unreachable = 7, prohibit = 8 };

/// How long the kernel may choose the address as a source (RFC 4862 5.5.4).
enum class PreferredLifetime : std::uint8_t { forever, zero };

/// An address of an interface.
struct AddressObject {
  IpPrefix prefix = {};        ///< length 0: the claim takes the length of the interface's subnet around the address
  std::string interface = {};  ///< empty in a configuration: the interface of the instance
  int ifindex = 0;
  std::string label = {};  ///< IPv4 only; empty: the interface's name
  Scope scope = Scope::global;
  std::optional<IpAddress> peer = {};  ///< the other end of a point-to-point link
  bool nodad = true;                   ///< IPv6: true skips duplicate address detection (conformance C27)
  PreferredLifetime preferred_lifetime = PreferredLifetime::forever;
  bool prefix_route = true;  ///< true if the kernel adds a route to the address's subnet (no IFA_F_NOPREFIXROUTE)

  friend auto operator<=>(const AddressObject&, const AddressObject&) = default;
};

/// A route of any type and table.
struct RouteObject {
  IpPrefix to = {};  ///< length 0 of the unspecified address: the default route
  /// empty in a configuration: the interface of the instance; none unless `type` is unicast
  std::string interface = {};
  int ifindex = 0;
  std::optional<IpAddress> via = {}, source = {};
  std::uint32_t table = 254;  ///< 254 = RT_TABLE_MAIN
  std::uint32_t metric = 0;   ///< 0 = the kernel's default
  RouteType type = RouteType::unicast;

  friend auto operator<=>(const RouteObject&, const RouteObject&) = default;
};

/// A rule of policy routing: the kernel looks matching packets up in `table`.
struct RuleObject {
  std::optional<IpPrefix> from = {}, to = {};  ///< at least one is set; both are of one family
  std::string interface = {};                  ///< interface at which the packet arrived; empty: any
  std::uint32_t table = 0, priority = 0;

  Family family() const { return (from ? from : to)->address.family(); }

  friend auto operator<=>(const RuleObject&, const RuleObject&) = default;
};

/// An object of any kind that vipd adds to the kernel.
using KernelObject = std::variant<AddressObject, RouteObject, RuleObject>;

/// "192.0.2.10/24", in the notation of ip(8). An address whose prefix length is not known yet is shown without one.
std::string to_string(const AddressObject& address);
/// "198.51.100.0/24 via 192.0.2.1 dev eth0", in the notation of ip(8).
std::string to_string(const RouteObject& route);
/// "from 192.0.2.10/32 lookup 10 priority 100", in the notation of ip(8).
std::string to_string(const RuleObject& rule);
/// "192.0.2.10/24 on eth0", "route …", "rule …": names the object inside a sentence.
std::string describe(const KernelObject& object);

/// "global", "site", "link", "host"
std::string_view to_string(Scope scope);
/// "unicast", "blackhole", "unreachable", "prohibit"
std::string_view to_string(RouteType type);
/// "forever", "0s"
std::string_view to_string(PreferredLifetime lifetime);

/// The route in the form in which the kernel reports it.
RouteObject as_told(RouteObject route);

}  // namespace vipd
