#include "vipd/os/packet_batch.hpp"

#include <algorithm>
#include <cstring>

namespace vipd {
namespace {

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

}  // namespace

PacketBatch& PacketBatch::shared() {
  static PacketBatch batch;
  return batch;
}

void PacketBatch::make_ready(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    Slot& slot = slots_[i];
    slot.vec = {slot.octets.data(), slot.octets.size()};
    headers_[i] = {};
    headers_[i].msg_hdr.msg_name = &slot.sender;
    headers_[i].msg_hdr.msg_namelen = sizeof slot.sender;
    headers_[i].msg_hdr.msg_iov = &slot.vec;
    headers_[i].msg_hdr.msg_iovlen = 1;
    headers_[i].msg_hdr.msg_control = slot.control.data();
    headers_[i].msg_hdr.msg_controllen = slot.control.size();
  }
}

int PacketBatch::receive(int fd) {
  make_ready(used_);
  const int count = ::recvmmsg(fd, headers_.data(), kMost, MSG_DONTWAIT, nullptr);
  used_ = static_cast<std::size_t>(std::max(count, 0));
  return count;
}

Datagram PacketBatch::packet(int index, int ifindex, Family family, Duration now) const {
  const Slot& slot = slots_[static_cast<std::size_t>(index)];
  const mmsghdr& header = headers_[static_cast<std::size_t>(index)];
  Datagram datagram{.ifindex = ifindex,
                    .family = family,
                    .octets = std::span(slot.octets).first(header.msg_len),
                    .source = {},
                    .destination = {}};
  if (family == Family::ipv6) datagram.source = {Family::ipv6, std::span(slot.sender.sin6_addr.s6_addr, 16)};
  read_ancillary(header.msg_hdr, now, datagram);
  return datagram;
}

}  // namespace vipd
