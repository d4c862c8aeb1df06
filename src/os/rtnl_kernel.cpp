#include "vipd/os/rtnl_kernel.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/filter.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <utility>

#include "vipd/base/assert.hpp"
#include "vipd/os/link_messages.hpp"

namespace vipd {
namespace {

// linux/if_addr.h has it from 5.18 on.
constexpr std::uint16_t kIfaProto = 11;

/// Acknowledgements of so many changes fit the receive buffer whatever its size.
constexpr std::size_t kBatch = 64;
/// No request is larger.
constexpr std::size_t kRequestSize = 192;
constexpr int kNotificationBuffer = 8 << 20;
constexpr auto kResyncGap = std::chrono::milliseconds(100);

Result<Fd> open_socket(unsigned groups) {
  Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  if (!fd) return system_failure("cannot open a netlink socket", errno);
  sockaddr_nl local{};
  local.nl_family = AF_NETLINK;
  local.nl_groups = groups;
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&local), sizeof local) < 0)
    return system_failure("cannot bind a netlink socket", errno);
  const int on = 1;
  ::setsockopt(fd.get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  ::setsockopt(fd.get(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kNotificationBuffer, sizeof kNotificationBuffer) < 0)
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &kNotificationBuffer, sizeof kNotificationBuffer);
  return fd;
}

/// A router's whole table may change under us: of routes, only those with our tag come through, and those that replace
/// another, which may have been ours. The kernel writes fields in its own order and the filter reads big-endian.
Result<void> filter_routes(int fd) {
  constexpr std::uint32_t kTypeOffset = offsetof(nlmsghdr, nlmsg_type), kFlagsOffset = offsetof(nlmsghdr, nlmsg_flags),
                          kProtocolOffset = sizeof(nlmsghdr) + offsetof(rtmsg, rtm_protocol);
  std::array<sock_filter, 9> program = {{
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, kTypeOffset),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWROUTE), 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELROUTE), 0, 4),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kProtocolOffset),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kKernelTag, 2, 0),
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, kFlagsOffset),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, htons(NLM_F_REPLACE), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, ~0u),
      BPF_STMT(BPF_RET | BPF_K, 0),
  }};
  const sock_fprog all{static_cast<unsigned short>(program.size()), program.data()};
  if (::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &all, sizeof all) == 0) return {};
  return system_failure("cannot filter netlink notifications", errno);
}

enum class Received { messages, nothing, overrun };

/// Receives one datagram of the kernel and hands each message in it to `handle`.
template <typename Handle>
Received receive(int fd, Handle handle) {
  alignas(nlmsghdr) static std::array<char, 32768> buffer;
  sockaddr_nl sender{};
  iovec vec{buffer.data(), buffer.size()};
  msghdr header{};
  header.msg_name = &sender;
  header.msg_namelen = sizeof sender;
  header.msg_iov = &vec;
  header.msg_iovlen = 1;
  const ssize_t size = ::recvmsg(fd, &header, MSG_DONTWAIT);
  if (size < 0) return errno == EAGAIN || errno == EINTR ? Received::nothing : Received::overrun;
  if (sender.nl_pid != 0) return Received::messages;  // not the kernel
  if ((header.msg_flags & MSG_TRUNC) != 0) return Received::overrun;
  int rest = static_cast<int>(size);
  for (auto* message = reinterpret_cast<nlmsghdr*>(buffer.data()); mnl_nlmsg_ok(message, rest);
       message = mnl_nlmsg_next(message, &rest))
    handle(*message);
  return Received::messages;
}

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

/// The text of an attribute, or "".
std::string text_of(const nlattr* attribute) {
  const bool is_text = attribute != nullptr && mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) >= 0;
  return is_text ? mnl_attr_get_str(attribute) : "";
}

/// IFLA_INFO_KIND: "macvlan", "bridge"; "" for a card.
std::string kind_of(const nlattr* link_info) {
  std::string kind;
  const auto note = [](const nlattr* attribute, void* data) {
    if (mnl_attr_get_type(attribute) == IFLA_INFO_KIND) *static_cast<std::string*>(data) = text_of(attribute);
    return MNL_CB_OK;
  };
  if (link_info != nullptr) mnl_attr_parse_nested(link_info, note, &kind);
  return kind;
}

