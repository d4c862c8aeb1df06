// A refused packet changes a counter and nothing else (conformance B18): the whole daemon layer, in each state.
#include <algorithm>
#include <random>

#include "support/catch.hpp"
#include "support/ipv6_packet.hpp"
#include "support/vectors.hpp"
#include "vipd/daemon/status.hpp"
#include "vipd/sim/world.hpp"

using namespace vipd;
using namespace vipd::sim;
using vipd::testing::Octets;
using vipd::testing::Vector;

namespace {

/// The status of a node without its counters of refusals, its next deadline, and the numbers of its packets and hooks.
std::string snapshot(const World& world, const Node& node) {
  const Clocks clocks{.monotonic = world.now, .wall = {}};
  auto status = status_document(*node.supervisor, {}, {.host = "n", .started = {}, .pid = 1}, clocks);
  auto& instance = status["instances"][0];
  instance["counters"].erase("adverts_refused");
  instance.erase("last_unknown_source");
  return status.dump() + std::to_string(node.supervisor->deadline().time_since_epoch().count()) + " " +
         std::to_string(world.adverts.size()) + " " + std::to_string(node.wire.announced.size()) + " " +
         std::to_string(node.runner->started.size());
}

std::uint64_t refusals(const Node& node) {
  std::uint64_t sum = 0;
  for (const auto& [kind, count] : node.router().counters().adverts_refused) sum += count;
  return sum;
}

/// The packet as the wire delivers it; nullopt for an IPv6 header that the kernel would not have let through.
std::optional<Datagram> arrival(std::span<const std::uint8_t> octets, Family family) {
  Datagram datagram{.ifindex = 2, .family = family, .octets = octets, .source = {}, .destination = {}};
  if (family == Family::ipv4) return datagram;
  const auto packet = testing::parse_ipv6(octets);
  if (!packet) return std::nullopt;
  datagram.octets = packet->payload;
  datagram.source = packet->source;
  datagram.destination = packet->destination;
  datagram.hop_limit = packet->hop_limit;
  return datagram;
}

/// A receiver as the vector describes it, in the state that it reaches after `lead`.
struct Bench {
  Bench(const Vector& vector, Duration lead, bool stopping) : world(1) {
    const auto rules = vector.rules(ChecksumPolicy::automatic);
    world.add_node(100, [&](InstanceConfig& instance) {
      instance.vrid = rules.vrid;
      instance.version = rules.version;
      instance.advert_interval = vector.interval;
      instance.peers = vector.peers;
      instance.source = vector.peers.empty() ? std::nullopt : std::optional(vector.local);
      if (vector.password) instance.auth_legacy = std::string(vector.password->begin(), vector.password->end()).c_str();
      if (rules.family == Family::ipv6) instance.addresses = {{{.prefix = {*IpAddress::parse("fe80::10"), 64}}}};
    });
    Node& node = *world.nodes[0];
    auto& addresses = node.kernel.real()->addresses;
    addresses.clear();  // the usual addresses are senders of some vectors
    if (vector.own_sources.empty() && vector.peers.empty())
      for (const char* own : {"192.0.2.250", "fe80::fa"}) addresses[{*IpAddress::parse(own), 24}] = {};
    for (const auto& own : vector.own_sources) addresses[{own, 24}] = {};
    if (!vector.peers.empty()) addresses[{vector.local, 24}] = {};
    node.start();
    world.run_for(lead);
    if (stopping) node.stop();
    world.run_for(milliseconds(20));
  }

  Node& node() { return *world.nodes[0]; }
  /// True if the packet was refused; checks that it has changed nothing then.
  bool refuses(const Datagram& datagram) {
    const std::string before = snapshot(world, node());
    const std::uint64_t refused = refusals(node());
    node().supervisor->received(datagram, world.now);
    if (node().router().counters().adverts_received > 0) return false;
    CHECK(snapshot(world, node()) == before);
    CHECK(refusals(node()) <= refused + 1);
    return true;
  }

  World world;
};

struct Moment {
  Duration lead;
  bool stopping;
};

/// Moments in Backup, in Active, and in Active while resigning, for intervals of 10 s at most.
constexpr Moment kMoments[] = {{milliseconds(100), false}, {seconds(41), false}, {seconds(41), true}};

}  // namespace

TEST_CASE("refused: no invalid golden packet changes anything but a counter", "[B18+][B18-][B22+]") {
  int refused = 0;
  for (const Vector& vector : testing::load_own_vectors()) {
    if (vector.expect.at(ChecksumPolicy::automatic) == "accept") continue;
    const auto datagram = arrival(vector.datagram, vector.family);
    if (!datagram) continue;
    for (const auto& [lead, stopping] : kMoments) {
      INFO("vector " << vector.name << " after " << format_duration(lead));
      Bench bench(vector, lead, stopping);
      CHECK(bench.refuses(*datagram));
      ++refused;
    }
  }
  CHECK(refused >= 3 * 50);
}

TEST_CASE("refused: no damaged golden packet changes anything but a counter", "[B18+][B18-]") {
  const std::uint64_t seed = seed_from_environment(std::random_device{}());
  INFO("VIPD_SEED=" << seed);
  std::mt19937_64 random(seed);
  const auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  int refused = 0;
  for (const Vector& vector : testing::load_own_vectors()) {
    if (vector.datagram.size() < 28) continue;
    Bench bench(vector, kMoments[below(2)].lead, false);
    for (int round = 0; round < 20; ++round) {
      Octets octets = vector.datagram;
      for (std::size_t flips = 1 + below(4); flips > 0; --flips)
        octets[below(octets.size())] ^= static_cast<std::uint8_t>(1 + below(255));
      if (below(4) == 0) octets.resize(below(octets.size() + 1));
      INFO("vector " << vector.name << " round " << round);
      const auto datagram = arrival(octets, vector.family);
      if (!datagram) continue;
      if (!bench.refuses(*datagram)) break;  // a damaged and yet valid packet: begin anew
      ++refused;
    }
  }
  CHECK(refused >= 500);
}

TEST_CASE("refused: a valid golden packet does change something, so the snapshot can tell", "[B18+]") {
  int changed = 0;
  for (const Vector& vector : testing::load_own_vectors()) {
    if (vector.expect.at(ChecksumPolicy::automatic) != "accept") continue;
    const auto datagram = arrival(vector.datagram, vector.family);
    REQUIRE(datagram);
    INFO("vector " << vector.name);
    Bench bench(vector, milliseconds(100), false);
    const std::string before = snapshot(bench.world, bench.node());
    CHECK_FALSE(bench.refuses(*datagram));
    changed += snapshot(bench.world, bench.node()) != before;
  }
  CHECK(changed >= 50);
}
