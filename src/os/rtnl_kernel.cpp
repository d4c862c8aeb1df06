#include "vipd/os/rtnl_kernel.hpp"

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <optional>

#include "vipd/base/assert.hpp"

namespace vipd {
namespace {

// linux/if_addr.h has it from 5.18 on.
constexpr std::uint16_t kIfaProto = 11;

/// Acknowledgements of so many changes fit the receive buffer whatever its size.
constexpr std::size_t kBatch = 64;
constexpr int kNotificationBuffer = 8 << 20;

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
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kNotificationBuffer, sizeof kNotificationBuffer) < 0)
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &kNotificationBuffer, sizeof kNotificationBuffer);
  return fd;
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

/// Applies RTM_NEWLINK or RTM_DELLINK; returns the names it concerned (two when renamed).
std::vector<std::string> apply_link(const nlmsghdr& message, NetworkView& view) {
  const auto& info = *static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(&message));
  const auto table = attributes<IFLA_IFNAME + 1>(message, sizeof info);
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
  interface.running = (info.ifi_flags & IFF_UP) != 0 && (info.ifi_flags & IFF_RUNNING) != 0;
  if (const nlattr* name = table[IFLA_IFNAME]; name != nullptr && mnl_attr_validate(name, MNL_TYPE_NUL_STRING) >= 0)
    interface.name = mnl_attr_get_str(name);
  if (const nlattr* mac = table[IFLA_ADDRESS]; mac != nullptr && mnl_attr_get_payload_len(mac) == 6)
    std::copy_n(static_cast<const std::uint8_t*>(mnl_attr_get_payload(mac)), 6, interface.mac.octets.begin());
  if (names.empty() || names.front() != interface.name) names.push_back(interface.name);
  return names;
}

std::optional<IpPrefix> prefix_of(const ifaddrmsg& info, const nlattr* attribute) {
  if (info.ifa_family != AF_INET && info.ifa_family != AF_INET6) return std::nullopt;
  const Family family = info.ifa_family == AF_INET ? Family::ipv4 : Family::ipv6;
  if (attribute == nullptr || mnl_attr_get_payload_len(attribute) != address_size(family)) return std::nullopt;
  const auto* octets = static_cast<const std::uint8_t*>(mnl_attr_get_payload(attribute));
  return IpPrefix{{family, std::span(octets, address_size(family))}, info.ifa_prefixlen};
}

/// Applies RTM_NEWADDR or RTM_DELADDR; returns the name of the interface, if it changed anything.
std::vector<std::string> apply_address(const nlmsghdr& message, NetworkView& view) {
  const auto& info = *static_cast<const ifaddrmsg*>(mnl_nlmsg_get_payload(&message));
  const auto table = attributes<kIfaProto + 1>(message, sizeof info);
  const auto prefix = prefix_of(info, table[IFA_LOCAL] != nullptr ? table[IFA_LOCAL] : table[IFA_ADDRESS]);
  const auto interface = view.by_index.find(static_cast<int>(info.ifa_index));
  if (!prefix || interface == view.by_index.end()) return {};
  auto& addresses = interface->second.addresses;
  if (message.nlmsg_type == RTM_DELADDR) {
    addresses.erase(*prefix);
    return {interface->second.name};
  }
  const std::uint32_t flags = table[IFA_FLAGS] != nullptr ? mnl_attr_get_u32(table[IFA_FLAGS]) : info.ifa_flags;
  const bool tentative = (flags & IFA_F_TENTATIVE) != 0 && (flags & IFA_F_OPTIMISTIC) == 0;
  const AddressState state{.usable = !tentative && (flags & IFA_F_DADFAILED) == 0,
                           .secondary = info.ifa_family == AF_INET && (flags & IFA_F_SECONDARY) != 0,
                           .tag = table[kIfaProto] != nullptr ? mnl_attr_get_u8(table[kIfaProto]) : std::uint8_t{0}};
  const auto known = addresses.find(*prefix);
  if (known != addresses.end() && known->second == state) return {};  // new lifetimes only
  addresses.insert_or_assign(*prefix, state);
  return {interface->second.name};
}

std::vector<std::string> apply(const nlmsghdr& message, NetworkView& view) {
  switch (message.nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
      return mnl_nlmsg_get_payload_len(&message) < sizeof(ifinfomsg) ? std::vector<std::string>{}
                                                                     : apply_link(message, view);
    case RTM_NEWADDR:
    case RTM_DELADDR:
      return mnl_nlmsg_get_payload_len(&message) < sizeof(ifaddrmsg) ? std::vector<std::string>{}
                                                                     : apply_address(message, view);
    default:
      return {};
  }
}

void add_names(std::vector<std::string>& names, const std::vector<std::string>& more) {
  for (const auto& name : more)
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
}