/// Applies RTM_NEWLINK or RTM_DELLINK; returns the names it concerned (two when renamed).
std::vector<std::string> apply_link(const nlmsghdr& message, NetworkView& view) {
  const auto& info = *static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(&message));
  const auto table = attributes<IFLA_IFALIAS + 1>(message, sizeof info);
  std::vector<std::string> names;
  const auto known = view.by_index.find(info.ifi_index);
  if (known != view.by_index.end()) names.push_back(known->second.name);
  if (info.ifi_family == AF_BRIDGE) return {};  // a bridge's word about its port, not about the link
  if (message.nlmsg_type == RTM_DELLINK) {
    if (known != view.by_index.end()) view.by_index.erase(known);
    return names;
  }
  Interface& interface = view.by_index[info.ifi_index];
  interface.index = info.ifi_index;
  interface.ethernet = info.ifi_type == ARPHRD_ETHER;
  interface.up = (info.ifi_flags & IFF_UP) != 0;
  interface.running = interface.up && (info.ifi_flags & IFF_RUNNING) != 0;
  interface.macvlan = kind_of(table[IFLA_LINKINFO]) == "macvlan";
  interface.parent = table[IFLA_LINK] != nullptr ? static_cast<int>(mnl_attr_get_u32(table[IFLA_LINK])) : 0;
  interface.alias = text_of(table[IFLA_IFALIAS]);
  if (std::string name = text_of(table[IFLA_IFNAME]); !name.empty()) interface.name = std::move(name);
  if (const nlattr* mac = table[IFLA_ADDRESS]; mac != nullptr && mnl_attr_get_payload_len(mac) == 6)
    std::copy_n(static_cast<const std::uint8_t*>(mnl_attr_get_payload(mac)), 6, interface.mac.octets.begin());
  if (names.empty() || names.front() != interface.name) names.push_back(interface.name);
  return names;
}

/// The address in an attribute; nullopt if it is missing, or none of the family.
std::optional<IpAddress> address_of(std::uint8_t family, const nlattr* attribute) {
  if (family != AF_INET && family != AF_INET6) return std::nullopt;
  const Family ours = family == AF_INET ? Family::ipv4 : Family::ipv6;
  if (attribute == nullptr || mnl_attr_get_payload_len(attribute) != address_size(ours)) return std::nullopt;
  const auto* octets = static_cast<const std::uint8_t*>(mnl_attr_get_payload(attribute));
  return IpAddress(ours, std::span(octets, address_size(ours)));
}

/// A number in an attribute; 0 if it is missing.
std::uint32_t number_of(const nlattr* attribute) {
  return attribute != nullptr && mnl_attr_get_payload_len(attribute) == 4 ? mnl_attr_get_u32(attribute) : 0;
}

/// Applies RTM_NEWADDR or RTM_DELADDR; returns the name of the interface, if it changed anything.
std::vector<std::string> apply_address(const nlmsghdr& message, NetworkView& view) {
  const auto& info = *static_cast<const ifaddrmsg*>(mnl_nlmsg_get_payload(&message));
  const auto table = attributes<kIfaProto + 1>(message, sizeof info);
  const auto address = address_of(info.ifa_family, table[table[IFA_LOCAL] != nullptr ? IFA_LOCAL : IFA_ADDRESS]);
  const auto interface = view.by_index.find(static_cast<int>(info.ifa_index));
  if (!address || interface == view.by_index.end()) return {};
  const IpPrefix prefix{*address, info.ifa_prefixlen};
  auto& addresses = interface->second.addresses;
  if (message.nlmsg_type == RTM_DELADDR) {
    addresses.erase(prefix);
    return {interface->second.name};
  }
  const std::uint32_t flags = table[IFA_FLAGS] != nullptr ? mnl_attr_get_u32(table[IFA_FLAGS]) : info.ifa_flags;
  const bool tentative = (flags & IFA_F_TENTATIVE) != 0 && (flags & IFA_F_OPTIMISTIC) == 0;
  const AddressState state{.usable = !tentative && (flags & IFA_F_DADFAILED) == 0,
                           .secondary = info.ifa_family == AF_INET && (flags & IFA_F_SECONDARY) != 0,
                           .tag = table[kIfaProto] != nullptr ? mnl_attr_get_u8(table[kIfaProto]) : std::uint8_t{0}};
  const auto known = addresses.find(prefix);
  if (known != addresses.end() && known->second == state) return {};  // new lifetimes only
  addresses.insert_or_assign(prefix, state);
  return {interface->second.name};
}

