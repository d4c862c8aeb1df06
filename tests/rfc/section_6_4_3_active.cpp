// RFC 9568 6.4.3: Active.
#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/election_trace.hpp"

namespace vipd::testing {
namespace {

constexpr Duration kLargestSkew = 996'093'750ns;  // priority 1 at 1 s

Election::Settings with_address(const char* primary) {
  Election::Settings settings = Trace::standard();
  settings.primary = *IpAddress::parse(primary);
  return settings;
}

/// True if `ours` yields when two Active routers of equal priority hear each other.
bool yields(const char* ours, const char* theirs) {
  Trace router = Trace::active(with_address(ours));
  router.step(500ms, Heard{*IpAddress::parse(theirs), 100, 1s});
  return router.state() == State::backup;
}

/// Answers and own adverts of an Active router under a flood, by their times.
struct FloodLog {
  std::vector<Duration> answers, own_adverts;
  int other_actions = 0;
};

FloodLog flood(Trace& router, const Heard& advert, Duration length, Duration gap) {
  FloodLog log;
  for (Duration now = gap; now <= length; now += gap) {
    if (router.due() <= now && router.step(now, DeadlinePassed{}) == "advert 100") log.own_adverts.push_back(now);
    const std::string answer = router.step(now, advert);
    if (answer == "advert 100") log.answers.push_back(now);
    log.other_actions += answer != "advert 100" && answer != "nothing";
  }
  return log;
}

/// The most of `times` in any window of one second.
std::size_t busiest_second(const std::vector<Duration>& times) {
  std::size_t most = 0;
  std::deque<Duration> window;
  for (const Duration time : times) {
    window.push_back(time);
    while (window.front() <= time - 1s) window.pop_front();
    most = std::max(most, window.size());
  }
  return most;
}

}  // namespace

TEST_CASE("C15 RFC 9568 6.4.3: an Active router that stops resigns first and keeps the addresses", "[C15+]") {
  Trace router = Trace::active();
  CHECK(router.step(300ms, Stop{}) == "advert 0");
  CHECK(router.election().resigning());
  CHECK(router.state() == State::active);
}

TEST_CASE("C15 a stopping router lets go as soon as a peer has taken over", "[C15+]") {
  for (const int priority : {1, 99, 100, 255}) {
    Trace router = Trace::active();
    router.step(300ms, Stop{});
    CHECK(router.step(310ms, heard(2, static_cast<std::uint8_t>(priority))) == "release, active to initialize");
    CHECK(router.due() == kNeverDue);
    CHECK_FALSE(router.election().resigning());
    CHECK(router.reason() == Reason{Why::stopped, Peer{heard(2, 1).source, static_cast<std::uint8_t>(priority)}, 100});
  }
}

TEST_CASE("C15 a stopping router that nobody relieves lets go after an interval and the largest skew", "[C15+]") {
  Trace router = Trace::active();
  router.step(300ms, Stop{});
  CHECK(router.due() == 1'300ms);
  CHECK(router.step(1'300ms, DeadlinePassed{}) == "advert 0");  // for peers that missed the first
  CHECK(router.due() == 1'300ms + kLargestSkew);
  CHECK(router.step(router.due() - 1ns, DeadlinePassed{}) == "nothing");
  CHECK(router.step(router.due(), DeadlinePassed{}) == "release, active to initialize");
  CHECK(router.reason() == Reason{Why::stopped, std::nullopt, 100});
}

TEST_CASE("C15 a peer that resigns too relieves nobody", "[C15-]") {
  Trace router = Trace::active();
  router.step(300ms, Stop{});
  CHECK(router.step(400ms, heard(2, 0)) == "nothing");
  CHECK(router.election().resigning());
  CHECK(router.due() == 1'300ms);
}

TEST_CASE("C15 RFC 9568 6.4.3: a fault releases first and resigns then", "[C15+][C32+]") {
  Trace router = Trace::active();
  CHECK(router.step(300ms, Fail{}) == "release, advert 0, active to initialize");
  CHECK(router.due() == kNeverDue);
  CHECK(router.reason().why == Why::fault);
}

TEST_CASE("C15 a fault while stopping does not wait for a peer", "[C15+]") {
  Trace router = Trace::active();
  router.step(300ms, Stop{});
  CHECK(router.step(400ms, Fail{}) == "release, advert 0, active to initialize");
  CHECK_FALSE(router.election().resigning());
}

TEST_CASE("C16 RFC 9568 6.4.3: adverts keep to absolute times however late each one is", "[C16+][C16-]") {
  Trace router = Trace::active();
  for (int i = 1; i <= 600; ++i) {
    REQUIRE(router.due() == i * 1s);
    REQUIRE(router.step(router.due() - 1ns, DeadlinePassed{}) == "nothing");
    REQUIRE(router.step(router.due() + i * 1ms, DeadlinePassed{}) == "advert 100");
  }
  CHECK(router.due() == 601s);
}

TEST_CASE("C16 RFC 9568 6.4.3: adverts that were missed altogether are not made up for", "[C16-]") {
  Trace router = Trace::active();
  CHECK(router.step(5'300ms, DeadlinePassed{}) == "advert 100");
  CHECK(router.due() == 6'300ms);
  CHECK(router.step(5'300ms, DeadlinePassed{}) == "nothing");
}

TEST_CASE("C17 RFC 9568 6.4.3: a priority 0 is answered at once and the next advert waits an interval from there",
          "[C17+]") {
  Trace router = Trace::active();
  CHECK(router.step(400ms, heard(2, 0)) == "advert 100");
  CHECK(router.state() == State::active);
  CHECK(router.due() == 1'400ms);
}

TEST_CASE("C17 a priority 0 that is not answered resets nothing", "[C17-]") {
  Trace router = Trace::active();
  for (int i = 0; i < 5; ++i) CHECK(router.step(1ms, heard(2, 0)) == "advert 100");
  CHECK(router.step(2ms, heard(2, 0)) == "nothing");
  CHECK(router.due() == 1'001ms);
}

TEST_CASE("C18 RFC 9568 6.4.3: a higher priority makes an Active router Backup with the peer's interval", "[C18+]") {
  Trace router = Trace::active();
  CHECK(router.step(500ms, heard(2, 101, 2s)) == "release, advert 100, active to backup");
  CHECK(router.election().adopted_interval() == 2s);
  CHECK(router.due() == 500ms + 7'218'750us);
  CHECK(router.election().active_peer() == Peer{heard(2, 101).source, 101});
  CHECK(router.reason() == Reason{Why::higher_priority, Peer{heard(2, 101).source, 101}, 100});
}

TEST_CASE("C18 RFC 9568 6.4.3: the same priority from a greater address wins too", "[C18+]") {
  Trace router = Trace::active();
  CHECK(router.step(500ms, heard(6, 100, 2s)) == "release, advert 100, active to backup");
  CHECK(router.due() == 500ms + 7'218'750us);
  CHECK(router.reason() == Reason{Why::higher_address, Peer{heard(6, 100).source, 100}, 100});
}

TEST_CASE("C18 RFC 9568 6.4.3: addresses compare as unsigned numbers in network order", "[C18+][C18-]") {
  const char* ascending[][2] = {{"10.0.0.9", "10.0.0.10"},     {"127.0.0.1", "128.0.0.1"},
                                {"1.0.0.2", "2.0.0.1"},        {"10.0.0.127", "10.0.0.128"},
                                {"9.255.255.255", "10.0.0.0"}, {"fe80::9", "fe80::10"},
                                {"fe80::7fff", "fe80::8000"},  {"fe80::1:0:0:1", "fe80::2:0:0:0"}};
  for (const auto& [lesser, greater] : ascending) {
    INFO(lesser << " against " << greater);
    CHECK(yields(lesser, greater));
    CHECK_FALSE(yields(greater, lesser));
  }
  CHECK_FALSE(yields("10.0.0.9", "10.0.0.9"));
}

TEST_CASE("C18 RFC 9568 6.4.3: a new primary address is the one that breaks the next tie", "[C18+][C18-]") {
  Trace router = Trace::active();
  CHECK(router.step(100ms, SetPrimary{*IpAddress::parse("192.0.2.200")}) == "nothing");
  CHECK(router.step(200ms, heard(100, 100)) == "advert 100");
  router.step(300ms, SetPrimary{*IpAddress::parse("192.0.2.3")});
  CHECK(router.step(400ms, heard(100, 100)) == "release, advert 100, active to backup");
}

TEST_CASE("C19 RFC 9568 6.4.3: a losing advert is answered at once and changes nothing else", "[C19+][C19-]") {
  for (const Heard& loser : {heard(9, 99, 40s), heard(9, 1, 40s), heard(4, 100, 40s), heard(5, 100, 40s)}) {
    Trace router = Trace::active();
    const Snapshot before = Snapshot::of(router.election());
    CHECK(router.step(500ms, loser) == "advert 100");
    CHECK(Snapshot::of(router.election()) == before);
  }
}

TEST_CASE("C19 RFC 9568 6.4.3: two Active routers that hear each other end as one", "[C19+]") {
  Trace loser = Trace::active(with_address("192.0.2.1"));
  Trace winner = Trace::active(with_address("192.0.2.2"));
  CHECK(winner.step(500ms, Heard{*IpAddress::parse("192.0.2.1"), 100, 1s}) == "advert 100");
  CHECK(loser.step(500ms, Heard{*IpAddress::parse("192.0.2.2"), 100, 1s}) == "release, advert 100, active to backup");
}

TEST_CASE("C20 RFC 9568 6.4.3: a higher advert wins over an Active router with preempt off", "[C20+]") {
  Election::Settings settings = Trace::standard();
  settings.preempt = false;
  for (const Heard& winner : {heard(2, 101), heard(2, 255), heard(9, 100)}) {
    Trace router = Trace::active(settings);
    CHECK(router.step(500ms, winner) == "release, advert 100, active to backup");
  }
}

TEST_CASE("C21 a flood of losing adverts is answered at most ten times a second and delays no advert of ours",
          "[C21-]") {
  Trace router = Trace::active();
  const FloodLog log = flood(router, heard(2, 50), 5s, 100us);
  CHECK(log.answers.size() >= 5);
  CHECK(log.answers.size() <= 30);
  CHECK(busiest_second(log.answers) <= 10);
  CHECK(log.own_adverts == std::vector<Duration>{1s, 2s, 3s, 4s, 5s});
  CHECK(log.other_actions == 0);
}

TEST_CASE("C21 a flood of priority 0 is answered no more often and leaves no gap in our adverts", "[C21-]") {
  Trace router = Trace::active();
  const FloodLog log = flood(router, heard(2, 0), 5s, 100us);
  CHECK(log.other_actions == 0);
  CHECK(busiest_second(log.answers) <= 10);
  std::vector<Duration> all = log.answers;
  all.insert(all.end(), log.own_adverts.begin(), log.own_adverts.end());
  std::ranges::sort(all);
  CHECK(all.front() <= 1s);
  CHECK(std::ranges::adjacent_find(all, [](Duration a, Duration b) { return b - a > 1s; }) == all.end());
}

TEST_CASE("C21 after a quiet time the whole burst of five is there again and no more", "[C21+][C21-]") {
  Trace router = Trace::active();
  for (int i = 0; i < 20; ++i) router.step(1ms, heard(2, 50));
  int answered = 0;
  for (int i = 0; i < 20; ++i) answered += router.step(60s, heard(2, 50)) == "advert 100";
  CHECK(answered == 5);
}

}  // namespace vipd::testing
