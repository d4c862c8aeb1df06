#include "cells.hpp"

#include <atomic>
#include <cstdio>
#include <thread>

namespace vipd::lab {
namespace {

constexpr int kHigher = 254, kLower = 253;
constexpr std::size_t kAtOnce = 4;
constexpr auto kStartBound = 8s;  // the start of a program on a busy machine, and its Active_Down_Interval
/// The time that a busy machine may add to a bound: more than with one pair at a time.
constexpr Duration kCellSlack = 2 * kSlack;

class Arena {
 public:
  explicit Arena(const Cell& cell)
      : terms_(cell.terms),
        ours_(lab_.add_node("ours", 1)),
        theirs_(lab_.add_node("theirs", 2)),
        vipd_(ours_, theirs_, cell.terms, cell.we_lead ? kHigher : kLower),
        foreign_(make_foreign(cell)),
        leader_(cell.we_lead ? static_cast<Contender&>(vipd_) : *foreign_),
        follower_(cell.we_lead ? *foreign_ : static_cast<Contender&>(vipd_)),
        sniffer_(ours_) {}

  /// Returns when the leader is Active and the follower has heard it.
  void settle();
  Shares play(Scenario scenario);
  std::string foreign_log() const { return foreign_->log(); }

 private:
  std::unique_ptr<Contender> make_foreign(const Cell& cell) {
    const int priority = cell.we_lead ? kLower : kHigher;
    if (cell.foreign == Foreign::frr) return std::make_unique<Frr>(theirs_, ours_, cell.terms, priority);
    return std::make_unique<Keepalived>(theirs_, ours_, cell.terms, priority);
  }

  Shares stop();
  Shares kill();
  Shares come_back();
  Shares partition();
  Shares stay_away();
  /// Checks that no address moves for some adverts.
  void rest();
  void await_adverts(std::size_t more);
  void await_holder(const Contender& contender, const char* when);
  Shares shares_since(WallTime since) const {
    return shares(leader_.spells(), follower_.spells(), since, std::chrono::system_clock::now());
  }
  Duration skew() const { return terms_.interval * (256 - kLower) / 256; }

