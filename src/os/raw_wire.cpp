#include "vipd/os/raw_wire.hpp"

#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <vector>

#include "vipd/os/memberships.hpp"

namespace vipd {
namespace {

constexpr std::size_t kPacketsPerBatch = 32;
constexpr std::size_t kBatchesPerTurn = 8;  // then the deadline has its chance; the other packets wait in the socket
constexpr std::size_t kLongestPacket = 60 + 8 + 255 * 16;
constexpr std::size_t kMostWaiting = 64;
constexpr int kReceiveBuffer = 1 << 20;  // octets; holds adverts of all 255 routers of a segment at once
constexpr int kControlPriority = 7;      // TC_PRIO_CONTROL
/// The pause between two reads of overheard announcements; each read takes one batch.
constexpr auto kOverhearGap = std::chrono::milliseconds(2);
/// Above this number of addresses the filter tests a range. A filter has 4096 instructions at most (BPF_MAXINSNS), and
/// an address takes two.
constexpr std::size_t kMostAddressesByName = 1000;

template <typename Value>
Result<void> set_option(const Fd& fd, int level, int name, const Value& value, const char* what) {
  if (::setsockopt(fd.get(), level, name, &value, sizeof value) < 0)
    return system_failure(std::string("cannot set socket option ") + what, errno);
  return {};
}

Result<void> all_of(std::initializer_list<Result<void>> results) {
  for (const auto& result : results)
    if (!result) return result;
  return {};
}

ip_mreqn ipv4_group(int ifindex) {
  ip_mreqn group{};
  std::memcpy(&group.imr_multiaddr, vrrp_group(Family::ipv4).octets().data(), 4);
  group.imr_ifindex = ifindex;
  return group;
}

ipv6_mreq ipv6_group(int ifindex) {
  ipv6_mreq group{};
  std::memcpy(&group.ipv6mr_multiaddr, vrrp_group(Family::ipv6).octets().data(), 16);
  group.ipv6mr_interface = static_cast<unsigned>(ifindex);
  return group;
}

Result<void> join(const Fd& fd, int ifindex, Family family) {
  if (family == Family::ipv4)
    return set_option(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, ipv4_group(ifindex), "IP_ADD_MEMBERSHIP");
  return set_option(fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, ipv6_group(ifindex), "IPV6_ADD_MEMBERSHIP");
}

Result<void> leave_group(const Fd& fd, int ifindex, Family family) {
  if (family == Family::ipv4)
    return set_option(fd, IPPROTO_IP, IP_DROP_MEMBERSHIP, ipv4_group(ifindex), "IP_DROP_MEMBERSHIP");
  return set_option(fd, IPPROTO_IPV6, IPV6_DROP_MEMBERSHIP, ipv6_group(ifindex), "IPV6_DROP_MEMBERSHIP");
}

Result<void> prepare_ipv4(const Fd& fd, int ifindex) {
  const ip_mreqn group = ipv4_group(ifindex);
  return all_of({set_option(fd, IPPROTO_IP, IP_MULTICAST_TTL, 255, "IP_MULTICAST_TTL"),
                 set_option(fd, IPPROTO_IP, IP_TTL, 255, "IP_TTL"),
                 set_option(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0, "IP_MULTICAST_LOOP"),
                 set_option(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0, "IP_MULTICAST_ALL"),
                 set_option(fd, IPPROTO_IP, IP_TOS, int{IPTOS_PREC_INTERNETCONTROL}, "IP_TOS"),
                 set_option(fd, IPPROTO_IP, IP_MULTICAST_IF, group, "IP_MULTICAST_IF")});
}

Result<void> prepare_ipv6(const Fd& fd, int ifindex) {
  return all_of({set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 255, "IPV6_MULTICAST_HOPS"),
                 set_option(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 255, "IPV6_UNICAST_HOPS"),
                 set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0, "IPV6_MULTICAST_LOOP"),
                 set_option(fd, IPPROTO_IPV6, IPV6_TCLASS, int{IPTOS_PREC_INTERNETCONTROL}, "IPV6_TCLASS"),
                 set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, "IPV6_RECVPKTINFO"),
                 set_option(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1, "IPV6_RECVHOPLIMIT"),
                 set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, ifindex, "IPV6_MULTICAST_IF")});
}

