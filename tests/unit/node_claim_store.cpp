// ClaimStore: the next run finds the claims of the previous run; an untrustworthy file counts as none.
#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "support/catch.hpp"
#include "support/read_file.hpp"
#include "support/temporary_directory.hpp"
#include "vipd/node/claim_store.hpp"
#include "vipd/os/file_store.hpp"
#include "vipd/sim/sim_store.hpp"

using namespace vipd;
using namespace vipd::test;
using namespace std::chrono_literals;

namespace {

TimePoint at(Duration time) { return TimePoint(time); }

KeptClaim claim() {
  return {.interface = "eth0",
          .ifindex = 7,
          .family = Family::ipv6,
          .vrid = 51,
          .virtual_mac = true,
          .state = ShownState::active,
          .until = at(1003s),
          .since = at(500s),
          .fit = false,
          .reason = "no advert from 192.0.2.2",
          .wait = {.wait_ends = at(1001s), .preempt_at = at(900s)}};
}

FileStore disk;

class Bench {
 public:
  std::string path() const { return directory_.path() + "/claims"; }
  /// Changes one octet of the file.
  void damage(std::streamoff at, char octet) const {
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(at);
    file.put(octet);
  }

 private:
  TemporaryDirectory directory_;
};

constexpr std::streamoff kRecord = 256;

}  // namespace

TEST_CASE("ClaimStore: the next one finds what was kept, put forward and not dropped") {
  const Bench bench;
  {
    ClaimStore claims(disk, bench.path());
    claims.keep("web", claim());
    claims.keep("mail", claim());
    claims.keep("dns", claim());
    claims.extend("web", at(1004s));
    claims.drop("mail");
    claims.drop("unknown");
  }
  for (int i = 0; i < 2; ++i) {  // reading changes nothing
    const ClaimStore next(disk, bench.path());
    KeptClaim later = claim();
    later.until = at(1004s);
    REQUIRE(next.find("web") != nullptr);
    CHECK(*next.find("web") == later);
    REQUIRE(next.find("dns") != nullptr);
    CHECK(*next.find("dns") == claim());
    CHECK(next.find("mail") == nullptr);
  }
  ClaimStore last(disk, bench.path());
  last.keep("mail", claim());
  last.drop_all_but([](const std::string& name) { return name == "mail"; });
  CHECK(last.find("web") == nullptr);
  CHECK(ClaimStore(disk, bench.path()).find("dns") == nullptr);
  CHECK(ClaimStore(disk, bench.path()).find("mail") != nullptr);
}

TEST_CASE("ClaimStore: the longest names fit and a long reason is cut") {
  const Bench bench;
  KeptClaim long_one = claim();
  long_one.interface = std::string(15, 'e');
  long_one.reason = std::string(1000, 'r');
  const std::string name(64, 'n');
  ClaimStore(disk, bench.path()).keep(name, long_one);
  const ClaimStore next(disk, bench.path());
  REQUIRE(next.find(name) != nullptr);
  CHECK(next.find(name)->interface == long_one.interface);
  CHECK(next.find(name)->reason.size() > 100);
  CHECK(long_one.reason.starts_with(next.find(name)->reason));
}

TEST_CASE("ClaimStore: a file of another version, of another boot, or a damaged one, holds no claim") {
  const Bench bench;
  ClaimStore(disk, bench.path()).keep("web", claim());
  REQUIRE(ClaimStore(disk, bench.path()).find("web") != nullptr);
  SECTION("another version of records") { bench.damage(4, '?'); }
  SECTION("another version") { bench.damage(kRecordHead + 12, '?'); }
  SECTION("another boot") { bench.damage(kRecordHead + 16, '?'); }
  SECTION("a record that was changed") { bench.damage(kRecord + 30, '?'); }
  SECTION("cut") { std::filesystem::resize_file(bench.path(), kRecord + 100); }
  SECTION("empty") { std::filesystem::resize_file(bench.path(), 0); }
  SECTION("a directory") {
    std::filesystem::remove(bench.path());
    std::filesystem::create_directory(bench.path());
  }
  CHECK(ClaimStore(disk, bench.path()).find("web") == nullptr);
}

TEST_CASE(
    "ClaimStore: a record that was never written, or a time that cannot be written, costs nothing but the claim") {
  const Bench bench;
  {
    ClaimStore claims(disk, bench.path());
    claims.keep("web", claim());
  }
  std::filesystem::resize_file(bench.path(), 3 * kRecord);  // the disk was full
  CHECK(ClaimStore(disk, bench.path()).find("web") != nullptr);
  ClaimStore nowhere(disk, "/nonexistent/claims");
  nowhere.keep("web", claim());
  nowhere.extend("web", at(1s));
  nowhere.drop("web");
  CHECK(nowhere.find("web") == nullptr);
}

TEST_CASE("KeptClaim: is good until its time, and never for a time that no vipd has written") {
  KeptClaim kept = claim();
  CHECK(kept.is_good(at(1003s - 1ns)));
  CHECK_FALSE(kept.is_good(at(1003s)));
  CHECK(kept.is_good(at(1002s), 1s - 1ns));
  CHECK_FALSE(kept.is_good(at(1002s), 1s));
  CHECK(kept.is_good(at(1003s - KeptClaim::kLongest)));
  CHECK_FALSE(kept.is_good(at(1003s - KeptClaim::kLongest - 1ns)));
  for (const TimePoint damaged : {TimePoint::min(), TimePoint::max()}) {
    kept.until = damaged;
    CHECK_FALSE(kept.is_good(at(1000s)));
  }
}

