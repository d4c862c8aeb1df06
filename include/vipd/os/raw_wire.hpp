/// RawWire: the Wire seam over raw(7) and packet(7) sockets.
///
/// There is one socket for each interface and family (os/advert_socket.hpp). The group is joined there on request. A
/// filter passes the configured VRIDs and drops other adverts before they wake the process (os/packet_filters.hpp).
/// Adverts of other routers, and of CARP, which shares the protocol number, cost nothing. The price is that they are
/// not counted.
///
/// Adverts that are due together leave in one call. Announcements leave through one packet socket that receives
/// nothing. Announcements of our addresses by other hosts come from Overhearing.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "vipd/os/event_loop.hpp"
#include "vipd/os/fd.hpp"
#include "vipd/os/overhearing.hpp"
#include "vipd/os/wire.hpp"

namespace vipd {

class RawWire final : public Wire {
 public:
  /// The loop calls `received` for each packet of listen(), and `overheard` for each packet of overhear(). Fails
  /// without CAP_NET_RAW.
  static Result<std::unique_ptr<RawWire>> open(EventLoop& loop, DatagramReceived received, DatagramReceived overheard);
  /// Opens a wire without an event loop, which only sends. For `vipd --last-will`.
  static Result<std::unique_ptr<RawWire>> open_for_sending();

  Result<TimePoint> listen(int ifindex, Family family, const std::bitset<256>& vrids, bool group) override;
  void leave(int ifindex, Family family) override;
  Result<std::set<std::pair<int, Family>>> memberships() const override;
  void send(int ifindex, const IpAddress& source, const IpAddress& destination, std::span<const std::uint8_t> message,
            Sent sent) override;
  void hold() override { holds_ = true; }
  void release() override;
  Result<void> announce(int ifindex, std::span<const std::uint8_t> frame) override;
  Result<void> overhear(const WatchedAddresses& addresses) override;

 private:
  struct Socket {
    Fd fd;
    EventLoop::Watch watch;
    bool in_group = false;
  };
  using Key = std::pair<int, Family>;
  /// An advert that has not left yet.
  struct Waiting {
    int fd;
    IpAddress destination;
    sockaddr_in6 to;  // the destination; for IPv4 it holds a sockaddr_in
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(in6_pktinfo))> control;
    socklen_t to_size;
    std::size_t control_size, begin, size;  // the message is octets_[begin, begin + size)
    Sent sent;
  };

  RawWire() = default;
  Result<Socket> open_socket(const Key& key);
  void receive(const Key& key);
  void send_waiting();

  EventLoop* loop_ = nullptr;
  DatagramReceived received_;
  Fd packet_;
  std::map<Key, Socket> sockets_;
  std::optional<Overhearing> overhearing_;  // none without an event loop
  bool holds_ = false;
  std::vector<Waiting> waiting_;
  std::vector<std::uint8_t> octets_;
};

}  // namespace vipd
