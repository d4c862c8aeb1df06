#include "support/lab/addresses.hpp"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <stdexcept>

#include "support/go_first.hpp"

namespace vipd::lab {
namespace {

constexpr std::uint16_t kIfaProto = 11;  // IFA_PROTO of linux/if_addr.h, Linux 5.18

Fd route_socket(const Netns& netns, unsigned groups) {
  const Inside inside(netns);
  Fd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = groups;
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
    throw std::runtime_error("cannot open a netlink socket");
  const int room = 32 << 20;  // octets; thousands of changes may wait here until they are read
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
  return fd;
}

std::string prefix_text(const ifaddrmsg& header, const void* octets) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(header.ifa_family, octets, text.data(), text.size());
  return std::string(text.data()) + "/" + std::to_string(header.ifa_prefixlen);
}

/// Reads one attribute. IFA_LOCAL comes after IFA_ADDRESS and is the address itself if the two differ.
void take_attribute(const nlattr* attribute, const ifaddrmsg& header, Held& held) {
  switch (mnl_attr_get_type(attribute)) {
    case IFA_ADDRESS:
    case IFA_LOCAL:
      held.prefix = prefix_text(header, mnl_attr_get_payload(attribute));
      break;
    case IFA_FLAGS:
      held.flags = mnl_attr_get_u32(attribute);
      break;
    case kIfaProto:
      held.protocol = mnl_attr_get_u8(attribute);
      break;
    default:
      break;
  }
}

Held held_of(const nlmsghdr* message) {
  const auto& header = *static_cast<const ifaddrmsg*>(mnl_nlmsg_get_payload(message));
  Held held{.prefix = "", .flags = header.ifa_flags, .protocol = 0};
  auto take = [&](const nlattr* attribute) { take_attribute(attribute, header, held); };
  mnl_attr_parse(
      message, sizeof header,
      [](const nlattr* attribute, void* data) {
        (*static_cast<decltype(take)*>(data))(attribute);
        return MNL_CB_OK;
      },
      &take);
  return held;
}

/// Calls `take` for each message that waits or arrives within a second, until `take` returns false.
template <typename Take>
void receive(const Fd& fd, Take take) {
  std::array<char, 65536> buffer;
  pollfd event{fd.get(), POLLIN, 0};
  while (poll(&event, 1, 1000) > 0) {
    int left = static_cast<int>(recv(fd.get(), buffer.data(), buffer.size(), 0));
    const auto* message = reinterpret_cast<const nlmsghdr*>(buffer.data());
    for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
      if (!take(message)) return;
  }
  throw std::runtime_error("netlink does not answer");
}

}  // namespace

std::vector<Held> addresses(const Netns& netns) {
  const Fd fd = route_socket(netns, 0);
  std::array<char, MNL_NLMSG_HDRLEN + sizeof(ifaddrmsg)> request{};
  nlmsghdr* header = mnl_nlmsg_put_header(request.data());
  header->nlmsg_type = RTM_GETADDR;
  header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  mnl_nlmsg_put_extra_header(header, sizeof(ifaddrmsg));
  if (send(fd.get(), header, header->nlmsg_len, 0) < 0) throw std::runtime_error("cannot ask netlink");
  std::vector<Held> result;
  receive(fd, [&](const nlmsghdr* message) {
    if (message->nlmsg_type == RTM_NEWADDR) result.push_back(held_of(message));
    return message->nlmsg_type != NLMSG_DONE;
  });
  return result;
}

AddressMonitor::AddressMonitor(const Netns& netns)
    : netlink_(route_socket(netns, RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR)),
      stop_(eventfd(0, EFD_CLOEXEC)),
      reader_([this] { read_until_stopped(); }) {}

AddressMonitor::~AddressMonitor() {
  eventfd_write(stop_.get(), 1);
  reader_.join();
}

std::vector<AddressEvent> AddressMonitor::events() const {
  const std::lock_guard lock(mutex_);
  return events_;
}

std::size_t AddressMonitor::count() const {
  const std::lock_guard lock(mutex_);
  return events_.size();
}

void AddressMonitor::read_until_stopped() {
  go_first();
  std::array<pollfd, 2> ready{{{netlink_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
  while (poll(ready.data(), ready.size(), -1) >= 0 && ready[1].revents == 0)
    receive(netlink_, [this](const nlmsghdr* message) {
      const std::lock_guard lock(mutex_);
      events_.push_back(
          {std::chrono::system_clock::now(), message->nlmsg_type == RTM_NEWADDR, held_of(message).prefix});
      return false;
    });
}

}  // namespace vipd::lab