/// Applies RTM_NEWROUTE or RTM_DELROUTE. A route of others that takes the place of ours removes ours, of which the
/// kernel says nothing more.
std::vector<std::string> apply_route(const nlmsghdr& message, NetworkView& view) {
  const auto& info = *static_cast<const rtmsg*>(mnl_nlmsg_get_payload(&message));
  if ((info.rtm_flags & RTM_F_CLONED) != 0) return {};
  const auto table = attributes<RTA_TABLE + 1>(message, sizeof info);
  const Family family = info.rtm_family == AF_INET ? Family::ipv4 : Family::ipv6;
  static constexpr std::array<std::uint8_t, 16> kZeros{};
  const IpAddress any(family, std::span(kZeros).first(address_size(family)));
  const RouteObject route =
      as_told({.to = {address_of(info.rtm_family, table[RTA_DST]).value_or(any), info.rtm_dst_len},
               .interface = "",
               .ifindex = static_cast<int>(number_of(table[RTA_OIF])),
               .via = address_of(info.rtm_family, table[RTA_GATEWAY]),
               .source = address_of(info.rtm_family, table[RTA_PREFSRC]),
               .table = table[RTA_TABLE] != nullptr ? number_of(table[RTA_TABLE]) : info.rtm_table,
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
  if (table[FRA_PROTOCOL] == nullptr || mnl_attr_get_u8(table[FRA_PROTOCOL]) != kKernelTag) return {};
  RuleObject rule{.from = {},
                  .to = {},
                  .interface = text_of(table[FRA_IIFNAME]),
                  .table = table[FRA_TABLE] != nullptr ? number_of(table[FRA_TABLE]) : info.table,
                  .priority = number_of(table[FRA_PRIORITY])};
  if (const auto from = address_of(info.family, table[FRA_SRC])) rule.from = IpPrefix{*from, info.src_len};
  if (const auto to = address_of(info.family, table[FRA_DST])) rule.to = IpPrefix{*to, info.dst_len};
  if (!rule.from && !rule.to) return {};
  if (message.nlmsg_type == RTM_NEWRULE)
    view.rules.insert(rule);
  else
    view.rules.erase(rule);
  return {""};
}

using Apply = std::vector<std::string> (*)(const nlmsghdr&, NetworkView&);

/// Applies a message whose fixed part has `header` octets.
std::vector<std::string> apply_if(Apply apply, std::size_t header, const nlmsghdr& message, NetworkView& view) {
  return mnl_nlmsg_get_payload_len(&message) < header ? std::vector<std::string>{} : apply(message, view);
}

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

void add_names(std::vector<std::string>& names, const std::vector<std::string>& more) {
  for (const auto& name : more)
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
}

int family_number(Family family) { return family == Family::ipv4 ? AF_INET : AF_INET6; }

void put_address(nlmsghdr* message, std::uint16_t type, const IpAddress& address) {
  mnl_attr_put(message, type, address.octets().size(), address.octets().data());
}

/// The bodies of the requests that add or remove an object; `adding` is what only the first needs.
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

/// Appends one request to `buffer` and returns its size.
std::size_t put_request(void* buffer, const KernelObject& object, bool adding, unsigned sequence) {
  nlmsghdr* message = mnl_nlmsg_put_header(buffer);
  message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
  if (adding) message->nlmsg_flags |= NLM_F_CREATE | NLM_F_EXCL;
  message->nlmsg_seq = sequence;
  std::visit([&](const auto& one) { put(message, one, adding); }, object);
  return message->nlmsg_len;
}

/// An object on an interface that does not exist need not be asked for, nor can it be (RTA_OIF 0 means any).
bool lacks_interface(const KernelObject& object) {
  if (const auto* address = std::get_if<AddressObject>(&object)) return address->ifindex == 0;
  const auto* route = std::get_if<RouteObject>(&object);
  return route != nullptr && route->type == RouteType::unicast && route->ifindex == 0;
}

bool is_gone(int error) { return error == EADDRNOTAVAIL || error == ESRCH || error == ENOENT || error == ENODEV; }

}  // namespace

Result<std::unique_ptr<RtnlKernel>> RtnlKernel::open_once() {
  std::unique_ptr<RtnlKernel> kernel(new RtnlKernel);
  auto requests = open_socket(0);
  if (!requests) return std::unexpected(requests.error());
  kernel->requests_ = std::move(*requests);
  auto view = kernel->read_all();
  if (!view) return std::unexpected(view.error());
  kernel->view_ = std::move(*view);
  return kernel;
}

Result<std::unique_ptr<RtnlKernel>> RtnlKernel::open(EventLoop& loop, NetworkChanged changed) {
  // Listen first and read then, so that nothing happens between the two unseen.
  auto notifications = open_socket(RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE |
                                   RTMGRP_IPV6_ROUTE | RTMGRP_IPV4_RULE | 1u << (RTNLGRP_IPV6_RULE - 1));
  if (!notifications) return std::unexpected(notifications.error());
  if (const auto filtered = filter_routes(notifications->get()); !filtered) return std::unexpected(filtered.error());
  auto kernel = open_once();
  if (!kernel) return kernel;
  RtnlKernel& self = **kernel;
  self.notifications_ = std::move(*notifications);
  self.changed_ = std::move(changed);
  self.loop_ = &loop;
  if (const auto watching = self.start_watching(); !watching) return std::unexpected(watching.error());
  return kernel;
}

Result<void> RtnlKernel::start_watching() {
  auto watch = loop_->watch(notifications_.get(), EPOLLIN, Urgency::network, [this] { drain(); });
  if (!watch) return std::unexpected(watch.error());
  watch_ = std::move(*watch);
  return {};
}

Result<void> RtnlKernel::dump(int type, int family, NetworkView& into) {
  std::array<char, 256> buffer{};
  nlmsghdr* request = mnl_nlmsg_put_header(buffer.data());
  request->nlmsg_type = static_cast<std::uint16_t>(type);
  request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request->nlmsg_seq = ++sequence_;
  if (type == RTM_GETROUTE) {
    auto* wanted = static_cast<rtmsg*>(mnl_nlmsg_put_extra_header(request, sizeof(rtmsg)));
    wanted->rtm_family = static_cast<std::uint8_t>(family);
    wanted->rtm_protocol = kKernelTag;  // with NETLINK_GET_STRICT_CHK the kernel leaves out all others
  } else if (type == RTM_GETADDR) {
    mnl_nlmsg_put_extra_header(request, sizeof(ifaddrmsg));
  } else {
    auto* any = static_cast<std::uint8_t*>(
        mnl_nlmsg_put_extra_header(request, type == RTM_GETLINK ? sizeof(ifinfomsg) : sizeof(fib_rule_hdr)));
    *any = static_cast<std::uint8_t>(family);
  }
  if (::send(requests_.get(), request, request->nlmsg_len, 0) < 0)
    return system_failure("cannot ask the kernel", errno);

  bool done = false, interrupted = false;
  int error = 0;
  while (!done) {
    const auto got = receive(requests_.get(), [&](const nlmsghdr& message) {
      if (message.nlmsg_seq != sequence_) return;
      interrupted |= (message.nlmsg_flags & NLM_F_DUMP_INTR) != 0;
      if (message.nlmsg_type == NLMSG_DONE)
        done = true;
      else if (message.nlmsg_type == NLMSG_ERROR) {
        done = true;
        error = -static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(&message))->error;
      } else {
        apply(message, into);
      }
    });
    if (got != Received::messages) return failure("the kernel broke off a netlink dump");
  }
  if (error != 0) return system_failure("the kernel refused a netlink dump", error);
  if (interrupted) return failure("links or addresses changed during a netlink dump");
  return {};
}

