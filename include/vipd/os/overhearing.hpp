/// Overhearing: receives announcements of our addresses by other hosts.
///
/// For each interface there is a packet socket for ARP and a raw socket for ICMPv6, with a filter that passes packets
/// that name one of our addresses. So the ARP of a busy segment wakes nobody. A flood is read one batch at a time, with
/// a pause behind each, and the kernel drops the rest.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "vipd/os/event_loop.hpp"
#include "vipd/os/fd.hpp"
#include "vipd/os/wire.hpp"

namespace vipd {

class Overhearing {
 public:
  /// The loop calls `overheard` for each packet.
  Overhearing(EventLoop& loop, DatagramReceived overheard) : loop_(loop), overheard_(std::move(overheard)) {}

  /// See Wire::overhear(). Fails without CAP_NET_RAW.
  Result<void> listen_for(const WatchedAddresses& addresses);

 private:
  using Key = std::pair<int, Family>;
  /// The socket of an interface and a family.
  struct Source {
    Fd fd;
    EventLoop::Watch watch, rest;      // only one of the two watches is active at a time
    std::vector<IpAddress> addresses;  // the addresses that the filter passes
  };

  Result<Source> open(const Key& key, const std::vector<IpAddress>& addresses);
  void read_some(const Key& key);

  EventLoop& loop_;
  DatagramReceived overheard_;
  std::map<Key, Source> sources_;
};

}  // namespace vipd
