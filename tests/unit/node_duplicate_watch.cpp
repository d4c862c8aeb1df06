// DuplicateWatch: how long a claim waits for the old holder of an address.
#include "vipd/node/duplicate_watch.hpp"

#include "support/catch.hpp"

using namespace std::chrono_literals;
using vipd::DuplicateWatch;
using vipd::TimePoint;
using Verdict = vipd::DuplicateWatch::Verdict;

namespace {

const TimePoint kStart(100s);

}  // namespace

TEST_CASE("DuplicateWatch: a duplicate is added again once an interval, and given up after four") {
  DuplicateWatch watch;
  watch.begin(kStart);
  CHECK(watch.judge(1s, kStart + 100ms) == Verdict::detect_again);
  CHECK(watch.next() == kStart + 1100ms);
  CHECK(watch.judge(1s, kStart + 1099ms) == Verdict::wait);
  CHECK(watch.next() == kStart + 1100ms);
  CHECK(watch.judge(1s, kStart + 1100ms) == Verdict::detect_again);
  CHECK(watch.judge(1s, kStart + 2100ms) == Verdict::detect_again);
  CHECK(watch.judge(1s, kStart + 3999ms) == Verdict::detect_again);
  CHECK(watch.judge(1s, kStart + 4999ms) == Verdict::give_up);
}

TEST_CASE("DuplicateWatch: the next claim waits for the old holder anew") {
  DuplicateWatch watch;
  watch.begin(kStart);
  CHECK(watch.judge(1s, kStart + 5s) == Verdict::give_up);
  watch.forget();
  CHECK(watch.next() == vipd::kNever);
  watch.begin(kStart + 6s);
  CHECK(watch.judge(1s, kStart + 6s) == Verdict::detect_again);
}
