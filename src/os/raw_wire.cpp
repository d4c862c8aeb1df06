#include "vipd/os/raw_wire.hpp"

#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "vipd/os/advert_socket.hpp"
#include "vipd/os/memberships.hpp"
#include "vipd/os/packet_batch.hpp"
#include "vipd/os/packet_filters.hpp"
#include "vipd/os/socket_options.hpp"

namespace vipd {
namespace {

constexpr std::size_t kBatchesPerTurn = 8;  // then the deadline has its chance; the other packets wait in the socket
constexpr std::size_t kMostWaiting = 64;

/// The present time, by the clock of the kernel's time stamps.
Duration stamp_now() { return std::chrono::system_clock::now().time_since_epoch(); }

/// Writes the ancillary data of one message, IP_PKTINFO or IPV6_PKTINFO, and returns its size.
template <typename Info>
std::size_t put_control(std::span<char> into, int level, int type, const Info& info) {
  auto* const c = reinterpret_cast<cmsghdr*>(into.data());
  *c = {.cmsg_len = CMSG_LEN(sizeof info), .cmsg_level = level, .cmsg_type = type};
  std::memcpy(CMSG_DATA(c), &info, sizeof info);
  return CMSG_SPACE(sizeof info);
}

std::size_t put_source_ipv4(std::span<char> into, int ifindex, const IpAddress& source) {
  in_pktinfo info{};
  info.ipi_ifindex = ifindex;
  std::memcpy(&info.ipi_spec_dst, source.octets().data(), 4);
  return put_control(into, IPPROTO_IP, IP_PKTINFO, info);
}

std::size_t put_source_ipv6(std::span<char> into, int ifindex, const IpAddress& source) {
  in6_pktinfo info{};
  info.ipi6_ifindex = static_cast<unsigned>(ifindex);
  std::memcpy(&info.ipi6_addr, source.octets().data(), 16);
  return put_control(into, IPPROTO_IPV6, IPV6_PKTINFO, info);
}

/// Writes the socket address of the destination and returns its size.
socklen_t put_destination(sockaddr_in6& into, int ifindex, const IpAddress& destination) {
  if (destination.family() == Family::ipv6) {
    into.sin6_family = AF_INET6;
    into.sin6_scope_id = static_cast<unsigned>(ifindex);
    std::memcpy(&into.sin6_addr, destination.octets().data(), 16);
    return sizeof into;
  }
  sockaddr_in to{};
  to.sin_family = AF_INET;
  std::memcpy(&to.sin_addr, destination.octets().data(), 4);
  std::memcpy(&into, &to, sizeof to);
  return sizeof to;
}

}  // namespace

Result<std::unique_ptr<RawWire>> RawWire::open_for_sending() {
  std::unique_ptr<RawWire> wire(new RawWire);
  wire->packet_ = Fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));  // protocol 0: receives nothing
  if (!wire->packet_) return system_failure("cannot open a packet socket (CAP_NET_RAW is needed)", errno);
  const auto urgent = set_option(wire->packet_, SOL_SOCKET, SO_PRIORITY, kControlPriority, "SO_PRIORITY");
  if (!urgent) return std::unexpected(urgent.error());
  return wire;
}

Result<std::unique_ptr<RawWire>> RawWire::open(EventLoop& loop, DatagramReceived received, DatagramReceived overheard) {
  auto wire = open_for_sending();
  if (!wire) return wire;
  (*wire)->loop_ = &loop;
  (*wire)->received_ = std::move(received);
  (*wire)->overhearing_.emplace(loop, std::move(overheard));
  return wire;
}

Result<RawWire::Socket> RawWire::open_socket(const Key& key) {
  auto fd = open_advert_socket(key.first, key.second);
  if (!fd) return std::unexpected(fd.error());
  Socket socket{.fd = std::move(*fd), .watch = {}};
  if (loop_ == nullptr) return socket;
  auto watch = loop_->watch(socket.fd.get(), EPOLLIN, Urgency::network, [this, key] { receive(key); });
  if (!watch) return std::unexpected(watch.error());
  socket.watch = std::move(*watch);
  return socket;
}

Result<TimePoint> RawWire::listen(int ifindex, Family family, const std::bitset<256>& vrids, bool group) {
  const Key key{ifindex, family};
  auto it = sockets_.find(key);
  if (it == sockets_.end()) {
    auto socket = open_socket(key);
    if (!socket) return std::unexpected(socket.error());
    it = sockets_.emplace(key, std::move(*socket)).first;
  }
  Socket& socket = it->second;
  if (group != socket.in_group) {
    const auto changed = group ? join_group(socket.fd, ifindex, family) : leave_group(socket.fd, ifindex, family);
    if (!changed) return std::unexpected(changed.error());
    socket.in_group = group;
  }
  const auto attached = attach(socket.fd, pass_vrids(family, vrids));
  if (!attached) return std::unexpected(attached.error());
  return boot_time();
}