/// Appends one RTM_NEWADDR or RTM_DELADDR to `buffer` and returns its size.
std::size_t put_address(void* buffer, int type, int ifindex, const IpPrefix& prefix, unsigned sequence) {
  nlmsghdr* message = mnl_nlmsg_put_header(buffer);
  message->nlmsg_type = static_cast<std::uint16_t>(type);
  message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
  message->nlmsg_seq = sequence;
  auto* info = static_cast<ifaddrmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ifaddrmsg)));
  const IpAddress& address = prefix.address;
  info->ifa_family = address.family() == Family::ipv4 ? AF_INET : AF_INET6;
  info->ifa_prefixlen = prefix.length;
  info->ifa_index = static_cast<unsigned>(ifindex);
  mnl_attr_put(message, IFA_LOCAL, address.octets().size(), address.octets().data());
  mnl_attr_put(message, IFA_ADDRESS, address.octets().size(), address.octets().data());
  if (type == RTM_NEWADDR) {
    message->nlmsg_flags |= NLM_F_CREATE | NLM_F_EXCL;
    if (address.family() == Family::ipv6) info->ifa_flags = IFA_F_NODAD;  // conformance C27
    mnl_attr_put_u8(message, kIfaProto, kAddressTag);
  }
  return message->nlmsg_len;
}

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
  auto notifications = open_socket(RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR);
  if (!notifications) return std::unexpected(notifications.error());
  auto kernel = open_once();
  if (!kernel) return kernel;
  RtnlKernel& self = **kernel;
  self.notifications_ = std::move(*notifications);
  self.changed_ = std::move(changed);
  auto watch = loop.watch(self.notifications_.get(), EPOLLIN, Urgency::network, [&self] { self.drain(); });
  if (!watch) return std::unexpected(watch.error());
  self.watch_ = std::move(*watch);
  return kernel;
}

Result<void> RtnlKernel::dump(int type, NetworkView& into) {
  std::array<char, 256> buffer{};
  nlmsghdr* request = mnl_nlmsg_put_header(buffer.data());
  request->nlmsg_type = static_cast<std::uint16_t>(type);
  request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request->nlmsg_seq = ++sequence_;
  mnl_nlmsg_put_extra_header(request, type == RTM_GETLINK ? sizeof(ifinfomsg) : sizeof(ifaddrmsg));
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
    auto result = dump(RTM_GETLINK, view);
    if (result) result = dump(RTM_GETADDR, view);
    if (result) return view;
    last = result.error();
  }
  return std::unexpected(last);
}

void RtnlKernel::drain() {
  constexpr int kDatagramsPerTurn = 4096;  // adverts wait meanwhile
  std::vector<std::string> changed;
  for (int i = 0; i < kDatagramsPerTurn; ++i) {
    const auto got =
        receive(notifications_.get(), [&](const nlmsghdr& message) { add_names(changed, apply(message, view_)); });
    if (got == Received::nothing) break;
    if (got == Received::overrun) {
      resync(changed);
      break;
    }
  }
  if (!changed.empty()) changed_(changed);
}

void RtnlKernel::resync(std::vector<std::string>& changed) {
  spdlog::warn("netlink notifications were lost; reading all links and addresses anew");
  auto view = read_all();
  if (!view) return spdlog::error("{}", view.error().message);
  for (const auto& [index, interface] : view_.by_index) add_names(changed, {interface.name});
  for (const auto& [index, interface] : view->by_index) add_names(changed, {interface.name});
  view_ = std::move(*view);
}

std::vector<int> RtnlKernel::add(int ifindex, std::span<const IpPrefix> addresses) {
  return change(RTM_NEWADDR, ifindex, addresses);
}

std::vector<int> RtnlKernel::remove(int ifindex, std::span<const IpPrefix> addresses) {
  return change(RTM_DELADDR, ifindex, addresses);
}

std::vector<int> RtnlKernel::change(int type, int ifindex, std::span<const IpPrefix> addresses) {
  std::vector<int> results(addresses.size(), EIO);  // what is not acknowledged has failed
  alignas(nlmsghdr) std::array<char, kBatch * 96> buffer;
  for (std::size_t begin = 0; begin < addresses.size(); begin += kBatch) {
    const std::size_t end = std::min(begin + kBatch, addresses.size());
    const unsigned first = sequence_ + 1;
    std::size_t size = 0;
    for (std::size_t i = begin; i < end; ++i)
      size += put_address(buffer.data() + size, type, ifindex, addresses[i], ++sequence_);
    VIPD_ASSERT(size <= buffer.size());
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
  std::ifstream file("/proc/sys/net/ipv6/conf/" + interface + "/forwarding");
  return file.get() == '1';
}

}  // namespace vipd
