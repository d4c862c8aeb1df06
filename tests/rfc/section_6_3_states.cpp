// RFC 9568 6.3 and 6.4: every state against every event, each cell written down (row C32).
#include <array>
#include <set>
#include <string>

#include "support/catch.hpp"
#include "support/election_trace.hpp"

namespace vipd::testing {
namespace {

// All events happen at 0.5 s, except the deadline, which happens when it is due. Our priority is 100, our interval 1 s,
// our address 192.0.2.5; peers say 2 s, so that it shows whether their interval was adopted.
constexpr Duration kNow = 500ms;

struct Row {
  const char* event;
  const char* actions;
  State state;
  Duration due;
  const char* active_peer = "";  ///< "192.0.2.9/100"; empty if none is known
  Duration adopted = 1s;
};

constexpr std::size_t kEvents = 12;
using Table = std::array<Row, kEvents>;

Event event_named(std::string_view name) {
  if (name == "start") return Start{};
  if (name == "stop") return Stop{};
  if (name == "fail") return Fail{};
  if (name == "early deadline" || name == "deadline") return DeadlinePassed{};
  if (name == "new priority") return SetStanding{254};
  if (name == "new primary") return SetPrimary{*IpAddress::parse("192.0.2.200")};
  if (name == "heard 0") return heard(9, 0, 2s);
  if (name == "heard lower") return heard(9, 99, 2s);
  if (name == "heard equal from lesser") return heard(4, 100, 2s);
  if (name == "heard equal from greater") return heard(9, 100, 2s);
  REQUIRE(name == "heard higher");
  return heard(9, 101, 2s);
}

std::string peer_text(const std::optional<Peer>& peer) {
  return peer ? peer->address.to_string() + "/" + std::to_string(peer->priority) : "";
}

void check_cell(Trace router, const Row& row) {
  INFO("event " << row.event);
  const Duration when = std::string_view(row.event) == "deadline" ? router.due() : kNow;
  CHECK(router.step(when, event_named(row.event)) == row.actions);
  CHECK(router.state() == row.state);
  CHECK(router.due() == row.due);
  CHECK(peer_text(router.election().active_peer()) == row.active_peer);
  CHECK(router.election().adopted_interval() == row.adopted);
}

void check_table(const Trace& router, const Table& table) {
  std::set<std::string_view> events;
  for (const Row& row : table) {
    check_cell(router, row);
    events.insert(row.event);
  }
  CHECK(events.size() == kEvents);  // no event occurs twice, so none is missing
}

Trace resigning() {
  Trace router = Trace::active();
  router.step(0s, Stop{});
  return router;
}

/// A router that stopped at -0.6 s and resigned again at 0.4 s; it keeps its addresses until 1.39609375 s.
Trace resigning_again() {
  Trace router;
  router.step(-5s, Start{});
  router.step(-5s + 3'609'375us, DeadlinePassed{});
  router.step(-600ms, Stop{});
  router.step(400ms, DeadlinePassed{});
  return router;
}

constexpr State kInit = State::initialize, kBackup = State::backup, kActive = State::active;

constexpr Table kInInitialize = {{
    {"start", "initialize to backup", kBackup, 4'109'375us},
    {"stop", "nothing", kInit, kNeverDue},
    {"fail", "nothing", kInit, kNeverDue},
    {"early deadline", "nothing", kInit, kNeverDue},
    {"deadline", "nothing", kInit, kNeverDue},
    {"new priority", "nothing", kInit, kNeverDue},
    {"new primary", "nothing", kInit, kNeverDue},
    {"heard 0", "nothing", kInit, kNeverDue},
    {"heard lower", "nothing", kInit, kNeverDue},
    {"heard equal from lesser", "nothing", kInit, kNeverDue},
    {"heard equal from greater", "nothing", kInit, kNeverDue},
    {"heard higher", "nothing", kInit, kNeverDue},
}};

constexpr Table kInBackup = {{
    {"start", "nothing", kBackup, 3'609'375us},
    {"stop", "backup to initialize", kInit, kNeverDue},
    {"fail", "backup to initialize", kInit, kNeverDue},
    {"early deadline", "nothing", kBackup, 3'609'375us},
    {"deadline", "claim, advert 100, backup to active", kActive, 4'609'375us},
    {"new priority", "nothing", kBackup, 3'007'812'500ns},
    {"new primary", "nothing", kBackup, 3'609'375us},
    {"heard 0", "nothing", kBackup, 1'109'375us, "192.0.2.9/0"},
    {"heard lower", "nothing", kBackup, 3'609'375us, "192.0.2.9/99"},
    {"heard equal from lesser", "nothing", kBackup, 7'718'750us, "192.0.2.4/100", 2s},
    {"heard equal from greater", "nothing", kBackup, 7'718'750us, "192.0.2.9/100", 2s},
    {"heard higher", "nothing", kBackup, 7'718'750us, "192.0.2.9/101", 2s},
}};

constexpr Table kInActive = {{
    {"start", "nothing", kActive, 1s},
    {"stop", "advert 0", kActive, 1'500ms},
    {"fail", "release, advert 0, active to initialize", kInit, kNeverDue},
    {"early deadline", "nothing", kActive, 1s},
    {"deadline", "advert 100", kActive, 2s},
    {"new priority", "nothing", kActive, kNow},  // a higher priority is advertised at once
    {"new primary", "nothing", kActive, 1s},
    {"heard 0", "advert 100", kActive, 1'500ms},
    {"heard lower", "advert 100", kActive, 1s},
    {"heard equal from lesser", "advert 100", kActive, 1s},
    {"heard equal from greater", "release, advert 100, active to backup", kBackup, 7'718'750us, "192.0.2.9/100", 2s},
    {"heard higher", "release, advert 100, active to backup", kBackup, 7'718'750us, "192.0.2.9/101", 2s},
}};

/// The table of a resigning router. After the first and the second resignation only the deadline differs.
Table in_resigning(Duration due, const Row& deadline) {
  constexpr const char* kRelieved = "release, active to initialize";
  return {{
      {"start", "nothing", kActive, due},
      {"stop", "nothing", kActive, due},
      {"fail", "release, advert 0, active to initialize", kInit, kNeverDue},
      {"early deadline", "nothing", kActive, due},
      deadline,
      {"new priority", "nothing", kActive, due},
      {"new primary", "nothing", kActive, due},
      {"heard 0", "nothing", kActive, due},
      {"heard lower", kRelieved, kInit, kNeverDue},
      {"heard equal from lesser", kRelieved, kInit, kNeverDue},
      {"heard equal from greater", kRelieved, kInit, kNeverDue},
      {"heard higher", kRelieved, kInit, kNeverDue},
  }};
}

}  // namespace

TEST_CASE("C32 RFC 9568 6.4.1: Initialize against every event", "[C32+][C32-]") { check_table(Trace(), kInInitialize); }

TEST_CASE("C32 RFC 9568 6.4.2: Backup against every event", "[C32+]") { check_table(Trace::backup(), kInBackup); }

TEST_CASE("C32 RFC 9568 6.4.3: Active against every event", "[C32+]") { check_table(Trace::active(), kInActive); }

TEST_CASE("C32 RFC 9568 6.4.3: Active and resigning against every event", "[C32+]") {
  check_table(resigning(), in_resigning(1s, {"deadline", "advert 0", kActive, 1'996'093'750ns}));
}

TEST_CASE("C32 RFC 9568 6.4.3: Active and resigning for the second time against every event", "[C32+]") {
  const Row deadline = {"deadline", "release, active to initialize", kInit, kNeverDue};
  check_table(resigning_again(), in_resigning(1'396'093'750ns, deadline));
}

TEST_CASE("C32 RFC 9568 6.4.2: Backup with preempt off differs in what it makes of a lower priority alone",
          "[C11+][C32+]") {
  Election::Settings settings = Trace::standard();
  settings.preempt = false;
  Table table = kInBackup;
  REQUIRE(std::string_view(table[8].event) == "heard lower");
  table[8] = {"heard lower", "nothing", kBackup, 7'718'750us, "192.0.2.9/99", 2s};
  check_table(Trace::backup(settings), table);
}

TEST_CASE("C32 RFC 9568 6.4.3: Active with preempt off is no different", "[C20+][C20-][C32+]") {
  Election::Settings settings = Trace::standard();
  settings.preempt = false;
  check_table(Trace::active(settings), kInActive);
}

TEST_CASE("C32 RFC 9568 6.4.1: an owner differs at its start alone", "[C01+][C32+]") {
  Election::Settings settings = Trace::standard();
  settings.priority = kOwnerPriority;
  Table table = kInInitialize;
  table[0] = {"start", "claim, advert 255, initialize to active", kActive, 1'500ms};
  check_table(Trace(settings), table);
}

}  // namespace vipd::testing