Result<NetworkView> RtnlKernel::read_all() {
  constexpr int kTries = 5;  // a dump that was interrupted by a change is read again
  Error last;
  for (int i = 0; i < kTries; ++i) {
    NetworkView view;
    auto result = dump(RTM_GETLINK, AF_UNSPEC, view);
    if (result) result = dump(RTM_GETADDR, AF_UNSPEC, view);
    if (result) result = dump_routes(view);
    for (const int family : {AF_INET, AF_INET6})
      if (result) result = dump(RTM_GETRULE, family, view);
    if (result) return view;
    last = result.error();
  }
  return std::unexpected(last);
}

Result<void> RtnlKernel::dump_routes(NetworkView& into) {
  auto result = dump(RTM_GETROUTE, AF_INET, into);
  return result ? dump(RTM_GETROUTE, AF_INET6, into) : result;
}

/// IPv4 routes that go because their interface or source address does go without a word.
void RtnlKernel::reread_routes(std::vector<std::string>& changed) {
  NetworkView fresh;
  if (view_.routes.empty() || !dump_routes(fresh) || fresh.routes == view_.routes) return;
  view_.routes = std::move(fresh.routes);
  add_names(changed, {""});
}

void RtnlKernel::drain() {
  constexpr int kDatagramsPerTurn = 4096;  // adverts wait meanwhile
  std::vector<std::string> changed;
  for (int i = 0; i < kDatagramsPerTurn; ++i) {
    const auto got =
        receive(notifications_.get(), [&](const nlmsghdr& message) { add_names(changed, apply(message, view_)); });
    if (got == Received::nothing && !stale_) break;
    if (got != Received::messages) {
      resync(changed);
      break;
    }
  }
  // An alias that is given to a link that is down is not notified, so what has just been read may be the older one.
  for (const auto& name : changed)
    if (const Interface* interface = view_.find(name); interface != nullptr && interface->macvlan) read_link(name);
  if (!changed.empty()) reread_routes(changed);
  if (!changed.empty()) changed_(changed);
}