Result<void> attach(const Fd& fd, std::vector<sock_filter>& program) {
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  return set_option(fd, SOL_SOCKET, SO_ATTACH_FILTER, filter, "SO_ATTACH_FILTER");
}

std::vector<sock_filter> drop_everything() { return {BPF_STMT(BPF_RET | BPF_K, 0)}; }

/// A filter that passes packets whose second VRRP octet, the VRID, is in the set. A raw IPv4 socket's filter sees the
/// IP header first; a raw IPv6 socket's filter sees only the message.
std::vector<sock_filter> pass_vrids(Family family, const std::bitset<256>& vrids) {
  std::vector<sock_filter> program;
  if (family == Family::ipv4) {
    program.push_back(BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0));  // X = IP header length
    program.push_back(BPF_STMT(BPF_LD | BPF_B | BPF_IND, 1));
  } else {
    program.push_back(BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 1));
  }
  for (unsigned vrid = 1; vrid < 256; ++vrid) {
    if (!vrids[vrid]) continue;
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, vrid, 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, 0xffffffff));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, 0));
  return program;
}

/// The last four octets of an address, as a filter loads them.
std::uint32_t last_word(const IpAddress& address) {
  const auto octets = address.octets().last(4);
  return std::uint32_t{octets[0]} << 24 | std::uint32_t{octets[1]} << 16 | std::uint32_t{octets[2]} << 8 | octets[3];
}

/// Appends: pass if the accumulator holds the last four octets of one of the addresses.
void pass_addresses(std::vector<sock_filter>& program, const std::vector<IpAddress>& addresses) {
  if (addresses.size() > kMostAddressesByName) {
    const auto [least, greatest] = std::ranges::minmax(addresses, {}, last_word);
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, last_word(least), 0, 2));
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, last_word(greatest), 1, 0));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, 0xffffffff));
  } else {
    for (const IpAddress& address : addresses) {
      program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, last_word(address), 0, 1));
      program.push_back(BPF_STMT(BPF_RET | BPF_K, 0xffffffff));
    }
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, 0));
}

/// Appends: drop the packet unless the loaded value is `value`.
void require(std::vector<sock_filter>& program, std::uint32_t value) {
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0));
  program.push_back(BPF_STMT(BPF_RET | BPF_K, 0));
}

/// A filter for ARP over IPv4 whose sender has one of the addresses. Frames for other machines (PACKET_OTHERHOST), as a
/// hub brings them, are dropped: this machine does not learn from them.
std::vector<sock_filter> pass_arp(const std::vector<IpAddress>& addresses) {
  constexpr auto kPacketType = static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_PKTTYPE);
  std::vector<sock_filter> program = {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kPacketType),
                                      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, PACKET_MULTICAST, 0, 1),
                                      BPF_STMT(BPF_RET | BPF_K, 0)};
  program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 14));
  require(program, 0x00010800);  // Ethernet, IPv4
  program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 28));
  pass_addresses(program, addresses);
  return program;
}

/// A filter for neighbour advertisements of one of the addresses, or of an address with the same last four octets.
std::vector<sock_filter> pass_advertisements(const std::vector<IpAddress>& addresses) {
  std::vector<sock_filter> program = {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0)};
  require(program, ND_NEIGHBOR_ADVERT);
  program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 20));
  pass_addresses(program, addresses);
  return program;
}

std::vector<sock_filter> pass_announcements(Family family, const std::vector<IpAddress>& addresses) {
  return family == Family::ipv4 ? pass_arp(addresses) : pass_advertisements(addresses);
}

/// Opens a packet socket for ARP; its filter passes nothing until the socket is bound.
Result<Fd> open_for_arp(int ifindex) {
  Fd fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return system_failure("cannot open a packet socket (CAP_NET_RAW is needed)", errno);
  auto nothing = drop_everything();
  if (const auto attached = attach(fd, nothing); !attached) return std::unexpected(attached.error());
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_protocol = htons(ETH_P_ARP);
  to.sll_ifindex = ifindex;
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) < 0)
    return system_failure("cannot bind a packet socket", errno);
  return fd;
}

