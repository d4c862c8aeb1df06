#include "vipd/node/hook_journal.hpp"

#include <filesystem>
#include <fstream>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

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

struct Bench {
  TemporaryDirectory directory;
  const std::string path = directory.path() + "/hooks.journal";
};

}  // namespace

TEST_CASE("HookJournal: what was begun and not ended is handed out to the next one, once") {
  const Bench bench;
  {
    HookJournal journal(bench.path);
    CHECK_FALSE(journal.take(kWeb));
    journal.began(kWeb, event(HookState::active, 1));
    journal.ended(kWeb);
    journal.began(kWeb, event(HookState::fault, 2));
    journal.began(kWeb, event(HookState::stop, 3));
    journal.began(kGroup, event(HookState::backup, 4));
    journal.ended(kGroup);
    CHECK_FALSE(journal.take(kWeb));  // not what it wrote itself
  }
  HookJournal next(bench.path);
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
  CHECK_FALSE(HookJournal(bench.path).take(kWeb));
}

TEST_CASE(
    "HookJournal: a file that is damaged, of another version or cut short is passed over as far as it has to be") {
  const Bench bench;
  HookJournal(bench.path).began(kWeb, event(HookState::stop, 1));
  std::ifstream file(bench.path);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const auto left_by = [&](const std::string& other) {
    std::ofstream(bench.path) << other;
    return HookJournal(bench.path).take(kWeb);
  };
  CHECK(left_by(text));
  CHECK(left_by(text + R"({"ended": "instance we)"));  // the end of it never came
  CHECK_FALSE(left_by(text.substr(0, text.size() - 1)));
  CHECK_FALSE(left_by(text + "\xffgarbage\n"));
  CHECK_FALSE(left_by(R"({"schema":"vipd.hook-journal/2"})"
                      "\n" +
                      text.substr(text.find('\n') + 1)));
  for (const char* line : {"{}", "[]", "1", R"({"began":1})", R"({"began":"instance web","state":"asleep"})",
                           R"({"ended":["instance web"]})"})
    CHECK_FALSE(left_by(text + line + "\n"));
  for (const char* priority : {"256", "-1", "1.5", "1e300", "\"254\""}) {
    std::string other = text;
    REQUIRE(other.find("254") != std::string::npos);
    CHECK_FALSE(left_by(other.replace(other.find("254"), 3, priority)));
  }
  CHECK_FALSE(left_by(""));
}

TEST_CASE("HookJournal: does not grow beyond its bound, and loses nothing by that") {
  const Bench bench;
  HookJournal journal(bench.path);
  journal.began(kGroup, event(HookState::stop, 7));
  for (int i = 0; i < 20'000; ++i) {
    journal.began(kWeb, event(HookState::fault, 1));
    journal.ended(kWeb);
  }
  CHECK(std::filesystem::file_size(bench.path) <= HookJournal::kLargest + 1000);
  HookJournal next(bench.path);
  CHECK(next.take(kGroup));
  CHECK_FALSE(next.take(kWeb));
}

TEST_CASE("HookJournal: a directory that is not there costs a message") {
  HookJournal journal("/nonexistent/directory/hooks.journal");
  journal.began(kWeb, event(HookState::stop, 1));
  journal.ended(kWeb);
  CHECK_FALSE(journal.take(kWeb));
}