void RtnlKernel::resync(std::vector<std::string>& changed) {
  const bool anew = !std::exchange(stale_, true);
  if (anew) spdlog::warn("netlink notifications were lost; reading everything anew");
  auto view = read_all();
  if (!view) {
    if (anew) spdlog::error("{}; it is tried again until it succeeds", view.error().message);
    return resync_later();
  }
  stale_ = false;
  add_names(changed, {""});
  for (const auto& [index, interface] : view_.by_index) add_names(changed, {interface.name});
  for (const auto& [index, interface] : view->by_index) add_names(changed, {interface.name});
  view_ = std::move(*view);
}

/// Not at once and for ever, which would leave no time for anything else.
void RtnlKernel::resync_later() {
  auto retry = loop_->after(kResyncGap, [this] {
    if (start_watching())
      drain();
    else
      resync_later();
  });
  if (!retry) return;
  retry_ = std::move(*retry);
  watch_ = {};
}

std::vector<int> RtnlKernel::add(std::span<const KernelObject> objects) { return change(objects, true); }

std::vector<int> RtnlKernel::remove(std::span<const KernelObject> objects) {
  auto results = change(objects, false);
  for (int& error : results)
    if (is_gone(error)) error = 0;
  return results;
}

std::vector<int> RtnlKernel::change(std::span<const KernelObject> objects, bool adding) {
  std::vector<int> results(objects.size(), EIO);  // what is not acknowledged has failed
  alignas(nlmsghdr) std::array<char, kBatch * kRequestSize> buffer;
  for (std::size_t begin = 0; begin < objects.size(); begin += kBatch) {
    const std::size_t end = std::min(begin + kBatch, objects.size());
    const unsigned first = sequence_ + 1;
    std::size_t size = 0;
    for (std::size_t i = begin; i < end; ++i, ++sequence_) {
      if (lacks_interface(objects[i]))
        results[i] = ENODEV;
      else
        size += put_request(buffer.data() + size, objects[i], adding, first + static_cast<unsigned>(i - begin));
    }
    VIPD_ASSERT(size <= buffer.size());
    if (size == 0) continue;
    if (::send(requests_.get(), buffer.data(), size, 0) < 0) {
      std::fill(results.begin() + begin, results.end(), errno);
      return results;
    }
    const auto note = [&](const nlmsghdr& message) {
      const std::size_t at = begin + (message.nlmsg_seq - first);
      if (message.nlmsg_type != NLMSG_ERROR || message.nlmsg_seq < first || at >= end) return;
      results[at] = -static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(&message))->error;
    };
    while (receive(requests_.get(), note) == Received::messages) {
    }
  }
  return results;
}

