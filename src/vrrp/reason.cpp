#include "vipd/vrrp/reason.hpp"

namespace vipd {
namespace {

std::string describe(const Peer& peer) {
  return peer.address.to_string() + " (priority " + std::to_string(peer.priority) + ")";
}

std::string silence(const Reason& reason) {
  const std::string waited = format_duration(reason.waited);
  return reason.peer ? "no advert from " + describe(*reason.peer) + " for " + waited
                     : "no advert from anybody for " + waited;
}

}  // namespace

std::string_view to_string(State state) {
  switch (state) {
    case State::initialize:
      return "initialize";
    case State::backup:
      return "backup";
    case State::active:
      return "active";
  }
  return "?";
}

std::string to_string(const Reason& reason) {
  const std::string own = std::to_string(reason.priority);
  switch (reason.why) {
    case Why::started:
      return "started, listening with priority " + own;
    case Why::owner:
      return "owner of the addresses (priority 255)";
    case Why::silence:
      return silence(reason);
    case Why::preempted:
      return "preempted " + describe(*reason.peer) + ", ours is " + own;
    case Why::peer_resigned:
      return reason.peer->address.to_string() + " resigned (priority 0)";
    case Why::higher_priority:
      return "heard " + describe(*reason.peer) + ", ours is " + own;
    case Why::higher_address:
      return "heard " + describe(*reason.peer) + ", same priority and a greater address";
    case Why::group:
      return "gave up with its group" + (reason.peer ? ", which heard " + describe(*reason.peer) : "");
    case Why::stopped:
      return reason.peer ? "stopped; " + describe(*reason.peer) + " took over" : "stopped";
    case Why::fault:
      return "fault";
    case Why::stalled:
      return "did not run for " + format_duration(reason.waited) + ", longer than peers wait";
  }
  return "?";
}

}  // namespace vipd
