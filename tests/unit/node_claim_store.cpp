// ClaimStore: what a vipd leaves is what the next one finds; a file that is not to be trusted is as good as none.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "support/catch.hpp"
#include "support/read_file.hpp"
#include "support/temporary_directory.hpp"
#include "vipd/node/claim_store.hpp"

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

class Bench {
 public:
  std::string path() const { return directory_.path() + "/claims"; }
  /// One octet of the file is another one.
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
    ClaimStore store(bench.path());
    store.keep("web", claim());
    store.keep("mail", claim());
    store.keep("dns", claim());
    store.extend("web", at(1004s));
    store.drop("mail");
    store.drop("unknown");
  }
  for (int i = 0; i < 2; ++i) {  // reading it changes nothing
    const ClaimStore next(bench.path());
    KeptClaim later = claim();
    later.until = at(1004s);
    REQUIRE(next.find("web") != nullptr);
    CHECK(*next.find("web") == later);
    REQUIRE(next.find("dns") != nullptr);
    CHECK(*next.find("dns") == claim());
    CHECK(next.find("mail") == nullptr);
  }
  ClaimStore last(bench.path());
  last.keep("mail", claim());
  last.drop_all_but([](const std::string& name) { return name == "mail"; });
  CHECK(last.find("web") == nullptr);
  CHECK(ClaimStore(bench.path()).find("dns") == nullptr);
  CHECK(ClaimStore(bench.path()).find("mail") != nullptr);
}

TEST_CASE("ClaimStore: the longest names fit and a long reason is cut") {
  const Bench bench;
  KeptClaim long_one = claim();
  long_one.interface = std::string(15, 'e');
  long_one.reason = std::string(1000, 'r');
  const std::string name(64, 'n');
  ClaimStore(bench.path()).keep(name, long_one);
  const ClaimStore next(bench.path());
  REQUIRE(next.find(name) != nullptr);
  CHECK(next.find(name)->interface == long_one.interface);
  CHECK(next.find(name)->reason.size() > 100);
  CHECK(long_one.reason.starts_with(next.find(name)->reason));
}

TEST_CASE("ClaimStore: a file of another version, of another boot, or a damaged one, holds no claim") {
  const Bench bench;
  ClaimStore(bench.path()).keep("web", claim());
  REQUIRE(ClaimStore(bench.path()).find("web") != nullptr);
  SECTION("another version") { bench.damage(12, '?'); }
  SECTION("another boot") { bench.damage(16, '?'); }
  SECTION("a record that was changed") { bench.damage(kRecord + 30, '?'); }
  SECTION("cut") { std::filesystem::resize_file(bench.path(), kRecord + 100); }
  SECTION("empty") { std::filesystem::resize_file(bench.path(), 0); }
  SECTION("a directory") {
    std::filesystem::remove(bench.path());
    std::filesystem::create_directory(bench.path());
  }
  CHECK(ClaimStore(bench.path()).find("web") == nullptr);
}

TEST_CASE(
    "ClaimStore: a record that was never written, or a time that cannot be written, costs nothing but the claim") {
  const Bench bench;
  {
    ClaimStore store(bench.path());
    store.keep("web", claim());
  }
  std::filesystem::resize_file(bench.path(), 3 * kRecord);  // the disk was full
  CHECK(ClaimStore(bench.path()).find("web") != nullptr);
  ClaimStore nowhere("/nonexistent/claims");
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
  ClaimStore(bench.path()).keep("web", claim());
  std::filesystem::create_directory(bench.path() + ".new");
  ClaimStore next(bench.path());
  CHECK(next.find("web") != nullptr);
  next.drop("web");
  std::filesystem::remove(bench.path() + ".new");
  CHECK(ClaimStore(bench.path()).find("web") == nullptr);
}
