#include "vipd/node/virtual_router.hpp"

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <sstream>

#include "support/catch.hpp"
#include "vipd/sim/world.hpp"

using namespace vipd;
using namespace vipd::sim;

namespace {

const IpAddress kPeer = *IpAddress::parse("192.0.2.9");

/// A router on a fake machine. Log lines are kept, and the previous logger is restored.
class Bench {
 public:
  explicit Bench(std::uint8_t priority = 100)
      : world_(1), node_(world_.add_node(priority)), runner_(world_), before_(spdlog::default_logger()) {
    spdlog::set_default_logger(
        std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_st>(log_)));
    node_.kernel.catch_up();
    router_.emplace(std::make_shared<InstanceConfig>(node_.config.instances.front()),
                    VirtualRouter::Node{node_.kernel, node_.wire, hooks_, events_, claims_});
    router_->reconsider(world_.now);
    log_.str("");
  }
  ~Bench() { spdlog::set_default_logger(before_); }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  void hear(Centiseconds interval, ChecksumForm form, Duration since_start) {
    hear({.vrid = 51, .priority = 200, .interval = interval, .checksum_form = form}, kPeer, since_start);
  }
  /// Delivers an advert, with our own list of addresses if `advert` has none.
  void hear(Advert advert, const IpAddress& source, Duration since_start) {
    static constexpr std::array<std::uint8_t, 4> wire = {192, 0, 2, 10};
    if (advert.addresses.size() == 0) advert.addresses = AddressList(Family::ipv4, wire);
    router_->heard(advert, source, world_.now + since_start);
  }
  VirtualRouter& router() { return *router_; }
  TimePoint start() const { return world_.now; }
  std::string log() const { return log_.str(); }
  std::ptrdiff_t lines() const {
    const std::string text = log_.str();
    return std::ranges::count(text, '\n');
  }

 private:
  World world_;
  Node& node_;
  SimRunner runner_;
  NodeHooks hooks_{runner_};
  EventLog events_;
  ClaimStore claims_;
  std::ostringstream log_;
  std::shared_ptr<spdlog::logger> before_;
  std::optional<VirtualRouter> router_;
};

}  // namespace

TEST_CASE("VirtualRouter: a peer's other interval is said once (B20), a return to ours is not", "[B20+]") {
  Bench bench;
  for (int i = 0; i < 10; ++i) bench.hear(Centiseconds(200), ChecksumForm::pseudo_header, seconds(i));
  CHECK(bench.lines() == 1);
  bench.hear(Centiseconds(100), ChecksumForm::pseudo_header, std::chrono::minutes(5));
  CHECK(bench.lines() == 1);
}

