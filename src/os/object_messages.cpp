#include "vipd/os/object_messages.hpp"

#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "vipd/os/kernel.hpp"
#include "vipd/os/network_messages.hpp"

namespace vipd {
namespace {

int family_number(Family family) { return family == Family::ipv4 ? AF_INET : AF_INET6; }

void put_address(nlmsghdr* message, std::uint16_t type, const IpAddress& address) {
  mnl_attr_put(message, type, address.octets().size(), address.octets().data());
}

/// Writes the body of a request that adds or removes an object. Some attributes are needed only for `adding`.
void put(nlmsghdr* message, const AddressObject& object, bool adding) {
  message->nlmsg_type = adding ? RTM_NEWADDR : RTM_DELADDR;
  auto* info = static_cast<ifaddrmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ifaddrmsg)));
  const IpAddress& address = object.prefix.address;
  info->ifa_family = static_cast<std::uint8_t>(family_number(address.family()));
  info->ifa_prefixlen = object.prefix.length;
  info->ifa_index = static_cast<unsigned>(object.ifindex);
  put_address(message, IFA_LOCAL, address);
  put_address(message, IFA_ADDRESS, object.peer.value_or(address));
  if (!adding) return;
  info->ifa_scope = static_cast<std::uint8_t>(object.scope);
  std::uint32_t flags = address.family() == Family::ipv6 && object.nodad ? IFA_F_NODAD : 0;  // conformance C27
  if (!object.prefix_route) flags |= IFA_F_NOPREFIXROUTE;
  mnl_attr_put_u32(message, IFA_FLAGS, flags);
  if (!object.label.empty()) mnl_attr_put_strz(message, IFA_LABEL, object.label.c_str());
  if (object.preferred_lifetime == PreferredLifetime::zero) {
    const ifa_cacheinfo lifetimes{.ifa_prefered = 0, .ifa_valid = ~0u, .cstamp = 0, .tstamp = 0};
    mnl_attr_put(message, IFA_CACHEINFO, sizeof lifetimes, &lifetimes);
  }
  mnl_attr_put_u8(message, kIfaProto, kKernelTag);
}

void put(nlmsghdr* message, const RouteObject& object, bool adding) {
  message->nlmsg_type = adding ? RTM_NEWROUTE : RTM_DELROUTE;
  auto* info = static_cast<rtmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(rtmsg)));
  info->rtm_family = static_cast<std::uint8_t>(family_number(object.to.address.family()));
  info->rtm_dst_len = object.to.length;
  info->rtm_protocol = kKernelTag;
  info->rtm_type = static_cast<std::uint8_t>(object.type);
  const bool is_on_link = object.type == RouteType::unicast && !object.via;
  info->rtm_scope = !adding ? RT_SCOPE_NOWHERE : is_on_link ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  if (object.to.length > 0) put_address(message, RTA_DST, object.to.address);
  if (object.via) put_address(message, RTA_GATEWAY, *object.via);
  if (object.source) put_address(message, RTA_PREFSRC, *object.source);
  if (object.type == RouteType::unicast) mnl_attr_put_u32(message, RTA_OIF, static_cast<unsigned>(object.ifindex));
  mnl_attr_put_u32(message, RTA_TABLE, object.table);
  if (object.metric != 0) mnl_attr_put_u32(message, RTA_PRIORITY, object.metric);
}

void put(nlmsghdr* message, const RuleObject& object, bool adding) {
  message->nlmsg_type = adding ? RTM_NEWRULE : RTM_DELRULE;
  auto* info = static_cast<fib_rule_hdr*>(mnl_nlmsg_put_extra_header(message, sizeof(fib_rule_hdr)));
  info->family = static_cast<std::uint8_t>(family_number(object.family()));
  info->action = FR_ACT_TO_TBL;
  if (object.from) {
    info->src_len = object.from->length;
    put_address(message, FRA_SRC, object.from->address);
  }
  if (object.to) {
    info->dst_len = object.to->length;
    put_address(message, FRA_DST, object.to->address);
  }
  if (!object.interface.empty()) mnl_attr_put_strz(message, FRA_IIFNAME, object.interface.c_str());
  mnl_attr_put_u32(message, FRA_TABLE, object.table);
  mnl_attr_put_u32(message, FRA_PRIORITY, object.priority);
  mnl_attr_put_u8(message, FRA_PROTOCOL, kKernelTag);
}

}  // namespace

std::size_t put_object(void* buffer, const KernelObject& object, bool adding, unsigned sequence) {
  nlmsghdr* message = mnl_nlmsg_put_header(buffer);
  message->nlmsg_flags = NLM_F_REQUEST;
  if (adding) message->nlmsg_flags |= NLM_F_CREATE | NLM_F_EXCL;
  message->nlmsg_seq = sequence;
  std::visit([&](const auto& one) { put(message, one, adding); }, object);
  return message->nlmsg_len;
}

}  // namespace vipd
