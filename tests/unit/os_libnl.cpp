// A second opinion: libnl reads our messages and we read those of libnl, with equal results.
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/macvlan.h>
#include <netlink/route/route.h>
#include <netlink/route/rule.h>

#include <array>
#include <memory>

#include "support/catch.hpp"
#include "vipd/os/link_messages.hpp"
#include "vipd/os/network_messages.hpp"
#include "vipd/os/object_messages.hpp"

using namespace vipd;

namespace {

constexpr int kIndex = 2;

template <typename T, void (*end)(T*)>
struct Ends {
  void operator()(T* one) const { end(one); }
};
using Message = std::unique_ptr<nl_msg, Ends<nl_msg, nlmsg_free>>;
using NlObject = std::unique_ptr<nl_object, Ends<nl_object, nl_object_put>>;
using NlAddress = std::unique_ptr<nl_addr, Ends<nl_addr, nl_addr_put>>;

// --- From libnl's values to ours.

std::optional<IpPrefix> prefix_of(nl_addr* address) {
  if (address == nullptr || nl_addr_get_len(address) == 0) return std::nullopt;
  const Family family = nl_addr_get_family(address) == AF_INET ? Family::ipv4 : Family::ipv6;
  const auto* octets = static_cast<const std::uint8_t*>(nl_addr_get_binary_addr(address));
  return IpPrefix{IpAddress(family, std::span(octets, nl_addr_get_len(address))),
                  static_cast<std::uint8_t>(nl_addr_get_prefixlen(address))};
}

std::optional<IpAddress> address_of(nl_addr* address) {
  const auto prefix = prefix_of(address);
  return prefix ? std::optional(prefix->address) : std::nullopt;
}

/// The destination of the default route.
IpPrefix everything(int family) {
  constexpr std::array<std::uint8_t, 16> kZeros{};
  const Family ours = family == AF_INET ? Family::ipv4 : Family::ipv6;
  return {IpAddress(ours, std::span(kZeros).first(address_size(ours))), 0};
}

std::string text_of(const char* text) { return text != nullptr ? text : ""; }

KernelObject address_object(rtnl_addr* address) {
  const unsigned flags = rtnl_addr_get_flags(address);
  const bool deprecated = rtnl_addr_get_valid_lifetime(address) != 0 && rtnl_addr_get_preferred_lifetime(address) == 0;
  return AddressObject{.prefix = prefix_of(rtnl_addr_get_local(address)).value(),
                       .interface = "eth0",
                       .ifindex = rtnl_addr_get_ifindex(address),
                       .label = text_of(rtnl_addr_get_label(address)),
                       .scope = static_cast<Scope>(rtnl_addr_get_scope(address)),
                       .peer = address_of(rtnl_addr_get_peer(address)),
                       .nodad = (flags & IFA_F_NODAD) != 0,
                       .preferred_lifetime = deprecated ? PreferredLifetime::zero : PreferredLifetime::forever,
                       .prefix_route = (flags & IFA_F_NOPREFIXROUTE) == 0};
}

KernelObject route_object(rtnl_route* route) {
  CHECK(rtnl_route_get_protocol(route) == kKernelTag);
  rtnl_nexthop* hop = rtnl_route_get_nnexthops(route) == 1 ? rtnl_route_nexthop_n(route, 0) : nullptr;
  RouteObject object{.to = prefix_of(rtnl_route_get_dst(route)).value_or(everything(rtnl_route_get_family(route))),
                     .interface = "eth0",
                     .ifindex = hop != nullptr ? rtnl_route_nh_get_ifindex(hop) : 0,
                     .via = address_of(hop != nullptr ? rtnl_route_nh_get_gateway(hop) : nullptr),
                     .source = address_of(rtnl_route_get_pref_src(route)),
                     .table = rtnl_route_get_table(route),
                     .type = static_cast<RouteType>(rtnl_route_get_type(route))};
  object.metric = rtnl_route_get_priority(route);
  return object;
}

KernelObject rule_object(rtnl_rule* rule) {
  std::uint8_t protocol = 0;
  CHECK(rtnl_rule_get_protocol(rule, &protocol) == 0);
  CHECK(protocol == kKernelTag);
  CHECK(rtnl_rule_get_action(rule) == FR_ACT_TO_TBL);
  return RuleObject{.from = prefix_of(rtnl_rule_get_src(rule)),
                    .to = prefix_of(rtnl_rule_get_dst(rule)),
                    .interface = text_of(rtnl_rule_get_iif(rule)),
                    .table = rtnl_rule_get_table(rule),
                    .priority = rtnl_rule_get_prio(rule)};
}

/// A message as an object of libnl; null if libnl does not understand it.
NlObject parsed(nlmsghdr* octets) {
  const Message message(nlmsg_convert(octets));
  nlmsg_set_proto(message.get(), NETLINK_ROUTE);
  NlObject found;
  const auto keep = [](nl_object* object, void* into) {
    nl_object_get(object);
    static_cast<NlObject*>(into)->reset(object);
  };
  REQUIRE(nl_msg_parse(message.get(), keep, &found) >= 0);
  REQUIRE(found != nullptr);
  return found;
}

KernelObject read_by_libnl(const KernelObject& object, bool adding) {
  alignas(nlmsghdr) std::array<char, kObjectMessageSize> buffer;
  put_object(buffer.data(), object, adding, 1);
  const NlObject found = parsed(reinterpret_cast<nlmsghdr*>(buffer.data()));
  if (std::holds_alternative<AddressObject>(object)) return address_object(reinterpret_cast<rtnl_addr*>(found.get()));
  if (std::holds_alternative<RouteObject>(object)) return route_object(reinterpret_cast<rtnl_route*>(found.get()));
  return rule_object(reinterpret_cast<rtnl_rule*>(found.get()));
}

// --- From our values to libnl's.

NlAddress nl(const IpAddress& address, int length = -1) {
  const auto octets = address.octets();
  NlAddress made(nl_addr_build(address.family() == Family::ipv4 ? AF_INET : AF_INET6, octets.data(), octets.size()));
  if (length >= 0) nl_addr_set_prefixlen(made.get(), length);
  return made;
}
NlAddress nl(const IpPrefix& prefix) { return nl(prefix.address, prefix.length); }

nl_msg* written(const AddressObject& object) {
  const std::unique_ptr<rtnl_addr, Ends<rtnl_addr, rtnl_addr_put>> address(rtnl_addr_alloc());
  rtnl_addr_set_local(address.get(), nl(object.prefix).get());
  if (object.peer) rtnl_addr_set_peer(address.get(), nl(*object.peer).get());
  rtnl_addr_set_ifindex(address.get(), object.ifindex);
  if (!object.label.empty()) rtnl_addr_set_label(address.get(), object.label.c_str());
  nl_msg* message = nullptr;
  rtnl_addr_build_add_request(address.get(), 0, &message);
  return message;
}

nl_msg* written(const RouteObject& object) {
  const std::unique_ptr<rtnl_route, Ends<rtnl_route, rtnl_route_put>> route(rtnl_route_alloc());
  rtnl_route_set_dst(route.get(), nl(object.to).get());
  if (object.source) rtnl_route_set_pref_src(route.get(), nl(*object.source).get());
  rtnl_route_set_table(route.get(), object.table);
  if (object.metric != 0) rtnl_route_set_priority(route.get(), object.metric);
  rtnl_route_set_type(route.get(), static_cast<std::uint8_t>(object.type));
  rtnl_route_set_protocol(route.get(), kKernelTag);
  if (object.type == RouteType::unicast) {
    rtnl_nexthop* hop = rtnl_route_nh_alloc();
    rtnl_route_nh_set_ifindex(hop, object.ifindex);
    if (object.via) rtnl_route_nh_set_gateway(hop, nl(*object.via).get());
    rtnl_route_add_nexthop(route.get(), hop);
  }
  nl_msg* message = nullptr;
  rtnl_route_build_add_request(route.get(), 0, &message);
  return message;
}

nl_msg* written(const RuleObject& object) {
  const std::unique_ptr<rtnl_rule, Ends<rtnl_rule, rtnl_rule_put>> rule(rtnl_rule_alloc());
  rtnl_rule_set_family(rule.get(), object.family() == Family::ipv4 ? AF_INET : AF_INET6);
  if (object.from) rtnl_rule_set_src(rule.get(), nl(*object.from).get());
  if (object.to) rtnl_rule_set_dst(rule.get(), nl(*object.to).get());
  if (!object.interface.empty()) rtnl_rule_set_iif(rule.get(), object.interface.c_str());
  rtnl_rule_set_table(rule.get(), object.table);
  rtnl_rule_set_prio(rule.get(), object.priority);
  rtnl_rule_set_action(rule.get(), FR_ACT_TO_TBL);
  rtnl_rule_set_protocol(rule.get(), kKernelTag);
  nl_msg* message = nullptr;
  rtnl_rule_build_add_request(rule.get(), 0, &message);
  return message;
}

Message written_by_libnl(const KernelObject& object) {
  Message message(std::visit([](const auto& one) { return written(one); }, object));
  REQUIRE(message != nullptr);
  return message;
}

IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }
IpPrefix prefix(const char* address, std::uint8_t length) { return {ip(address), length}; }