bool RtnlKernel::forwards_ipv6(const std::string& interface) const {
  return setting("ipv6/conf/" + interface + "/forwarding") == 1;
}

/// Sends requests in one go, applies what is answered to the view, and returns the first error.
int RtnlKernel::request(std::span<nlmsghdr* const> messages) {
  std::array<iovec, 2> pieces{};
  VIPD_ASSERT(messages.size() <= pieces.size());
  for (std::size_t i = 0; i < messages.size(); ++i) {
    messages[i]->nlmsg_seq = ++sequence_;
    pieces[i] = {messages[i], MNL_ALIGN(messages[i]->nlmsg_len)};
  }
  msghdr header{};
  header.msg_iov = pieces.data();
  header.msg_iovlen = messages.size();
  if (::sendmsg(requests_.get(), &header, 0) < 0) return errno;
  std::size_t answers = 0;
  int error = 0;
  const auto note = [&](const nlmsghdr& message) {
    if (message.nlmsg_type != NLMSG_ERROR) return static_cast<void>(apply(message, view_));
    ++answers;
    if (error == 0) error = -static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(&message))->error;
  };
  while (receive(requests_.get(), note) == Received::messages) {
  }
  return error == 0 && answers < messages.size() ? EIO : error;
}

/// Asks for one link, so that the view is not behind what has just been changed.
void RtnlKernel::read_link(const std::string& name) {
  alignas(nlmsghdr) std::array<char, kLinkMessageSize> buffer;
  if (request(std::array{put_link_query(buffer.data(), name)}) != ENODEV) return;
  std::erase_if(view_.by_index, [&](const auto& entry) { return entry.second.name == name; });
}

int RtnlKernel::add_macvlan(int parent, const std::string& name, const MacAddress& mac, const std::string& alias) {
  alignas(nlmsghdr) std::array<char, kLinkMessageSize> make, remark;
  const int error =
      request(std::array{put_macvlan(make.data(), parent, name, mac), put_link_alias(remark.data(), name, alias)});
  read_link(name);
  return error;
}

std::string RtnlKernel::name_of(int ifindex) const {
  const Interface* interface = view_.find(ifindex);
  return interface != nullptr ? interface->name : "";
}

int RtnlKernel::set_link(int ifindex, bool up, const std::string& alias) {
  alignas(nlmsghdr) std::array<char, kLinkMessageSize> buffer;
  const int error = request(std::array{put_link_change(buffer.data(), ifindex, up, alias)});
  read_link(name_of(ifindex));
  return error;
}

int RtnlKernel::remove_link(int ifindex) {
  alignas(nlmsghdr) std::array<char, kLinkMessageSize> buffer;
  const int error = request(std::array{put_link_removal(buffer.data(), ifindex)});
  read_link(name_of(ifindex));
  return error;
}

std::optional<int> RtnlKernel::setting(const std::string& name) const {
  std::ifstream file("/proc/sys/net/" + name);
  int value = 0;
  return file >> value ? std::optional(value) : std::nullopt;
}

int RtnlKernel::set_setting(const std::string& name, int value) {
  const Fd file(::open(("/proc/sys/net/" + name).c_str(), O_WRONLY | O_CLOEXEC));
  const std::string text = std::to_string(value);
  return file && ::write(file.get(), text.data(), text.size()) >= 0 ? 0 : errno;
}

}  // namespace vipd
