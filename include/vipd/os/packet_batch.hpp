/// PacketBatch: the buffers of one recvmmsg(2), and the packets in them.
///
/// It is made once and all sockets share it. Only the used buffers are made ready again: each has a page of its own,
/// and touching all of them cost a tenth of the time to hear a few packets.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>

#include "vipd/os/wire.hpp"

namespace vipd {

class PacketBatch {
 public:
  static constexpr std::size_t kMost = 32;  ///< packets

  /// The batch that all sockets share; it holds only the last packets received.
  static PacketBatch& shared();

  /// Receives what waits in a socket, up to kMost packets, and does not wait. Returns their number; negative if there
  /// are none.
  int receive(int fd);
  /// Packet `index` of those that were received. `now` is the present by the clock of the kernel's time stamps. The
  /// octets are valid until the next receive().
  Datagram packet(int index, int ifindex, Family family, Duration now) const;

 private:
  static constexpr std::size_t kLongestPacket = 60 + 8 + 255 * 16;

  struct Slot {
    std::array<std::uint8_t, kLongestPacket> octets;
    alignas(cmsghdr) std::array<char, 128> control;
    sockaddr_in6 sender;
    iovec vec;
  };

  PacketBatch() { make_ready(kMost); }
  void make_ready(std::size_t count);

  std::array<Slot, kMost> slots_;
  std::array<mmsghdr, kMost> headers_;
  std::size_t used_ = 0;
};

}  // namespace vipd