Result<Fd> open_for_advertisements(int ifindex) {
  Fd fd(::socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6));
  if (!fd) return system_failure("cannot open a raw socket (CAP_NET_RAW is needed)", errno);
  auto nothing = drop_everything();
  icmp6_filter kinds;
  ICMP6_FILTER_SETBLOCKALL(&kinds);
  ICMP6_FILTER_SETPASS(ND_NEIGHBOR_ADVERT, &kinds);
  const auto prepared =
      all_of({attach(fd, nothing), set_option(fd, IPPROTO_ICMPV6, ICMP6_FILTER, kinds, "ICMP6_FILTER"),
              set_option(fd, SOL_SOCKET, SO_BINDTOIFINDEX, ifindex, "SO_BINDTOIFINDEX"),
              set_option(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1, "IPV6_RECVHOPLIMIT")});
  if (!prepared) return std::unexpected(prepared.error());
  return fd;
}

/// The present time, by the clock of the kernel's time stamps.
Duration stamp_now() { return std::chrono::system_clock::now().time_since_epoch(); }

/// Reads the ancillary data: the time of arrival, and for IPv6 also destination and hop limit (RFC 3542 6).
void read_ancillary(const msghdr& header, Duration now, Datagram& datagram) {
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(const_cast<msghdr*>(&header), c)) {
    if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
      timespec stamp{};
      std::memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
      const Duration arrived = std::chrono::seconds(stamp.tv_sec) + std::chrono::nanoseconds(stamp.tv_nsec);
      datagram.age = std::max(now - arrived, Duration::zero());  // the clock may have been set meanwhile
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(c), sizeof info);
      datagram.destination = {Family::ipv6, std::span(info.ipi6_addr.s6_addr, 16)};
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT) {
      std::memcpy(&datagram.hop_limit, CMSG_DATA(c), sizeof datagram.hop_limit);
    }
  }
}

/// The buffers of one recvmmsg(2), made once. Only the used ones are made ready again. Each has a page of its own, and
/// touching all of them cost a tenth of the time to hear a few packets.
class Batch {
 public:
  struct Slot {
    std::array<std::uint8_t, kLongestPacket> octets;
    alignas(cmsghdr) std::array<char, 128> control;
    sockaddr_in6 sender;
    iovec vec;
  };

  Batch() { make_ready(kPacketsPerBatch); }

  int receive(int fd) {
    make_ready(used_);
    const int count = ::recvmmsg(fd, headers.data(), kPacketsPerBatch, MSG_DONTWAIT, nullptr);
    used_ = static_cast<std::size_t>(std::max(count, 0));
    return count;
  }

  std::array<Slot, kPacketsPerBatch> slots;
  std::array<mmsghdr, kPacketsPerBatch> headers;

 private:
  void make_ready(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      Slot& slot = slots[i];
      slot.vec = {slot.octets.data(), slot.octets.size()};
      headers[i] = {};
      headers[i].msg_hdr.msg_name = &slot.sender;
      headers[i].msg_hdr.msg_namelen = sizeof slot.sender;
      headers[i].msg_hdr.msg_iov = &slot.vec;
      headers[i].msg_hdr.msg_iovlen = 1;
      headers[i].msg_hdr.msg_control = slot.control.data();
      headers[i].msg_hdr.msg_controllen = slot.control.size();
    }
  }

  std::size_t used_ = 0;
};

/// The batch that all sockets share; it holds only the last packets received.
Batch& shared_batch() {
  static Batch batch;
  return batch;
}

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
  (*wire)->overheard_ = std::move(overheard);
  return wire;
}

