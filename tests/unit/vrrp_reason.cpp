#include <string>

#include "support/catch.hpp"
#include "vipd/vrrp/election.hpp"

namespace vipd {
namespace {

using namespace std::chrono_literals;

const Peer kPeer{IpAddress::parse("192.0.2.2").value(), 254};

std::string sentence(Why why, std::optional<Peer> peer = std::nullopt, Duration waited = 0s) {
  return to_string(Reason{.why = why, .peer = peer, .priority = 100, .waited = waited});
}

}  // namespace

TEST_CASE("Reason: a sentence for what nobody else decided") {
  CHECK(sentence(Why::started) == "started, listening with priority 100");
  CHECK(sentence(Why::owner) == "owner of the addresses (priority 255)");
  CHECK(sentence(Why::stopped) == "stopped");
  CHECK(sentence(Why::fault) == "fault");
  CHECK(sentence(Why::stalled, std::nullopt, 10s) == "did not run for 10s, longer than peers wait");
  CHECK(sentence(Why::group) == "gave up with its group");
}

TEST_CASE("Reason: silence says of whom and for how long") {
  CHECK(sentence(Why::silence, kPeer, 3'008ms) == "no advert from 192.0.2.2 (priority 254) for 3.008s");
  CHECK(sentence(Why::silence, std::nullopt, 3'609'375us) == "no advert from anybody for 3.609s");
}

TEST_CASE("Reason: a sentence for what a peer decided") {
  CHECK(sentence(Why::preempted, Peer{kPeer.address, 99}) == "preempted 192.0.2.2 (priority 99), ours is 100");
  CHECK(sentence(Why::peer_resigned, kPeer) == "192.0.2.2 resigned (priority 0)");
  CHECK(sentence(Why::higher_priority, kPeer) == "heard 192.0.2.2 (priority 254), ours is 100");
  CHECK(sentence(Why::higher_address, Peer{kPeer.address, 100}) ==
        "heard 192.0.2.2 (priority 100), same priority and a greater address");
  CHECK(sentence(Why::group, kPeer) == "gave up with its group, which heard 192.0.2.2 (priority 254)");
  CHECK(sentence(Why::stopped, kPeer) == "stopped; 192.0.2.2 (priority 254) took over");
}

TEST_CASE("Reason: states have the names of the status") {
  CHECK(to_string(State::initialize) == "initialize");
  CHECK(to_string(State::backup) == "backup");
  CHECK(to_string(State::active) == "active");
}

}  // namespace vipd
