#include "vipd/node/hook_journal.hpp"

#include <spdlog/spdlog.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"
#include "vipd/os/file_store.hpp"
#include "vipd/sim/sim_store.hpp"

using namespace vipd;
using vipd::test::TemporaryDirectory;

namespace {

const HookSubject kWeb{.group = false, .name = "web", .interface = "eth0", .addresses = "192.0.2.10/24"};
const HookSubject kGroup{.group = true, .name = "web", .interface = "", .addresses = ""};

HookEvent event(HookState state, std::uint64_t sequence) {
  return {.state = state,
          .old_state = "active",
          .reason = "a \"reason\" \xff of two\nlines",
          .priority = 254,
          .peer = "192.0.2.2",
          .sequence = sequence};
}

FileStore disk;

struct Bench {
  TemporaryDirectory directory;
  const std::string path = directory.path() + "/hooks.journal";
};

}  // namespace

TEST_CASE("HookJournal: what was begun and not ended is handed out to the next one, once") {
  const Bench bench;
  {
    HookJournal journal(disk, bench.path);
    CHECK_FALSE(journal.take(kWeb));
    journal.began(kWeb, event(HookState::active, 1));
    journal.ended(kWeb);
    journal.began(kWeb, event(HookState::fault, 2));
    journal.began(kWeb, event(HookState::stop, 3));
    journal.began(kGroup, event(HookState::backup, 4));
    journal.ended(kGroup);
    CHECK_FALSE(journal.take(kWeb));  // the journal does not take its own record
  }
  HookJournal next(disk, bench.path);
  CHECK_FALSE(next.take(kGroup));
  const auto left = next.take(kWeb);
  REQUIRE(left);
  CHECK(left->state == HookState::stop);
  CHECK(left->old_state == "active");
  CHECK(left->reason == "a \"reason\" \xef\xbf\xbd of two\nlines");
  CHECK(left->priority == 254);
  CHECK(left->peer == "192.0.2.2");
  CHECK(left->sequence == 3);
  CHECK(left->again);
  CHECK_FALSE(next.take(kWeb));
  CHECK_FALSE(HookJournal(disk, bench.path).take(kWeb));
}

namespace {

const std::string kSchema = R"({"schema":"vipd.hook-journal/1"})";

/// A journal with these documents behind its head.
std::string journal_of(const std::vector<std::string>& documents, const std::string& head = kSchema) {
  std::string octets = to_octets({head});
  for (const std::string& document : documents) octets += to_octets({document});
  return octets;
}

/// The journal as vipd 0.1.0 wrote it.
std::string lines_of(const std::vector<std::string>& documents, const std::string& head = kSchema) {
  std::string text = head + "\n";
  for (const std::string& document : documents) text += document + "\n";
  return text;
}

std::optional<HookEvent> left_by(const std::string& octets) {
  sim::SimStore store;
  store.set("journal", octets);
  return HookJournal(store, "journal").take(kWeb);
}

}  // namespace

TEST_CASE("HookJournal: a file that is damaged or of another version is passed over, today's and that of vipd 0.1.0") {
  const auto file_of = GENERATE(journal_of, lines_of);
  sim::SimStore store;
  HookJournal(store, "journal").began(kWeb, event(HookState::stop, 1));
  const std::string began = read_records(store.at("journal")).whole.at(1).payload;
  CHECK(left_by(file_of({began}, kSchema)));
  CHECK_FALSE(left_by(file_of({began, R"({"ended":"instance web"})"}, kSchema)));
  CHECK_FALSE(left_by(file_of({began}, R"({"schema":"vipd.hook-journal/2"})")));
  for (const char* other : {"\xffgarbage", "{}", "[]", "1", R"({"began":1})", R"({"ended":["instance web"]})",
                            R"({"began":"instance web","state":"asleep"})"})
    CHECK_FALSE(left_by(file_of({began, other}, kSchema)));
  for (const char* priority : {"256", "-1", "1.5", "1e300", "\"254\""}) {
    std::string other = began;
    REQUIRE(other.find("254") != std::string::npos);
    CHECK_FALSE(left_by(file_of({other.replace(other.find("254"), 3, priority)}, kSchema)));
  }
  CHECK_FALSE(left_by(""));
}

TEST_CASE("HookJournal: what was written before a torn end counts, and the end does not") {
  const std::string began = R"({"began":"instance web","old_state":"","peer":"","priority":1,"reason":"","sequence":1,)"
                            R"("state":"stop"})";
  const std::string ended = R"({"ended":"instance web"})";
  for (const auto file_of : {journal_of, lines_of}) {
    const std::size_t before = file_of({}, kSchema).size(), middle = file_of({began}, kSchema).size();
    const std::string whole = file_of({began, ended}, kSchema);
    for (std::size_t size = 0; size <= whole.size(); ++size) {
      CAPTURE(before, middle, size);
      REQUIRE(left_by(whole.substr(0, size)).has_value() == (size >= middle && size < whole.size()));
    }
  }
}

TEST_CASE("HookJournal: no flipped bit makes another event") {
  spdlog::set_level(spdlog::level::off);
  sim::SimStore store;
  HookJournal(store, "journal").began(kWeb, event(HookState::stop, 1));
  const std::string sound = store.at("journal");
  const auto expected = left_by(sound);
  REQUIRE(expected);
  for (std::size_t at = 0; at < sound.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = sound;
      damaged[at] = static_cast<char>(sound[at] ^ (1 << bit));
      const auto left = left_by(damaged);
      CAPTURE(at, bit);
      REQUIRE((!left || (left->reason == expected->reason && left->sequence == expected->sequence)));
    }
}

TEST_CASE("HookJournal: after a full disk, the next event begins the file anew with all that is under way") {
  sim::SimStore store;
  HookJournal journal(store, "journal");
  journal.began(kWeb, event(HookState::stop, 1));
  store.room = store.used() + 10;
  journal.began(kGroup, event(HookState::fault, 2));
  CHECK(read_records(store.at("journal")).ending == Ending::whole);  // no half record is there
  journal.ended(kGroup);
  store.room = 10'000;
  journal.began(kGroup, event(HookState::backup, 3));
  HookJournal next(store, "journal");
  CHECK(next.take(kWeb));
  const auto left = next.take(kGroup);
  REQUIRE(left);
  CHECK(left->sequence == 3);
}

TEST_CASE("HookJournal: on a full disk, what has been taken once is not there for the vipd after the next") {
  sim::SimStore store;
  HookJournal(store, "journal").began(kWeb, event(HookState::stop, 1));
  store.room = 10;
  CHECK(HookJournal(store, "journal").take(kWeb));
  CHECK_FALSE(HookJournal(store, "journal").take(kWeb));
}

TEST_CASE("HookJournal: does not grow beyond its bound, and loses nothing by that") {
  const Bench bench;
  HookJournal journal(disk, bench.path);
  journal.began(kGroup, event(HookState::stop, 7));
  for (int i = 0; i < 20'000; ++i) {
    journal.began(kWeb, event(HookState::fault, 1));
    journal.ended(kWeb);
  }
  CHECK(std::filesystem::file_size(bench.path) <= HookJournal::kLargest + 1000);
  HookJournal next(disk, bench.path);
  CHECK(next.take(kGroup));
  CHECK_FALSE(next.take(kWeb));
}

TEST_CASE("HookJournal: a directory that is not there costs a message") {
  HookJournal journal(disk, "/nonexistent/directory/hooks.journal");
  journal.began(kWeb, event(HookState::stop, 1));
  journal.ended(kWeb);
  CHECK_FALSE(journal.take(kWeb));
}
