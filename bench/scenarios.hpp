/// The scenarios: each runs both programs in turn, round after round, in fresh namespaces, and returns its figures.
#pragma once

#include <vector>

#include "rig.hpp"

namespace vipd::bench {

/// A server dies: from the last advert on, beyond the time that RFC 9568 gives.
std::vector<Figure> failover(int rounds);
/// A server is stopped, and comes back with the higher priority: what a client loses.
std::vector<Figure> planned(int rounds);
/// 1, 50 and 255 instances: processor time and memory.
std::vector<Figure> instances(int rounds);
/// 1, 20, 1000 and 5000 addresses: taking over and letting go.
std::vector<Figure> addresses(int rounds);

/// How long the kernel takes to add so many addresses to an interface that are handed to it in one batch, and to
/// remove them.
struct AddressFloor {
  Duration adding, removing;
};
AddressFloor address_floor(int count);

/// Processor time for 1000 adverts that are sent and received so many at a time, by sendmmsg(2) and recvmmsg(2).
struct AdvertFloor {
  Duration sending, receiving;
};
AdvertFloor advert_floor(int at_a_time);

/// When an address came (`added`) to a node or left it, first at or after `since`; throws if it has not.
lab::WallTime moment_of(const lab::AddressMonitor& monitor, bool added, const std::string& address,
                        lab::WallTime since);

/// Runs `round` for each program in turn, `rounds` times: vipd, keepalived, vipd, …
void in_turn(int rounds, const std::function<void(Program)>& round);
inline Samples& of(Figure& figure, Program program) {
  return program == Program::vipd ? figure.vipd : figure.keepalived;
}

}  // namespace vipd::bench