  Terms terms_;
  Lab lab_;
  Node &ours_, &theirs_;
  Vipd vipd_;
  std::unique_ptr<Contender> foreign_;
  Contender &leader_, &follower_;
  Sniffer sniffer_;
};

void within(Duration measured, Duration bound, const std::string& what) {
  expect(measured <= bound,
         what + ": " + std::to_string(in_ms(measured)) + " ms, allowed are " + std::to_string(in_ms(bound)));
}

void Arena::await_adverts(std::size_t more) {
  const std::size_t before = sniffer_.of_kind("advert").size();
  expect(wait_until(10s + more * terms_.interval, [&] { return sniffer_.of_kind("advert").size() >= before + more; }),
         "there are no adverts");
}

void Arena::await_holder(const Contender& contender, const char* when) {
  expect(wait_until(kStartBound, [&] { return contender.holds(); }), std::string("nobody takes the address ") + when);
}

void Arena::rest() {
  const std::size_t before = leader_.spells().size() + follower_.spells().size();
  await_adverts(5);
  expect(leader_.spells().size() + follower_.spells().size() == before, "the address does not come to rest");
}

void Arena::settle() {
  leader_.start();
  await_holder(leader_, "at the start");
  follower_.start();
  expect(wait_until(kStartBound, [&] { return follower_.listens(); }), "the follower does not become Backup");
  await_adverts(5);  // longer than its Active_Down_Interval
  expect(leader_.holds() && follower_.spells().empty(), "the follower does not hear the leader");
}

Shares Arena::play(Scenario scenario) {
  switch (scenario) {
    case Scenario::stop:
      return stop();
    case Scenario::kill:
      return kill();
    case Scenario::comes_back:
      return come_back();
    case Scenario::partition:
      return partition();
    case Scenario::no_preempt:
      return stay_away();
  }
  return {};
}

Shares Arena::stop() {
  const WallTime stopped = std::chrono::system_clock::now();
  leader_.stop();
  await_holder(follower_, "after a stop");
  rest();
  const Shares result = shares_since(stopped);
  expect(!leader_.holds(), "who was stopped still holds the address");
  within(result.nobody, skew() + kCellSlack, "nobody holds it after a stop");
  within(result.both, terms_.interval + kCellSlack, "both hold it at a stop");
  return result;
}

Shares Arena::kill() {
  const WallTime killed = std::chrono::system_clock::now();
  leader_.kill();
  await_holder(follower_, "after a kill");
  const Shares result = shares_since(killed);
  expect(result.nobody > Duration(1ms), "the takeover begins before the kill");
  within(result.nobody, 3 * terms_.interval + skew() + kCellSlack, "nobody holds it after a kill");
  leader_.clear_leftovers();
  rest();
  expect(follower_.holds(), "the follower lets go");
  return result;
}

Shares Arena::come_back() {
  leader_.stop();
  await_holder(follower_, "after a stop");
  const WallTime started = std::chrono::system_clock::now();
  leader_.start();
  await_holder(leader_, "when the leader is back");
  expect(wait_until(kStartBound, [&] { return !follower_.holds(); }), "the follower does not yield");
  rest();
  const Shares result = shares_since(started);
  expect(leader_.holds() && !follower_.holds(), "the leader is back and does not hold the address");
  within(result.nobody, kCellSlack, "nobody holds it when the leader is back");
  within(result.both, terms_.interval + kCellSlack, "both hold it when the leader is back");
  return result;
}

Shares Arena::partition() {
  lab_.drop("ip protocol 112");
  lab_.drop("ip6 nexthdr 112");
  await_holder(follower_, "in a partition");
  expect(leader_.holds(), "the leader lets go in a partition");
  const WallTime healed = std::chrono::system_clock::now();
  lab_.drop_nothing();
  expect(wait_until(kStartBound, [&] { return !follower_.holds(); }), "the follower does not yield");
  rest();
  const Shares result = shares_since(healed);
  expect(leader_.holds() && !follower_.holds(), "not the leader alone after a partition");
  expect(leader_.spells().size() == 1, "the leader let go when the partition healed");
  within(result.both, terms_.interval + kCellSlack, "both hold it after a partition");
  within(result.nobody, Duration::zero(), "nobody holds it after a partition");
  return result;
}

Shares Arena::stay_away() {
  leader_.stop();
  await_holder(follower_, "after a stop");
  const WallTime started = std::chrono::system_clock::now();
  leader_.start();
  expect(wait_until(kStartBound, [&] { return leader_.listens(); }), "the leader does not become Backup");
  await_adverts(8);  // twice its Active_Down_Interval
  const Shares result = shares_since(started);
  expect(follower_.holds() && !leader_.holds(), "the address moves though nobody preempts");
  within(result.both, Duration::zero(), "both hold it though nobody preempts");
  within(result.nobody, Duration::zero(), "nobody holds it though nobody preempts");
  return result;
}

/// The last lines of a log.
std::string tail(const std::string& text) {
  const std::size_t lines = std::min<std::size_t>(text.size(), 1500);
  return text.substr(text.size() - lines);
}

Outcome run_cell(const Cell& cell) {
  std::string log;
  try {
    Arena arena(cell);
    try {
      arena.settle();
      return {arena.play(cell.scenario), ""};
    } catch (...) {
      log = arena.foreign_log();
      throw;
    }
  } catch (const std::exception& error) {
    return {{}, error.what() + std::string("; the peer says:\n") + tail(log)};
  }
}

std::string name_of(const Cell& cell) {
  static constexpr const char* kScenarios[] = {"clean stop", "SIGKILL", "comes back", "partition heals", "no preempt"};
  std::string name = cell.foreign == Foreign::frr ? "FRR        " : "keepalived ";
  name += cell.terms.version == 2 ? "v2 IPv4 " : cell.terms.family == Family::ipv4 ? "v3 IPv4 " : "v3 IPv6 ";
  name += cell.terms.unicast ? "unicast   " : "multicast ";
  name += cell.we_lead ? "vipd leads   " : "vipd follows ";
  return name + kScenarios[static_cast<std::size_t>(cell.scenario)];
}

void print(const Cell& cell, const Outcome& outcome) {
  std::printf("measured: %-58s nobody %7.1f ms  both %7.1f ms  %s\n", name_of(cell).c_str(),
              in_ms(outcome.shares.nobody), in_ms(outcome.shares.both), outcome.failure.empty() ? "ok" : "FAILED");
}

}  // namespace

std::vector<Cell> cells_of(Foreign foreign, const Terms& terms) {
  std::vector<Cell> cells;
  for (const auto scenario :
       {Scenario::stop, Scenario::kill, Scenario::comes_back, Scenario::partition, Scenario::no_preempt})
    for (const bool we_lead : {true, false}) {
      cells.push_back({foreign, terms, we_lead, scenario});
      cells.back().terms.preempt = scenario != Scenario::no_preempt;
    }
  return cells;
}

std::vector<std::string> run_cells(const std::vector<Cell>& cells) {
  std::vector<Outcome> outcomes(cells.size());
  std::atomic<std::size_t> next = 0;
  {
    std::vector<std::jthread> workers;
    for (std::size_t i = 0; i < kAtOnce; ++i)
      workers.emplace_back([&] {
        for (std::size_t cell = next++; cell < cells.size(); cell = next++) outcomes[cell] = run_cell(cells[cell]);
      });
  }
  std::vector<std::string> failures;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    print(cells[i], outcomes[i]);
    if (!outcomes[i].failure.empty()) failures.push_back(name_of(cells[i]) + ": " + outcomes[i].failure);
  }
  return failures;
}

}  // namespace vipd::lab