Result<RawWire::Socket> RawWire::open_socket(const Key& key) {
  const auto [ifindex, family] = key;
  Socket socket;
  socket.fd =
      Fd(::socket(family == Family::ipv4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, kVrrpProtocol));
  if (!socket.fd) return system_failure("cannot open a raw socket (CAP_NET_RAW is needed)", errno);
  auto nothing = drop_everything();  // until the socket is bound, it would receive from every interface
  const auto prepared = all_of(
      {attach(socket.fd, nothing), set_option(socket.fd, SOL_SOCKET, SO_BINDTOIFINDEX, ifindex, "SO_BINDTOIFINDEX"),
       family == Family::ipv4 ? prepare_ipv4(socket.fd, ifindex) : prepare_ipv6(socket.fd, ifindex),
       set_option(socket.fd, SOL_SOCKET, SO_PRIORITY, kControlPriority, "SO_PRIORITY"),
       set_option(socket.fd, SOL_SOCKET, SO_TIMESTAMPNS, 1, "SO_TIMESTAMPNS")});
  if (!prepared) return std::unexpected(prepared.error());
  ::setsockopt(socket.fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof kReceiveBuffer);
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
    const auto changed = group ? join(socket.fd, ifindex, family) : leave_group(socket.fd, ifindex, family);
    if (!changed) return std::unexpected(changed.error());
    socket.in_group = group;
  }
  auto filter = pass_vrids(family, vrids);
  const auto attached = attach(socket.fd, filter);
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
  Batch& batch = shared_batch();
  const Duration now = stamp_now() - (boot_time() - loop_->now());  // the moment at which this turn began
  for (std::size_t round = 0; round < kBatchesPerTurn; ++round) {
    const auto it = sockets_.find(key);  // a handler may have called leave()
    if (it == sockets_.end()) return;
    const int count = batch.receive(it->second.fd.get());
    for (int i = 0; i < count; ++i) {
      const mmsghdr& header = batch.headers[static_cast<std::size_t>(i)];
      const Batch::Slot& slot = batch.slots[static_cast<std::size_t>(i)];
      Datagram datagram{.ifindex = key.first,
                        .family = key.second,
                        .octets = std::span(slot.octets).first(header.msg_len),
                        .source = {},
                        .destination = {}};
      if (key.second == Family::ipv6) datagram.source = {Family::ipv6, std::span(slot.sender.sin6_addr.s6_addr, 16)};
      read_ancillary(header.msg_hdr, now, datagram);
      received_(datagram);
    }
    if (count < static_cast<int>(kPacketsPerBatch)) return;
  }
}

Result<RawWire::Overhearing> RawWire::open_overhearing(const Key& key, const std::vector<IpAddress>& addresses) {
  const auto [ifindex, family] = key;
  auto fd = family == Family::ipv4 ? open_for_arp(ifindex) : open_for_advertisements(ifindex);
  if (!fd) return std::unexpected(fd.error());
  auto filter = pass_announcements(family, addresses);
  if (const auto attached = attach(*fd, filter); !attached) return std::unexpected(attached.error());
  auto watch = loop_->watch(fd->get(), EPOLLIN, Urgency::rest, [this, key] { overhear_some(key); });
  if (!watch) return std::unexpected(watch.error());
  return Overhearing{.fd = std::move(*fd), .watch = std::move(*watch), .rest = {}, .addresses = addresses};
}

Result<void> RawWire::overhear(const WatchedAddresses& addresses) {
  std::erase_if(overhearing_, [&](const auto& each) { return !addresses.contains(each.first); });
  for (const auto& [key, wanted] : addresses) {
    const auto known = overhearing_.find(key);
    if (known == overhearing_.end()) {
      auto opened = open_overhearing(key, wanted);
      if (!opened) return std::unexpected(opened.error());
      overhearing_.emplace(key, std::move(*opened));
    } else if (known->second.addresses != wanted) {
      auto filter = pass_announcements(key.second, wanted);
      if (const auto attached = attach(known->second.fd, filter); !attached) return attached;
      known->second.addresses = wanted;
    }
  }
  return {};
}

/// Reads one batch, and pauses.
void RawWire::overhear_some(const Key& key) {
  Batch& batch = shared_batch();
  Overhearing& from = overhearing_.at(key);
  const int count = batch.receive(from.fd.get());
  for (int i = 0; i < count; ++i) {
    const mmsghdr& header = batch.headers[static_cast<std::size_t>(i)];
    const Batch::Slot& slot = batch.slots[static_cast<std::size_t>(i)];
    Datagram datagram{.ifindex = key.first,
                      .family = key.second,
                      .octets = std::span(slot.octets).first(header.msg_len),
                      .source = {},
                      .destination = {}};
    read_ancillary(header.msg_hdr, Duration::zero(), datagram);
    overheard_(datagram);
  }
  auto rest = loop_->after(kOverhearGap, [this, key] {
    if (const auto it = overhearing_.find(key); it != overhearing_.end()) loop_->rewatch(it->second.watch, EPOLLIN);
  });
  if (!rest) return;
  loop_->rewatch(from.watch, 0);
  from.rest = std::move(*rest);
}

}  // namespace vipd
