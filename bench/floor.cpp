// The kernel's own time: prepared messages, without reading anything back.
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>
#include <stdexcept>

#include "scenarios.hpp"

namespace vipd::bench {
namespace {

struct AddressMessage {
  nlmsghdr head{};
  ifaddrmsg address{};
  rtattr local_head{};
  std::array<std::uint8_t, 4> local{};
};

std::vector<AddressMessage> messages(std::uint16_t type, std::uint16_t flags, unsigned ifindex, int count) {
  std::vector<AddressMessage> all(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    AddressMessage& message = all[static_cast<std::size_t>(i)];
    message.head.nlmsg_len = sizeof message;
    message.head.nlmsg_type = type;
    message.head.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    message.address.ifa_family = AF_INET;
    message.address.ifa_prefixlen = 32;
    message.address.ifa_index = ifindex;
    message.local_head = {.rta_len = RTA_LENGTH(4), .rta_type = IFA_LOCAL};
    message.local = {10, 0, static_cast<std::uint8_t>(i / 250), static_cast<std::uint8_t>(1 + i % 250)};
  }
  return all;
}

/// Sends the messages; the kernel has done all the work when send(2) returns.
Duration hand_over(int fd, const std::vector<AddressMessage>& all) {
  constexpr std::size_t kBatch = 500;  // as many as a socket's buffer takes
  const auto began = std::chrono::steady_clock::now();
  for (std::size_t at = 0; at < all.size(); at += kBatch) {
    const std::size_t count = std::min(kBatch, all.size() - at);
    if (::send(fd, all.data() + at, count * sizeof(AddressMessage), 0) < 0) throw std::runtime_error("netlink send");
  }
  return std::chrono::steady_clock::now() - began;
}

Duration processor_time() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

constexpr int kVrrp = 112;
const in_addr kGroup{htonl(0xe0000012)};  // 224.0.0.18

Fd vrrp_socket(int option) {
  Fd fd(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, kVrrp));
  ip_mreqn group{.imr_multiaddr = kGroup, .imr_address = {}, .imr_ifindex = static_cast<int>(if_nametoindex("eth0"))};
  if (::setsockopt(fd.get(), IPPROTO_IP, option, &group, sizeof group) < 0) throw std::runtime_error("a raw socket");
  const int room = 32 << 20;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
  return fd;
}

/// A number of messages, each with a buffer of its own.
class Batch {
 public:
  explicit Batch(int size) : octets_(static_cast<std::size_t>(size)), pieces_(octets_.size()), calls_(octets_.size()) {
    to_.sin_family = AF_INET;
    to_.sin_addr = kGroup;
    for (std::size_t i = 0; i < octets_.size(); ++i) {
      octets_[i] = {0x31, static_cast<std::uint8_t>(i + 1), 254, 1, 0, 100, 0, 0, 192, 0, 2, 10};
      pieces_[i] = {octets_[i].data(), octets_[i].size()};
      calls_[i].msg_hdr.msg_iov = &pieces_[i];
      calls_[i].msg_hdr.msg_iovlen = 1;
    }
  }
  int send(int fd) {
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      pieces_[i].iov_len = 12;
      calls_[i].msg_hdr.msg_name = &to_;
      calls_[i].msg_hdr.msg_namelen = sizeof to_;
    }
    return ::sendmmsg(fd, calls_.data(), static_cast<unsigned>(calls_.size()), 0);
  }
  int receive(int fd) {
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      pieces_[i].iov_len = octets_[i].size();
      calls_[i].msg_hdr.msg_name = nullptr;
      calls_[i].msg_hdr.msg_namelen = 0;
    }
    return ::recvmmsg(fd, calls_.data(), static_cast<unsigned>(calls_.size()), MSG_DONTWAIT, nullptr);
  }

 private:
  std::vector<std::array<std::uint8_t, 64>> octets_;
  std::vector<iovec> pieces_;
  std::vector<mmsghdr> calls_;
  sockaddr_in to_{};
};

}  // namespace

AdvertFloor advert_floor(int at_a_time) {
  constexpr int kAdverts = 20'000;
  lab::Lab lab;
  const lab::Node &speaker = lab.add_node("speaker", 1), &listener = lab.add_node("listener", 2);
  Fd receiving, sending;
  {
    const lab::Inside inside(listener);
    receiving = vrrp_socket(IP_ADD_MEMBERSHIP);
  }
  {
    const lab::Inside inside(speaker);
    sending = vrrp_socket(IP_MULTICAST_IF);
  }
  Batch batch(at_a_time);
  int sent = 0, received = 0;
  const Duration before = processor_time();
  while (sent < kAdverts) sent += std::max(batch.send(sending.get()), 0);
  const Duration between = processor_time();
  for (int count = batch.receive(receiving.get()); count > 0; count = batch.receive(receiving.get())) received += count;
  const Duration after = processor_time();
  if (received == 0) throw std::runtime_error("no advert has arrived");
  return {.sending = (between - before) * 1000 / sent, .receiving = (after - between) * 1000 / received};
}

AddressFloor address_floor(int count) {
  lab::Lab lab;
  const lab::Node& node = lab.add_node("floor", 1);
  const lab::Inside inside(node);
  const Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  const unsigned ifindex = if_nametoindex("eth0");
  const Duration adding = hand_over(fd.get(), messages(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, ifindex, count));
  return {.adding = adding, .removing = hand_over(fd.get(), messages(RTM_DELADDR, 0, ifindex, count))};
}

}  // namespace vipd::bench
