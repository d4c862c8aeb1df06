#include "vipd/os/network_messages.hpp"

#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

namespace vipd {
namespace {

template <std::size_t N>
using Attributes = std::array<const nlattr*, N>;

template <std::size_t N>
Attributes<N> attributes(const nlmsghdr& message, std::size_t offset) {
  Attributes<N> table{};
  const auto collect = [](const nlattr* attribute, void* data) {
    const std::uint16_t type = mnl_attr_get_type(attribute);
    if (type < N) (*static_cast<Attributes<N>*>(data))[type] = attribute;
    return MNL_CB_OK;
  };
  mnl_attr_parse(&message, static_cast<unsigned>(offset), collect, &table);
  return table;
}

/// A number in an attribute; `otherwise` if it is missing, or of another size.
std::uint32_t number_of(const nlattr* attribute, std::uint32_t otherwise = 0) {
  const bool is_number = attribute != nullptr && mnl_attr_get_payload_len(attribute) == sizeof(std::uint32_t);
  return is_number ? mnl_attr_get_u32(attribute) : otherwise;
}

/// One octet in an attribute; 0 if it is missing.
std::uint8_t octet_of(const nlattr* attribute) {
  return attribute != nullptr && mnl_attr_get_payload_len(attribute) == 1 ? mnl_attr_get_u8(attribute)
                                                                          : std::uint8_t{0};
}

/// The text of an attribute, or "".
std::string text_of(const nlattr* attribute) {
  const bool is_text = attribute != nullptr && mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) >= 0;
  return is_text ? mnl_attr_get_str(attribute) : "";
}

/// The attribute of that type inside another attribute; null if there is none.
const nlattr* nested(const nlattr* outer, std::uint16_t type) {
  std::pair<std::uint16_t, const nlattr*> found{type, nullptr};
  const auto note = [](const nlattr* attribute, void* data) {
    auto& wanted = *static_cast<decltype(found)*>(data);
    if (mnl_attr_get_type(attribute) == wanted.first) wanted.second = attribute;
    return MNL_CB_OK;
  };
  if (outer != nullptr) mnl_attr_parse_nested(outer, note, &found);
  return found.second;
}

/// True if promote_secondaries of an interface is on. The kernel sends all settings as an array of 32-bit numbers, and
/// numbers them from 1 (net/ipv4/devinet.c, inet_fill_link_af()).
bool promotes(const nlattr* families) {
  constexpr std::size_t kAt = IPV4_DEVCONF_PROMOTE_SECONDARIES - 1;
  const nlattr* settings = nested(nested(families, AF_INET), IFLA_INET_CONF);
  if (settings == nullptr || mnl_attr_get_payload_len(settings) < (kAt + 1) * sizeof(std::uint32_t)) return false;
  std::uint32_t value = 0;
  std::memcpy(&value, static_cast<const std::uint32_t*>(mnl_attr_get_payload(settings)) + kAt, sizeof value);
  return value != 0;
}

/// IFLA_PROP_LIST: the alternative names that ip(8) takes besides IFLA_IFNAME.
std::vector<std::string> alternative_names_of(const nlattr* properties) {
  std::vector<std::string> names;
  const auto note = [](const nlattr* attribute, void* data) {
    if (mnl_attr_get_type(attribute) == IFLA_ALT_IFNAME)
      static_cast<std::vector<std::string>*>(data)->push_back(text_of(attribute));
    return MNL_CB_OK;
  };
  if (properties != nullptr) mnl_attr_parse_nested(properties, note, &names);
  return names;
}

/// Applies RTM_NEWLINK or RTM_DELLINK; returns the old and the new name of the link, and its alternative names.
std::vector<std::string> apply_link(const nlmsghdr& message, NetworkView& view) {
  const auto& info = *static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(&message));
  const auto table = attributes<IFLA_PROP_LIST + 1>(message, sizeof info);
  std::vector<std::string> names;
  const auto known = view.by_index.find(info.ifi_index);
  if (known != view.by_index.end()) names.push_back(known->second.name);
  if (info.ifi_index <= 0 || info.ifi_family == AF_BRIDGE)
    return {};  // a bridge's message about its port, not about the link
  if (message.nlmsg_type == RTM_DELLINK) {
    if (known != view.by_index.end()) view.by_index.erase(known);
    return names;
  }
  Interface& interface = view.by_index[info.ifi_index];
  interface.index = info.ifi_index;
  interface.ethernet = info.ifi_type == ARPHRD_ETHER;
  interface.up = (info.ifi_flags & IFF_UP) != 0;
  interface.running = interface.up && (info.ifi_flags & IFF_RUNNING) != 0;
  interface.loopback = (info.ifi_flags & IFF_LOOPBACK) != 0;
  interface.multicast = (info.ifi_flags & IFF_MULTICAST) != 0;
  interface.macvlan = text_of(nested(table[IFLA_LINKINFO], IFLA_INFO_KIND)) == "macvlan";
  interface.port_of = text_of(nested(table[IFLA_LINKINFO], IFLA_INFO_SLAVE_KIND));
  interface.parent = static_cast<int>(number_of(table[IFLA_LINK]));
  interface.alias = text_of(table[IFLA_IFALIAS]);
  interface.promotes = promotes(table[IFLA_AF_SPEC]);
  const std::vector<std::string> alternatives = alternative_names_of(table[IFLA_PROP_LIST]);
  if (std::string name = text_of(table[IFLA_IFNAME]); !name.empty()) interface.name = std::move(name);
  if (const nlattr* mac = table[IFLA_ADDRESS]; mac != nullptr && mnl_attr_get_payload_len(mac) == 6)
    std::copy_n(static_cast<const std::uint8_t*>(mnl_attr_get_payload(mac)), 6, interface.mac.octets.begin());
  if (names.empty() || names.front() != interface.name) names.push_back(interface.name);
  // An instance that waits for one of these names hears of the change in either direction.
  names.insert(names.end(), interface.alternative_names.begin(), interface.alternative_names.end());
  names.insert(names.end(), alternatives.begin(), alternatives.end());
  interface.alternative_names = alternatives;
  return names;
}

