#include "vipd/os/rtnl_requests.hpp"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/filter.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <utility>

#include "vipd/base/assert.hpp"
#include "vipd/os/link_messages.hpp"
#include "vipd/os/netlink.hpp"
#include "vipd/os/network_messages.hpp"
#include "vipd/os/object_messages.hpp"

namespace vipd {
namespace {

constexpr int kNotificationBuffer = 8 << 20;

/// True if the object's interface does not exist. The kernel must not be asked then: RTA_OIF 0 means any interface.
bool lacks_interface(const KernelObject& object) {
  if (const auto* address = std::get_if<AddressObject>(&object)) return address->ifindex == 0;
  const auto* route = std::get_if<RouteObject>(&object);
  return route != nullptr && route->type == RouteType::unicast && route->ifindex == 0;
}

}  // namespace

Result<Fd> open_rtnl_socket(unsigned groups) {
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

Result<RtnlRequests> RtnlRequests::open() {
  auto fd = open_rtnl_socket(0);
  if (!fd) return std::unexpected(fd.error());
  return RtnlRequests(std::move(*fd));
}

/// Sends the request for a dump.
Result<void> RtnlRequests::ask_for(int type, int family) {
  std::array<char, 256> buffer{};
  nlmsghdr* request = mnl_nlmsg_put_header(buffer.data());
  request->nlmsg_type = static_cast<std::uint16_t>(type);
  request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request->nlmsg_seq = ++sequence_;
  if (type == RTM_GETROUTE) {
    auto* wanted = static_cast<rtmsg*>(mnl_nlmsg_put_extra_header(request, sizeof(rtmsg)));
    wanted->rtm_family = static_cast<std::uint8_t>(family);
    wanted->rtm_protocol = kKernelTag;  // with NETLINK_GET_STRICT_CHK the kernel leaves out other routes
  } else if (type == RTM_GETADDR) {
    mnl_nlmsg_put_extra_header(request, sizeof(ifaddrmsg));
  } else {
    auto* any = static_cast<std::uint8_t*>(
        mnl_nlmsg_put_extra_header(request, type == RTM_GETLINK ? sizeof(ifinfomsg) : sizeof(fib_rule_hdr)));
    *any = static_cast<std::uint8_t>(family);
  }
  if (::send(fd_.get(), request, request->nlmsg_len, 0) < 0) return system_failure("cannot ask the kernel", errno);
  return {};
}

Result<void> RtnlRequests::dump(int type, int family, NetworkView& into) {
  if (const auto asked = ask_for(type, family); !asked) return asked;
  bool done = false, interrupted = false;
  int error = 0;
  while (!done) {
    const auto got = receive(fd_.get(), [&](const nlmsghdr& message) {
      if (message.nlmsg_seq != sequence_) return;
      interrupted |= (message.nlmsg_flags & NLM_F_DUMP_INTR) != 0;
      if (message.nlmsg_type == NLMSG_DONE)
        done = true;
      else if (message.nlmsg_type == NLMSG_ERROR) {
        done = true;
        error = error_in(message);
      } else {
        apply(message, into);
      }
    });
    if (got != Received::messages) return failure("the kernel aborted a netlink dump");
  }
  if (error != 0) return system_failure("the kernel refused a netlink dump", error);
  if (interrupted) return failure("links or addresses changed during a netlink dump");
  return {};
}

/// Reads the view; a dump that a change interrupted is read again.
Result<NetworkView> RtnlRequests::read(const std::function<Result<void>(NetworkView&)>& dumps) {
  constexpr int kTries = 5;
  Error last;
  for (int i = 0; i < kTries; ++i) {
    NetworkView view;
    const auto result = dumps(view);
    if (result) return view;
    last = result.error();
  }
  return std::unexpected(last);
}

Result<NetworkView> RtnlRequests::read_all() {
  return read([this](NetworkView& into) { return dump_all(into); });
}

Result<NetworkView> RtnlRequests::read_like(std::span<const KernelObject> objects) {
  return read([&](NetworkView& into) { return dump_like(objects, into); });
}

Result<void> RtnlRequests::dump_all(NetworkView& into) {
  auto result = dump(RTM_GETLINK, AF_UNSPEC, into);
  if (result) result = dump(RTM_GETADDR, AF_UNSPEC, into);
  if (result) result = dump_routes(into);
  if (result) result = dump_rules(into);
  return result;
}

Result<void> RtnlRequests::dump_rules(NetworkView& into) {
  auto result = dump(RTM_GETRULE, AF_INET, into);
  return result ? dump(RTM_GETRULE, AF_INET6, into) : result;
}

Result<void> RtnlRequests::dump_routes(NetworkView& into) {
  auto result = dump(RTM_GETROUTE, AF_INET, into);
  return result ? dump(RTM_GETROUTE, AF_INET6, into) : result;
}

Result<void> RtnlRequests::dump_like(std::span<const KernelObject> objects, NetworkView& into) {
  bool routes = false, rules = false;
  for (const auto& object : objects) {
    routes |= std::holds_alternative<RouteObject>(object);
    rules |= std::holds_alternative<RuleObject>(object);
    if (const auto* address = std::get_if<AddressObject>(&object)) into.by_index[address->ifindex] = {};
  }
  Result<void> result;
  if (!into.by_index.empty()) result = dump(RTM_GETADDR, AF_UNSPEC, into);
  if (result && routes) result = dump_routes(into);
  if (result && rules) result = dump_rules(into);
  return result;
}

/// The kernel works through a batch in order and answers each failure. It acknowledges the last message, and receive()
/// reports lost answers. Returns the errno of the send itself.
int RtnlRequests::change(std::span<const KernelObject> objects, bool adding, std::span<const int> promoting,
                         std::span<int> results) {
  VIPD_ASSERT(objects.size() <= kMost);
  constexpr std::size_t kEach = kObjectMessageSize + 2 * kPromotionSize;
  alignas(nlmsghdr) std::array<char, kMost * kEach> buffer{};  // zeroed, so that no other memory is sent
  const unsigned first = sequence_ + 1;
  sequence_ += static_cast<unsigned>(objects.size());
  std::size_t size = 0;
  const auto promote = [&](bool on) {
    for (const int ifindex : promoting) size += put_promotion(buffer.data() + size, ifindex, on, ++sequence_);
  };
  promote(true);
  nlmsghdr* last = nullptr;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    results[i] = lacks_interface(objects[i]) ? ENODEV : 0;
    if (results[i] != 0) continue;
    last = reinterpret_cast<nlmsghdr*>(buffer.data() + size);
    size += put_object(last, objects[i], adding, first + static_cast<unsigned>(i));
  }
  if (last == nullptr) return 0;
  last->nlmsg_flags |= NLM_F_ACK;
  promote(false);
  VIPD_ASSERT(size <= buffer.size());
  if (::send(fd_.get(), buffer.data(), size, 0) < 0) return errno;
  bool reached_last = false;
  const auto note = [&](const nlmsghdr& message) {
    const std::size_t at = message.nlmsg_seq - first;
    if (message.nlmsg_type != NLMSG_ERROR || message.nlmsg_seq < first || at >= objects.size()) return;
    results[at] = error_in(message);
    reached_last = reached_last || message.nlmsg_seq == last->nlmsg_seq;
  };
  while (receive(fd_.get(), note) == Received::messages) {
  }
  if (!reached_last) std::ranges::replace(results, 0, EIO);  // the outcome is unknown
  return 0;
}

int RtnlRequests::send(std::span<nlmsghdr* const> messages, NetworkView& view) {
  std::array<iovec, 2> pieces{};
  VIPD_ASSERT(messages.size() <= pieces.size());
  for (std::size_t i = 0; i < messages.size(); ++i) {
    messages[i]->nlmsg_seq = ++sequence_;
    pieces[i] = {messages[i], MNL_ALIGN(messages[i]->nlmsg_len)};
  }
  msghdr header{};
  header.msg_iov = pieces.data();
  header.msg_iovlen = messages.size();
  if (::sendmsg(fd_.get(), &header, 0) < 0) return errno;
  std::size_t answers = 0;
  int error = 0;
  const auto note = [&](const nlmsghdr& message) {
    if (message.nlmsg_type != NLMSG_ERROR) return static_cast<void>(apply(message, view));
    ++answers;
    if (error == 0) error = error_in(message);
  };
  while (receive(fd_.get(), note) == Received::messages) {
  }
  return error == 0 && answers < messages.size() ? EIO : error;
}

}  // namespace vipd
