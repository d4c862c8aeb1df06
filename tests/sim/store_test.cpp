// The next process goes on with the files of a node: after a crash before any write, and from vipd 0.1.0.
#include <algorithm>
#include <optional>

#include "sim.hpp"
#include "support/catch.hpp"
#include "support/read_file.hpp"

using namespace vipd;
using namespace vipd::sim;

namespace {

constexpr const char* kJournal = "hooks.journal";

/// The process dies before it writes.
struct Crash {};

void with_journal(World& world) {
  for (const auto& node : world.nodes) {
    node->kill();
    node->journal = kJournal;
    node->start();
  }
  world.run_for(seconds(10));
}

/// Lets the world run for `duration`, in which `node` dies before its write number `count`; true if it died. With
/// `torn` the journal ends within a record.
bool run_with_crash(World& world, Node& node, int count, Duration duration, bool torn) {
  node.store.before_write = [&count](const std::string&) {
    if (count-- == 0) throw Crash{};
  };
  bool crashed = false;
  try {
    world.run_for(duration);
  } catch (const Crash&) {
    crashed = true;
    node.kill();
  }
  node.store.before_write = [](const std::string&) {};
  if (crashed && torn) node.store.at(kJournal) += to_octets({"it ends here"}).substr(0, 35);
  return crashed;
}

/// The state in the arguments of the last started program: MASTER, BACKUP, FAULT or STOP.
std::optional<std::string> last_told(const Node& node) {
  if (node.runner->started.empty()) return std::nullopt;
  const auto& arguments = node.runner->started.back().arguments;
  return arguments[arguments.size() - 2];
}

}  // namespace

TEST_CASE("store: a process that dies before any write of a takeover comes back, and the address is there") {
  const Duration pause = GENERATE(Duration(milliseconds(100)), Duration(seconds(5)));
  const bool torn = GENERATE(false, true);
  int crashes = 0;
  for (bool crashed = true; crashed && crashes < 100; crashes += crashed ? 1 : 0) {
    World world(seed_from_environment(401));
    auto [first, second] = settled_pair(world, 254, 253);
    with_journal(world);
    REQUIRE(second.router().shown() == ShownState::backup);
    first.power_off();
    crashed = run_with_crash(world, second, crashes, seconds(8), torn);
    if (!crashed) continue;
    const std::string journal = second.store.has(kJournal) ? second.store.at(kJournal) : "";
    const bool was_there = second.kernel.has(kVip);
    const bool has_claim = ClaimStore(second.store, kClaimsFile).find("web") != nullptr;
    world.run_for(pause);
    second.start();
    CAPTURE(crashes, was_there, has_claim);
    CHECK(second.kernel.has(kVip) == second.active());  // a node that does not resume removes the address
    world.run_for(seconds(10));
    CHECK(second.active());
    CHECK(second.kernel.has(kVip));
    // A hook has been told, by the process that died or by this process.
    const bool ended = journal.find("ended") != std::string::npos && journal.find("\"active\"") != std::string::npos;
    CHECK((ended || last_told(second) == "MASTER"));
  }
  CHECK(crashes >= 5);  // the claim, the hook's begin and end, adverts
  CHECK(crashes < 100);
}

TEST_CASE("store: a process that dies before any write of a handover is Active nowhere, or at one of the two nodes") {
  int crashes = 0;
  for (bool crashed = true; crashed && crashes < 100; crashes += crashed ? 1 : 0) {
    World world(seed_from_environment(402));
    auto [first, second] = settled_pair(world, 254, 253);
    with_journal(world);
    REQUIRE(first.active());
    Config lower = first.config;
    lower.instances.front().priority = 100;
    world.at_node(first.index, milliseconds(1), [&first, lower] { first.apply(lower); });
    crashed = run_with_crash(world, first, crashes, seconds(3), false);
    if (!crashed) continue;
    world.run_for(milliseconds(100));
    first.config = lower;
    first.start();
    world.run_for(seconds(10));
    CAPTURE(crashes);
    CHECK_FALSE(first.active());
    CHECK(second.active());
    CHECK_FALSE(first.kernel.has(kVip));
    CHECK(second.kernel.has(kVip));
  }
  CHECK(crashes >= 2);
  CHECK(crashes < 100);
}

TEST_CASE("store: a vipd that comes after vipd 0.1.0 goes on with its address") {
  World world(seed_from_environment(403));
  auto [first, second] = settled_pair(world, 254, 253);
  REQUIRE(first.active());
  bool lost = false;
  world.after_each = [&] { lost = lost || !first.kernel.has(kVip) || second.kernel.has(kVip); };
  first.kill();
  first.store.set(kClaimsFile, test::read_file("tests/data/kept-by-0.1.0/claims"));
  for (std::size_t i = 0; i < first.store.this_boot.size(); ++i)
    first.store.this_boot[i] = static_cast<std::uint8_t>(i);
  world.run_for(milliseconds(100));
  first.start();
  CHECK(first.active());
  CHECK(first.router().reason() == "no advert for 3.008s");
  world.run_for(seconds(10));
  CHECK(first.active());
  CHECK_FALSE(lost);
}

TEST_CASE("store: a disk that is full takes no address away, not even over a crash") {
  World world(seed_from_environment(404));
  auto [first, second] = settled_pair(world, 254, 253);
  REQUIRE(first.active());
  first.store.room = first.store.used();
  bool lost = false;
  world.after_each = [&] { lost = lost || !first.kernel.has(kVip) || second.kernel.has(kVip); };
  for (int i = 0; i < 3; ++i) {
    first.kill();
    world.run_for(milliseconds(500));
    first.start();
    CHECK(first.active());
    world.run_for(seconds(3));
  }
  CHECK_FALSE(lost);
}