/// The address in an attribute; nullopt if the attribute is missing or has another family's size.
std::optional<IpAddress> address_of(std::uint8_t family, const nlattr* attribute) {
  if (family != AF_INET && family != AF_INET6) return std::nullopt;
  const Family ours = family == AF_INET ? Family::ipv4 : Family::ipv6;
  if (attribute == nullptr || mnl_attr_get_payload_len(attribute) != address_size(ours)) return std::nullopt;
  const auto* octets = static_cast<const std::uint8_t*>(mnl_attr_get_payload(attribute));
  return IpAddress(ours, std::span(octets, address_size(ours)));
}

/// The prefix whose address is in an attribute. Without the attribute it is the default prefix, if `length` is 0.
std::optional<IpPrefix> prefix_of(std::uint8_t family, const nlattr* attribute, std::uint8_t length) {
  static constexpr std::array<std::uint8_t, 16> kZeros{};
  const Family ours = family == AF_INET ? Family::ipv4 : Family::ipv6;
  auto address = address_of(family, attribute);
  if (!address && attribute == nullptr && length == 0 && (family == AF_INET || family == AF_INET6))
    address = IpAddress(ours, std::span(kZeros).first(address_size(ours)));
  if (!address || length > 8 * address_size(ours)) return std::nullopt;
  return IpPrefix{*address, length};
}

/// Applies RTM_NEWADDR or RTM_DELADDR; returns the name of the interface if anything changed.
std::vector<std::string> apply_address(const nlmsghdr& message, NetworkView& view) {
  const auto& info = *static_cast<const ifaddrmsg*>(mnl_nlmsg_get_payload(&message));
  const auto table = attributes<kIfaProto + 1>(message, sizeof info);
  const nlattr* own = table[table[IFA_LOCAL] != nullptr ? IFA_LOCAL : IFA_ADDRESS];
  const auto prefix = prefix_of(info.ifa_family, own, info.ifa_prefixlen);
  const auto interface = view.by_index.find(static_cast<int>(info.ifa_index));
  if (own == nullptr || !prefix || interface == view.by_index.end()) return {};
  auto& addresses = interface->second.addresses;
  if (message.nlmsg_type == RTM_DELADDR) {
    addresses.erase(*prefix);
    return {interface->second.name};
  }
  const std::uint32_t flags = number_of(table[IFA_FLAGS], info.ifa_flags);
  const bool tentative = (flags & IFA_F_TENTATIVE) != 0 && (flags & IFA_F_OPTIMISTIC) == 0;
  const bool duplicate = (flags & IFA_F_DADFAILED) != 0;
  const AddressState state{.usable = !tentative && !duplicate,
                           .secondary = info.ifa_family == AF_INET && (flags & IFA_F_SECONDARY) != 0,
                           .tag = octet_of(table[kIfaProto]),
                           .duplicate = duplicate};
  const auto known = addresses.find(*prefix);
  if (known != addresses.end() && known->second == state) return {};  // only lifetimes changed
  addresses.insert_or_assign(*prefix, state);
  return {interface->second.name};
}