void RawWire::leave(int ifindex, Family family) {
  send_waiting();
  sockets_.erase({ifindex, family});
}

/// Reads one file for each family, however many sockets there are.
Result<std::set<std::pair<int, Family>>> RawWire::memberships() const {
  std::set<std::pair<int, Family>> joined, confirmed;
  for (const auto& [key, socket] : sockets_)
    if (socket.in_group) joined.insert(key);
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    const auto is_ours = [&](const Key& key) { return key.second == family; };
    if (std::ranges::none_of(joined, is_ours)) continue;
    const auto members = members_now(family);
    if (!members) return std::unexpected(members.error());
    for (const Key& key : joined)
      if (is_ours(key) && members->contains(key.first)) confirmed.insert(key);
  }
  return confirmed;
}

void RawWire::send(int ifindex, const IpAddress& source, const IpAddress& destination,
                   std::span<const std::uint8_t> message, Sent sent) {
  const auto it = sockets_.find({ifindex, source.family()});
  if (it == sockets_.end()) return sent(failure("no socket on this interface"));
  Waiting& waiting = waiting_.emplace_back();
  waiting.fd = it->second.fd.get();
  waiting.destination = destination;
  waiting.to_size = put_destination(waiting.to, ifindex, destination);
  waiting.control_size = source.family() == Family::ipv4 ? put_source_ipv4(waiting.control, ifindex, source)
                                                         : put_source_ipv6(waiting.control, ifindex, source);
  waiting.begin = octets_.size();
  waiting.size = message.size();
  waiting.sent = std::move(sent);
  octets_.insert(octets_.end(), message.begin(), message.end());
  if (!holds_ || waiting_.size() == kMostWaiting) send_waiting();
}

void RawWire::release() {
  send_waiting();
  holds_ = false;
}

/// Sends the messages of one socket in one call; each message that the kernel refuses costs one more call.
void RawWire::send_waiting() {
  std::array<iovec, kMostWaiting> pieces;
  std::array<mmsghdr, kMostWaiting> headers;
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    Waiting& each = waiting_[i];
    pieces[i] = {octets_.data() + each.begin, each.size};
    headers[i] = {};
    headers[i].msg_hdr.msg_name = &each.to;
    headers[i].msg_hdr.msg_namelen = each.to_size;
    headers[i].msg_hdr.msg_iov = &pieces[i];
    headers[i].msg_hdr.msg_iovlen = 1;
    headers[i].msg_hdr.msg_control = each.control.data();
    headers[i].msg_hdr.msg_controllen = each.control_size;
  }
  for (std::size_t at = 0; at < waiting_.size();) {
    const int fd = waiting_[at].fd;
    std::size_t end = at + 1;
    while (end < waiting_.size() && waiting_[end].fd == fd) ++end;
    const int count = ::sendmmsg(fd, &headers[at], static_cast<unsigned>(end - at), MSG_DONTWAIT);
    if (count < 0) {
      const Waiting& refused = waiting_[at++];
      refused.sent(system_failure("cannot send an advert to " + refused.destination.to_string(), errno));
    }
    for (int i = 0; i < count; ++i) waiting_[at++].sent({});
  }
  waiting_.clear();
  octets_.clear();
}

Result<void> RawWire::announce(int ifindex, std::span<const std::uint8_t> frame) {
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_ifindex = ifindex;
  to.sll_halen = 6;
  std::copy_n(frame.begin(), 6, to.sll_addr);
  if (::sendto(packet_.get(), frame.data(), frame.size(), MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&to), sizeof to) <
      0)
    return system_failure("cannot send an announcement", errno);
  return {};
}

void RawWire::receive(const Key& key) {
  PacketBatch& batch = PacketBatch::shared();
  const Duration now = stamp_now() - (boot_time() - loop_->now());  // the moment at which this turn began
  for (std::size_t round = 0; round < kBatchesPerTurn; ++round) {
    const auto it = sockets_.find(key);  // a handler may have called leave()
    if (it == sockets_.end()) return;
    const int count = batch.receive(it->second.fd.get());
    for (int i = 0; i < count; ++i) received_(batch.packet(i, key.first, key.second, now));
    if (count < static_cast<int>(PacketBatch::kMost)) return;
  }
}

Result<void> RawWire::overhear(const WatchedAddresses& addresses) {
  return overhearing_ ? overhearing_->listen_for(addresses) : Result<void>();
}

}  // namespace vipd