TEST_CASE("VirtualRouter: a peer that alternates cannot fill the log, one line a kind and minute", "[B20+][B20-]") {
  Bench bench;
  for (int i = 0; i < 10'000; ++i)
    bench.hear(Centiseconds(150 + i % 2), i % 2 == 0 ? ChecksumForm::message_only : ChecksumForm::pseudo_header,
               milliseconds(i));
  CHECK(bench.lines() == 2);
  bench.hear(Centiseconds(170), ChecksumForm::message_only, std::chrono::minutes(2));
  CHECK(bench.lines() == 4);
}

namespace {

IpAddress sender(int host) { return *IpAddress::parse("192.0.2." + std::to_string(host)); }

Advert advert_of(std::uint8_t priority, std::span<const std::uint8_t> addresses = {}) {
  return {.vrid = 51,
          .priority = priority,
          .interval = Centiseconds(100),
          .addresses = AddressList(Family::ipv4, addresses)};
}

}  // namespace

TEST_CASE("VirtualRouter: senders are noted with what they have configured otherwise", "[B20+][B21+]") {
  static constexpr std::array<std::uint8_t, 8> more = {192, 0, 2, 10, 192, 0, 2, 11};
  static constexpr std::array<std::uint8_t, 4> other = {198, 51, 100, 1};
  Bench bench;
  bench.hear(advert_of(200), sender(21), seconds(0));
  CHECK(bench.lines() == 0);
  bench.hear(advert_of(200, more), sender(22), seconds(1));
  CHECK(bench.log().find("192.0.2.22 lists other addresses") != std::string::npos);
  bench.hear(advert_of(200, other), sender(23), seconds(90));
  CHECK(bench.log().find("192.0.2.23 uses our VRID 51 for other addresses") != std::string::npos);
  CHECK(bench.lines() == 2);
  const auto peers = bench.router().peers().peers();
  REQUIRE(peers.size() == 3);
  CHECK(peers[0].addresses == AddressMatch::same);
  CHECK(peers[1].addresses == AddressMatch::some);
  CHECK(peers[2].addresses == AddressMatch::none);
  CHECK(peers[2].heard == bench.start() + seconds(90));
  CHECK(bench.router().counters().addr_list_mismatch == 2);
}

TEST_CASE("VirtualRouter: senders without number take no memory and one line a minute", "[B19+]") {
  static constexpr std::array<std::uint8_t, 4> other = {198, 51, 100, 1};
  Bench bench;
  for (int i = 0; i < 5000; ++i) bench.hear(advert_of(200, other), sender(i % 250), milliseconds(i));
  CHECK(bench.router().peers().peers().size() == PeerTable::kMost);
  CHECK(bench.lines() == 1);
  for (const auto& peer : bench.router().peers().peers())  // the peers that were heard last
    CHECK(peer.heard >= bench.start() + milliseconds(5000 - 16));
}

TEST_CASE("VirtualRouter: two owners are counted and named, and the election decides", "[B17+][C29+]") {
  Bench bench(kOwnerPriority);
  REQUIRE(bench.router().election().state() == State::active);
  bench.hear(advert_of(kOwnerPriority), *IpAddress::parse("192.0.2.0"), seconds(1));  // a smaller address than ours
  CHECK(bench.router().election().state() == State::active);
  for (int i = 0; i < 10; ++i) bench.hear(advert_of(kOwnerPriority), kPeer, seconds(2 + i));
  CHECK(bench.router().election().state() == State::backup);
  CHECK(bench.router().counters().owner_conflict == 11);
  const std::string log = bench.log();
  CHECK(log.find("two address owners") == log.rfind("two address owners"));
  CHECK(log.find("two address owners: 192.0.2.0") != std::string::npos);
}

TEST_CASE("VirtualRouter: an owner of addresses that are not configured is told so, and one of its own is not") {
  World world(1);
  Node& node = world.add_node(kOwnerPriority);
  const bool own = GENERATE(true, false);
  if (own) node.kernel.real()->addresses.try_emplace(IpPrefix{*IpAddress::parse("192.0.2.10"), 24});
  node.start();
  REQUIRE(node.active());
  const auto& events = node.supervisor->events().transitions();
  REQUIRE(events.size() == (own ? 1 : 2));
  CHECK(events.front().to == ShownState::active);
  if (own) return;
  CHECK(events.back().reason ==
        "priority 255 says that the addresses are this node's own, but 192.0.2.10 is not configured on eth0: "
        "configure it there, or use priority = 254");
  CHECK(events.back().from == events.back().to);
}

TEST_CASE("VirtualRouter: two other owners are counted and named", "[C29+]") {
  Bench bench;
  bench.hear(advert_of(kOwnerPriority), sender(21), seconds(1));
  bench.hear(advert_of(kOwnerPriority), sender(22), seconds(2));
  CHECK(bench.router().counters().owner_conflict == 1);
  CHECK(bench.log().find("192.0.2.22 has priority 255, and so has 192.0.2.21") != std::string::npos);
}

TEST_CASE("VirtualRouter: an owner among others is no conflict, nor one after another", "[B17-][C29-]") {
  Bench bench;
  bench.hear(advert_of(kOwnerPriority), kPeer, seconds(1));
  bench.hear(advert_of(kOwnerPriority), sender(22), seconds(60));
  CHECK(bench.router().counters().owner_conflict == 0);
  CHECK(bench.lines() == 0);
}

TEST_CASE("VirtualRouter: an advert that is late by more than an interval is said once a minute", "[C30+][C30-]") {
  Bench bench(kOwnerPriority);
  for (int i = 0; i < 3; ++i) bench.router().on_deadline(bench.router().deadline() + milliseconds(900));
  CHECK(bench.log().find("late") == std::string::npos);
  for (int i = 0; i < 3; ++i) bench.router().on_deadline(bench.router().election().deadline() + milliseconds(1250));
  const std::string log = bench.log();
  CHECK(log.find("advert late by 1.25s") != std::string::npos);
  CHECK(log.find("advert late") == log.rfind("advert late"));
}
