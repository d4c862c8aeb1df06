#include "vipd/os/link_messages.hpp"

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

namespace vipd {
namespace {

nlmsghdr* put_link(void* buffer, std::uint16_t type, std::uint16_t flags, const ifinfomsg& info) {
  nlmsghdr* message = mnl_nlmsg_put_header(buffer);
  message->nlmsg_type = type;
  message->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  *static_cast<ifinfomsg*>(mnl_nlmsg_put_extra_header(message, sizeof info)) = info;
  return message;
}

/// Cuts the alias at the kernel's limit.
void put_alias(nlmsghdr* message, const std::string& alias) {
  mnl_attr_put_strz(message, IFLA_IFALIAS, alias.substr(0, kMaxLinkAlias).c_str());
}

}  // namespace

nlmsghdr* put_macvlan(void* buffer, int parent, const std::string& name, const MacAddress& mac) {
  nlmsghdr* message = put_link(buffer, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, {});
  mnl_attr_put_strz(message, IFLA_IFNAME, name.c_str());
  mnl_attr_put_u32(message, IFLA_LINK, static_cast<std::uint32_t>(parent));
  mnl_attr_put(message, IFLA_ADDRESS, mac.octets.size(), mac.octets.data());
  nlattr* const kind = mnl_attr_nest_start(message, IFLA_LINKINFO);
  mnl_attr_put_strz(message, IFLA_INFO_KIND, "macvlan");
  nlattr* const data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
  mnl_attr_put_u32(message, IFLA_MACVLAN_MODE, MACVLAN_MODE_BRIDGE);
  mnl_attr_nest_end(message, data);
  mnl_attr_nest_end(message, kind);
  return message;
}

nlmsghdr* put_link_alias(void* buffer, const std::string& name, const std::string& alias) {
  nlmsghdr* message = put_link(buffer, RTM_NEWLINK, NLM_F_ACK, {});
  mnl_attr_put_strz(message, IFLA_IFNAME, name.c_str());
  put_alias(message, alias);
  return message;
}

nlmsghdr* put_link_change(void* buffer, int ifindex, bool up, const std::string& alias) {
  ifinfomsg info{};
  info.ifi_index = ifindex;
  info.ifi_flags = up ? IFF_UP : 0;
  info.ifi_change = IFF_UP;
  nlmsghdr* message = put_link(buffer, RTM_NEWLINK, NLM_F_ACK, info);
  put_alias(message, alias);
  return message;
}

nlmsghdr* put_link_removal(void* buffer, int ifindex) {
  ifinfomsg info{};
  info.ifi_index = ifindex;
  return put_link(buffer, RTM_DELLINK, NLM_F_ACK, info);
}

nlmsghdr* put_link_query(void* buffer, const std::string& name) {
  nlmsghdr* message = put_link(buffer, RTM_GETLINK, NLM_F_ACK, {});
  mnl_attr_put_strz(message, IFLA_IFNAME, name.c_str());
  return message;
}

nlmsghdr* put_link_query(void* buffer, int ifindex) {
  ifinfomsg info{};
  info.ifi_index = ifindex;
  return put_link(buffer, RTM_GETLINK, NLM_F_ACK, info);
}

std::size_t put_promotion(void* buffer, int ifindex, bool on, unsigned sequence) {
  ifinfomsg info{};
  info.ifi_index = ifindex;
  nlmsghdr* message = put_link(buffer, RTM_SETLINK, 0, info);
  message->nlmsg_seq = sequence;
  nlattr* const families = mnl_attr_nest_start(message, IFLA_AF_SPEC);
  nlattr* const ipv4 = mnl_attr_nest_start(message, AF_INET);
  nlattr* const settings = mnl_attr_nest_start(message, IFLA_INET_CONF);
  mnl_attr_put_u32(message, IPV4_DEVCONF_PROMOTE_SECONDARIES, on ? 1 : 0);
  mnl_attr_nest_end(message, settings);
  mnl_attr_nest_end(message, ipv4);
  mnl_attr_nest_end(message, families);
  return message->nlmsg_len;
}

}  // namespace vipd
