/// RawWire: the Wire seam over raw(7) and packet(7) sockets.
///
/// One socket for each interface and family, bound to the interface, so the kernel sorts by interface; the group is
/// joined there if somebody wants it. A classic BPF filter passes the VRIDs that are configured and drops the rest
/// before it wakes the process: another pair's adverts, or CARP's, which share the protocol number, cost nothing here.
/// The price is that they are not counted. Adverts leave with TTL or hop limit 255 and DSCP CS6 (conformance A05, A11)
/// and are not looped back; those that are due together leave with one call. Announcements leave through one packet
/// socket that receives nothing.
///
/// What others announce of our addresses comes by two sockets for an interface while it is asked for: a packet socket
/// for ARP and a raw one for ICMPv6. Filters in the kernel pass what names one of our addresses, or of very many one
/// that lies between the least and the greatest. So the ARP of a busy segment wakes nobody, and other packets do not
/// pass these sockets at all. A flood is read a few dozen packets each ten milliseconds, and the kernel drops the rest.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "vipd/os/event_loop.hpp"
#include "vipd/os/fd.hpp"
#include "vipd/os/wire.hpp"

namespace vipd {

class RawWire final : public Wire {
 public:
  /// `received` is called from the loop for each packet of listen(), `overheard` for each of overhear(). Fails without
  /// CAP_NET_RAW.
  static Result<std::unique_ptr<RawWire>> open(EventLoop& loop, DatagramReceived received, DatagramReceived overheard);
  /// Without an event loop: sends only. For `vipd --last-will`.
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
  /// What others announce on an interface.
  struct Overhearing {
    Fd fd;
    EventLoop::Watch watch, rest;      // one of them is in effect
    std::vector<IpAddress> addresses;  // as the filter passes them
  };
  /// An advert that has not left yet.
  struct Waiting {
    int fd;
    IpAddress destination;
    sockaddr_in6 to;  // or an IPv4 one
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(in6_pktinfo))> control;
    socklen_t to_size;
    std::size_t control_size, begin, size;  // the message is a part of octets_
    Sent sent;
  };

  RawWire() = default;
  Result<Socket> open_socket(const Key& key);
  void receive(const Key& key);
  Result<Overhearing> open_overhearing(const Key& key, const std::vector<IpAddress>& addresses);
  void overhear_some(const Key& key);
  void send_waiting();

  EventLoop* loop_ = nullptr;
  DatagramReceived received_, overheard_;
  Fd packet_;
  std::map<Key, Socket> sockets_;
  std::map<Key, Overhearing> overhearing_;
  bool holds_ = false;
  std::vector<Waiting> waiting_;
  std::vector<std::uint8_t> octets_;
};

}  // namespace vipd