/// `object` after its way through a message.
KernelObject on_eth0(KernelObject object) {
  if (auto* address = std::get_if<AddressObject>(&object)) address->interface = "eth0", address->ifindex = kIndex;
  if (auto* route = std::get_if<RouteObject>(&object)) {
    route->interface = "eth0";
    if (route->type == RouteType::unicast) route->ifindex = kIndex;
  }
  return object;
}

const std::vector<KernelObject>& objects() {
  static const std::vector<KernelObject> all = {
      AddressObject{.prefix = prefix("192.0.2.10", 24), .label = "eth0:web", .scope = Scope::host, .nodad = false},
      AddressObject{
          .prefix = prefix("192.0.2.10", 32), .peer = ip("192.0.2.77"), .nodad = false, .prefix_route = false},
      AddressObject{.prefix = prefix("2001:db8::10", 64), .preferred_lifetime = PreferredLifetime::zero},
      AddressObject{.prefix = prefix("2001:db8::10", 128), .nodad = false, .prefix_route = false},
      RouteObject{.to = prefix("0.0.0.0", 0), .via = ip("192.0.2.1"), .table = 1000},
      RouteObject{.to = prefix("::", 0), .via = ip("fe80::1"), .metric = 1024},
      RouteObject{.to = prefix("198.51.100.0", 24), .source = ip("192.0.2.10"), .table = 254, .metric = 7},
      RouteObject{.to = prefix("2001:db8:1::", 48), .via = ip("fe80::1"), .source = ip("2001:db8::10"), .metric = 20},
      RouteObject{.to = prefix("203.0.113.0", 24), .type = RouteType::blackhole},
      RouteObject{.to = prefix("203.0.113.0", 25), .table = 70'000, .type = RouteType::unreachable},
      RouteObject{.to = prefix("203.0.113.128", 25), .type = RouteType::prohibit},
      RuleObject{.from = prefix("192.0.2.10", 32), .interface = "eth0", .table = 1000, .priority = 100},
      RuleObject{.from = prefix("192.0.2.0", 24), .to = prefix("198.51.100.0", 24), .table = 10, .priority = 101},
      RuleObject{.to = prefix("2001:db8::", 32), .table = 70'000, .priority = 102}};
  return all;
}

}  // namespace

TEST_CASE("libnl: reads what we ask for as we meant it") {
  for (const KernelObject& each : objects()) {
    const KernelObject object = on_eth0(each);
    INFO(describe(object));
    CHECK(read_by_libnl(object, true) == object);
  }
}

TEST_CASE("libnl: reads the same thing in the request to remove it") {
  for (const KernelObject& each : objects()) {
    if (std::holds_alternative<AddressObject>(each)) continue;  // removing an address needs its prefix alone
    const KernelObject object = on_eth0(each);
    INFO(describe(object));
    CHECK(read_by_libnl(object, false) == object);
  }
  const AddressObject address{
      .prefix = prefix("192.0.2.10", 24), .interface = "eth0", .ifindex = kIndex, .label = "eth0:web"};
  const auto removed = std::get<AddressObject>(read_by_libnl(address, false));
  CHECK(removed.prefix == address.prefix);
  CHECK(removed.ifindex == kIndex);
}

TEST_CASE("libnl: what it writes is read as it was meant") {
  for (const KernelObject& each : objects()) {
    const KernelObject object = on_eth0(each);
    INFO(describe(object));
    NetworkView view;
    view.by_index[kIndex] = {.index = kIndex, .name = "eth0", .mac = {}};
    const Message message = written_by_libnl(object);
    CHECK(apply(*nlmsg_hdr(message.get()), view).size() == 1);
    CHECK(view.has(object));
    CHECK(view.routes.size() + view.rules.size() + view.by_index[kIndex].addresses.size() == 1);
  }
}

TEST_CASE("libnl: reads the links that we ask for, and we those that it does") {
  alignas(nlmsghdr) std::array<char, kLinkMessageSize> buffer;
  const MacAddress mac{{0x00, 0x00, 0x5e, 0x00, 0x01, 51}};
  const NlObject made = parsed(put_macvlan(buffer.data(), 7, "vrrp4.51.eth0", mac));
  auto* const link = reinterpret_cast<rtnl_link*>(made.get());
  CHECK(text_of(rtnl_link_get_name(link)) == "vrrp4.51.eth0");
  CHECK(text_of(rtnl_link_get_type(link)) == "macvlan");
  CHECK(rtnl_link_get_link(link) == 7);
  CHECK(rtnl_link_macvlan_get_mode(link) == MACVLAN_MODE_BRIDGE);
  REQUIRE(rtnl_link_get_addr(link) != nullptr);
  CHECK(std::equal(mac.octets.begin(), mac.octets.end(),
                   static_cast<std::uint8_t*>(nl_addr_get_binary_addr(rtnl_link_get_addr(link)))));

  const std::unique_ptr<rtnl_link, Ends<rtnl_link, rtnl_link_put>> theirs(rtnl_link_macvlan_alloc());
  rtnl_link_set_ifindex(theirs.get(), 9);
  rtnl_link_set_name(theirs.get(), "vrrp4.51.eth0");
  rtnl_link_set_link(theirs.get(), 7);
  rtnl_link_set_flags(theirs.get(), IFF_UP | IFF_RUNNING);
  rtnl_link_set_ifalias(theirs.get(), "vipd: web");
  const NlAddress address(nl_addr_build(AF_LLC, mac.octets.data(), mac.octets.size()));
  rtnl_link_set_addr(theirs.get(), address.get());
  nl_msg* written = nullptr;
  REQUIRE(rtnl_link_build_add_request(theirs.get(), 0, &written) == 0);
  const Message message(written);
  NetworkView view;
  apply(*nlmsg_hdr(message.get()), view);
  REQUIRE(view.by_index.contains(9));
  const Interface& read = view.by_index.at(9);
  CHECK(read.name == "vrrp4.51.eth0");
  CHECK(read.mac == mac);
  CHECK(read.up);
  CHECK(read.macvlan);
  CHECK(read.parent == 7);
  CHECK(read.alias == "vipd: web");
}