/// Applies RTM_NEWROUTE or RTM_DELROUTE. If a route of others replaces one of vipd's, vipd's is gone without a
/// notification of its own.
std::vector<std::string> apply_route(const nlmsghdr& message, NetworkView& view) {
  const auto& info = *static_cast<const rtmsg*>(mnl_nlmsg_get_payload(&message));
  if ((info.rtm_flags & RTM_F_CLONED) != 0) return {};
  const auto table = attributes<RTA_TABLE + 1>(message, sizeof info);
  const auto to = prefix_of(info.rtm_family, table[RTA_DST], info.rtm_dst_len);
  if (!to) return {};
  const RouteObject route = as_told({.to = *to,
                                     .interface = "",
                                     .ifindex = static_cast<int>(number_of(table[RTA_OIF])),
                                     .via = address_of(info.rtm_family, table[RTA_GATEWAY]),
                                     .source = address_of(info.rtm_family, table[RTA_PREFSRC]),
                                     .table = number_of(table[RTA_TABLE], info.rtm_table),
                                     .metric = number_of(table[RTA_PRIORITY]),
                                     .type = static_cast<RouteType>(info.rtm_type)});
  const bool is_new = message.nlmsg_type == RTM_NEWROUTE;
  const auto takes_place = [&](const RouteObject& other) {
    return other.to == route.to && other.table == route.table && other.metric == route.metric;
  };
  bool changed = false;
  if (is_new && (message.nlmsg_flags & NLM_F_REPLACE) != 0) changed = std::erase_if(view.routes, takes_place) > 0;
  if (info.rtm_protocol == kKernelTag)
    changed |= is_new ? view.routes.insert(route).second : view.routes.erase(route) > 0;
  return changed ? std::vector<std::string>{""} : std::vector<std::string>{};
}

/// Applies RTM_NEWRULE or RTM_DELRULE.
std::vector<std::string> apply_rule(const nlmsghdr& message, NetworkView& view) {
  const auto& info = *static_cast<const fib_rule_hdr*>(mnl_nlmsg_get_payload(&message));
  const auto table = attributes<FRA_PROTOCOL + 1>(message, sizeof info);
  if (octet_of(table[FRA_PROTOCOL]) != kKernelTag) return {};
  RuleObject rule{.from = {},
                  .to = {},
                  .interface = text_of(table[FRA_IIFNAME]),
                  .table = number_of(table[FRA_TABLE], info.table),
                  .priority = number_of(table[FRA_PRIORITY])};
  if (table[FRA_SRC] != nullptr) rule.from = prefix_of(info.family, table[FRA_SRC], info.src_len);
  if (table[FRA_DST] != nullptr) rule.to = prefix_of(info.family, table[FRA_DST], info.dst_len);
  if (!rule.from && !rule.to) return {};
  if (message.nlmsg_type == RTM_NEWRULE)
    view.rules.insert(rule);
  else
    view.rules.erase(rule);
  return {""};
}

using Apply = std::vector<std::string> (*)(const nlmsghdr&, NetworkView&);

/// Applies a message if it is long enough for a fixed part of `header` octets.
std::vector<std::string> apply_if(Apply apply, std::size_t header, const nlmsghdr& message, NetworkView& view) {
  return mnl_nlmsg_get_payload_len(&message) < header ? std::vector<std::string>{} : apply(message, view);
}

}  // namespace

std::vector<std::string> apply(const nlmsghdr& message, NetworkView& view) {
  switch (message.nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
      return apply_if(apply_link, sizeof(ifinfomsg), message, view);
    case RTM_NEWADDR:
    case RTM_DELADDR:
      return apply_if(apply_address, sizeof(ifaddrmsg), message, view);
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
      return apply_if(apply_route, sizeof(rtmsg), message, view);
    case RTM_NEWRULE:
    case RTM_DELRULE:
      return apply_if(apply_rule, sizeof(fib_rule_hdr), message, view);
    default:
      return {};
  }
}

}  // namespace vipd
