// vipd goes on with the files of vipd 0.1.0. That version wrote tests/data/kept-by-0.1.0.
#include <spdlog/spdlog.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <map>

#include "support/catch.hpp"
#include "support/read_file.hpp"
#include "support/temporary_directory.hpp"
#include "vipd/ctl/config_history.hpp"
#include "vipd/load/config_history.hpp"
#include "vipd/node/claim_store.hpp"
#include "vipd/node/hook_journal.hpp"
#include "vipd/os/file_store.hpp"
#include "vipd/sim/sim_store.hpp"

using namespace vipd;
using namespace vipd::test;
using namespace std::chrono_literals;

namespace {

/// A store with a file of vipd 0.1.0, in the boot 00 01 ... 0f.
sim::SimStore store_with(const std::string& name) {
  sim::SimStore store;
  store.set(name, read_file("tests/data/kept-by-0.1.0/" + name));
  for (std::size_t i = 0; i < store.this_boot.size(); ++i) store.this_boot[i] = static_cast<std::uint8_t>(i);
  return store;
}

const KeptClaim kWeb = {.interface = "eth0",
                        .ifindex = 2,
                        .family = Family::ipv4,
                        .vrid = 51,
                        .virtual_mac = false,
                        .state = ShownState::active,
                        .until = TimePoint(1013s),
                        .since = TimePoint(1004s),
                        .fit = true,
                        .reason = "no advert for 3.008s",
                        .wait = {}};

KeptClaim mail() {
  KeptClaim claim = kWeb;
  claim.vrid = 52;
  claim.family = Family::ipv6;
  claim.state = ShownState::backup;
  claim.fit = false;
  claim.virtual_mac = true;
  claim.wait = {.wait_ends = TimePoint(1012s), .preempt_at = TimePoint(1011s)};
  return claim;
}

const std::vector<ConfigSource> kOne = {
    {"/etc/vipd/vipd.toml", "[instance.web]\ninterface = \"eth0\"\nvrid = 51\naddresses = [\"192.0.2.10/24\"]\n"},
    {"/etc/vipd/conf.d/a.toml", "# one\n"}};
const std::vector<ConfigSource> kTwo = {{"/etc/vipd/vipd.toml", "# two\n"}};

}  // namespace

TEST_CASE("0.1.0: its claims are gone on with, and kept in today's format from then on") {
  sim::SimStore store = store_with("claims");
  for (int i = 0; i < 2; ++i) {
    const ClaimStore claims(store, "claims");
    REQUIRE(claims.find("web") != nullptr);
    CHECK(*claims.find("web") == kWeb);
    REQUIRE(claims.find("mail") != nullptr);
    CHECK(*claims.find("mail") == mail());
    CHECK(claims.find("gone") == nullptr);
    CHECK(read_records(store.at("claims")).whole.size() == 3);
  }
}

TEST_CASE("0.1.0: its claims of another boot, or damaged, are none, and no size of the file is a crash") {
  spdlog::set_level(spdlog::level::off);
  const std::string sound = store_with("claims").at("claims");
  sim::SimStore store = store_with("claims");
  store.this_boot[15] ^= 1;
  CHECK(ClaimStore(store, "claims").find("web") == nullptr);
  store = store_with("claims");
  for (std::size_t size = 0; size < sound.size(); ++size) {
    store.set("claims", sound.substr(0, size));
    const ClaimStore claims(store, "claims");
    CAPTURE(size);
    REQUIRE((claims.find("web") != nullptr) == (size == 512 || size == 768));
    REQUIRE(claims.find("mail") == nullptr);
  }
  for (std::size_t at = 256; at < 512; ++at)
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = sound;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      store.set("claims", damaged);
      const ClaimStore claims(store, "claims");
      CAPTURE(at, bit);
      const KeptClaim* found = claims.find("web");
      REQUIRE((found == nullptr || at < 256 + 8));
      if (found == nullptr) continue;
      KeptClaim expected = kWeb;
      expected.until = found->until;
      REQUIRE(*found == expected);
    }
}

TEST_CASE("0.1.0: a hook that was under way is told again") {
  sim::SimStore store = store_with("hooks.journal");
  HookJournal journal(store, "hooks.journal");
  for (const HookSubject& subject : {HookSubject{.group = false, .name = "web", .interface = "", .addresses = ""},
                                     HookSubject{.group = true, .name = "edge", .interface = "", .addresses = ""}}) {
    const auto left = journal.take(subject);
    REQUIRE(left);
    CHECK(left->state == HookState::backup);
    CHECK(left->reason == "a \"reason\" of two\nlines");
    CHECK(left->priority == 254);
    CHECK(left->sequence == 7);
  }
  CHECK_FALSE(journal.take({.group = false, .name = "mail", .interface = "", .addresses = ""}));
}

TEST_CASE("0.1.0: its configurations are found, and today's come behind them") {
  sim::SimStore store = store_with("history/1.json");
  store.set("history/2.json", read_file("tests/data/kept-by-0.1.0/history/2.json"));
  ConfigHistory history(store, "history");
  CHECK(history.keep(kTwo, "now") == 2u);  // the newest has this text already
  CHECK(history.keep(kOne, "now") == 3u);
  const auto all = history.list();
  REQUIRE(all.size() == 3);
  CHECK(all[0].files == kOne);
  CHECK(all[0].time == "2026-01-01T00:00:00.000Z");
  CHECK(all[1].files == kTwo);
  CHECK(all[2].files == kOne);
  CHECK(history.find(config_hash(kTwo))->number == 2);
}

TEST_CASE("0.1.0: a trial that nobody confirmed is remembered") {
  sim::SimStore store = store_with("unconfirmed.json");
  UnconfirmedConfig unconfirmed(store, "unconfirmed.json");
  CHECK(unconfirmed.exists());
  CHECK(unconfirmed.before(kTwo) == kOne);
  CHECK_FALSE(unconfirmed.before(kOne));
  REQUIRE(unconfirmed.keep(kOne, kTwo));
  CHECK(unconfirmed.before(kOne) == kTwo);
  REQUIRE(unconfirmed.drop());
  CHECK_FALSE(unconfirmed.exists());
}

TEST_CASE("vipctl config: shows the configurations of vipd 0.1.0 and of today, and none that is damaged") {
  const TemporaryDirectory directory("/var/lib");
  FileStore store;
  ConfigHistory history(store, directory.path() + "/history");
  REQUIRE(history.keep(kTwo, "t"));
  REQUIRE(history.keep({{"/etc/vipd/vipd.toml", "# three\n"}}, "t"));
  REQUIRE(history.keep({{"/etc/vipd/vipd.toml", "# four\n"}}, "t"));
  const std::string place = directory.path() + "/history/";
  std::ofstream(place + "1.json", std::ios::binary) << read_file("tests/data/kept-by-0.1.0/history/1.json");
  {
    std::fstream file(place + "3.json", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(200);
    file.put('?');
  }
  const auto list = kept_configurations(directory.path(), std::nullopt);
  REQUIRE(list);
  REQUIRE(list->at("configurations").size() == 2);
  CHECK(list->at("configurations")[0].at("number") == 1);
  CHECK(list->at("configurations")[1].at("number") == 2);
  for (const auto& [number, text] : std::map<std::uint64_t, std::string>{{1, kOne[0].text}, {2, "# three\n"}}) {
    const auto one = kept_configurations(directory.path(), number);
    REQUIRE(one);
    CHECK(one->at("configurations")[0].at("files")[0].at("text") == text);
  }
  CHECK_FALSE(kept_configurations(directory.path(), 3));
}