TEST_CASE("ClaimStore: claims that cannot be carried on are not found by the one after the next") {
  const Bench bench;
  ClaimStore(disk, bench.path()).keep("web", claim());
  std::filesystem::create_directory(bench.path() + ".new");
  ClaimStore next(disk, bench.path());
  CHECK(next.find("web") != nullptr);
  next.drop("web");
  std::filesystem::remove(bench.path() + ".new");
  CHECK(ClaimStore(disk, bench.path()).find("web") == nullptr);
}

TEST_CASE("ClaimStore: no flipped bit but those of a time makes another claim") {
  spdlog::set_level(spdlog::level::off);
  sim::SimStore store;
  ClaimStore(store, "claims").keep("web", claim());
  const std::string sound = store.at("claims");
  REQUIRE(sound.size() == 2 * kRecord);
  for (std::size_t at = 0; at < sound.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      store.at("claims") = sound;
      store.at("claims")[at] = static_cast<char>(sound[at] ^ (1 << bit));
      const ClaimStore next(store, "claims");
      const KeptClaim* found = next.find("web");
      if (found == nullptr) continue;
      KeptClaim expected = claim();
      expected.until = found->until;
      CAPTURE(at, bit);
      REQUIRE(at % kRecord >= kMarkAt);
      REQUIRE(at % kRecord < kMarkAt + sizeof(std::uint64_t));
      REQUIRE(*found == expected);
    }
}

TEST_CASE("ClaimStore: of a file whose end is missing, the claims before it are found") {
  spdlog::set_level(spdlog::level::off);
  sim::SimStore store;
  {
    ClaimStore claims(store, "claims");
    claims.keep("web", claim());
    claims.keep("mail", claim());
  }
  const std::string sound = store.at("claims");
  for (std::size_t size = 0; size <= sound.size(); ++size) {
    store.at("claims") = sound.substr(0, size);
    const ClaimStore next(store, "claims");
    CAPTURE(size);
    REQUIRE((next.find("web") != nullptr) == (size >= 2 * kRecord));
    REQUIRE((next.find("mail") != nullptr) == (size == 3 * kRecord));
    REQUIRE(store.at("claims").size() % kRecord == 0);
  }
}

TEST_CASE("ClaimStore: a disk that is full for a while costs the claims that had no room, and for that while alone") {
  sim::SimStore store;
  ClaimStore claims(store, "claims");
  claims.keep("web", claim());
  store.room = store.used() + 100;
  claims.keep("mail", claim());
  claims.extend("mail", at(1004s));
  claims.extend("web", at(1005s));  // this needs no room
  CHECK(ClaimStore(store, "claims").find("mail") == nullptr);
  REQUIRE(ClaimStore(store, "claims").find("web") != nullptr);
  CHECK(ClaimStore(store, "claims").find("web")->until == at(1005s));
}

TEST_CASE("ClaimStore: a claim is written with the first advert after there is room, and keeps the others' places") {
  sim::SimStore store;
  ClaimStore claims(store, "claims");
  claims.keep("web", claim());
  store.room = store.used();
  claims.keep("mail", claim());
  store.room = 10'000;
  claims.extend("mail", at(1006s));
  claims.extend("web", at(1007s));
  claims.keep("dns", claim());
  claims.drop("dns");
  const ClaimStore next(store, "claims");
  REQUIRE(next.find("mail") != nullptr);
  CHECK(next.find("mail")->until == at(1006s));
  REQUIRE(next.find("web") != nullptr);
  CHECK(next.find("web")->until == at(1007s));
  CHECK(next.find("dns") == nullptr);
}

TEST_CASE("ClaimStore: a disk that is full from the start is written once there is room") {
  sim::SimStore store;
  store.room = 0;
  ClaimStore claims(store, "claims");
  claims.keep("web", claim());
  CHECK_FALSE(store.has("claims"));
  claims.extend("web", at(1004s));
  store.room = 10'000;
  claims.keep("mail", claim());
  claims.extend("mail", at(1004s));
  const ClaimStore next(store, "claims");
  REQUIRE(next.find("web") != nullptr);
  CHECK(next.find("web")->until == at(1004s));
  CHECK(next.find("mail") != nullptr);
}

TEST_CASE("ClaimStore: an advert writes eight octets in place") {
  sim::SimStore store;
  ClaimStore claims(store, "claims");
  claims.keep("web", claim());
  const std::string before = store.at("claims");
  int writes = 0;
  store.before_write = [&](const std::string&) { ++writes; };
  claims.extend("web", TimePoint(Duration(~claim().until.time_since_epoch().count())));  // each bit changes
  CHECK(writes == 1);
  const std::string after = store.at("claims");
  REQUIRE(after.size() == before.size());
  std::size_t changed = 0;
  for (std::size_t i = 0; i < after.size(); ++i) changed += after[i] != before[i] ? 1 : 0;
  CHECK(changed == 8);
}

TEST_CASE("ClaimStore: on a full disk, a vipd or a last will that reads the claims leaves them to the next one") {
  sim::SimStore store;
  ClaimStore(store, "claims").keep("web", claim());
  store.room = store.used();
  for (int i = 0; i < 3; ++i) {
    const ClaimStore next(store, "claims");
    REQUIRE(next.find("web") != nullptr);
  }
}
