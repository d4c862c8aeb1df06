// A check as a value: results go in, the verdict and the next due time come out.
#include <vector>

#include "support/catch.hpp"
#include "support/election_trace.hpp"
#include "vipd/vrrp/check.hpp"

using namespace vipd;
using namespace vipd::testing;

namespace {

const CheckResult kPass{.passed = true}, kFail{.passed = false, .detail = "exit status 1"};

CheckRules rules(unsigned rise, unsigned fall) {
  CheckRules rules;
  rules.rise = rise;
  rules.fall = fall;
  return rules;
}

/// Runs the check once for each result, each run as soon as it is due. The verdicts are 'P' or 'F'.
std::string verdicts(Check& check, const std::string& results) {
  std::string said;
  for (const char result : results) {
    const TimePoint now = check.due();
    check.started(now);
    check.finished(result == 'P' ? kPass : kFail, now + 10ms);
    said += check.passes() ? 'P' : 'F';
  }
  return said;
}

Check fresh(const CheckRules& rules) { return {rules, rules.initial, at(0s)}; }

}  // namespace

TEST_CASE("check: the first result decides, then rise and fall in a row do") {
  struct Case {
    unsigned rise, fall;
    const char *results, *said;
  };
  for (const Case& one : std::vector<Case>{{2, 2, "PPFPFFPPFF", "PPPPPFFPPF"},
                                           {1, 1, "PFPF", "PFPF"},
                                           {3, 1, "PFPPFPPPF", "PFFFFFFPF"},
                                           {1, 3, "FPFFPFFF", "FPPPPPPF"},
                                           {2, 2, "FPFPP", "FFFFP"}}) {
    INFO(one.results << " with rise " << one.rise << " and fall " << one.fall);
    Check check = fresh(rules(one.rise, one.fall));
    CHECK(verdicts(check, one.results) == one.said);
  }
}

TEST_CASE("check: before the first result it counts as its initial verdict, and is unknown") {
  CheckRules optimistic;
  optimistic.initial = CheckState::pass;
  CHECK_FALSE(fresh(CheckRules()).passes());
  CHECK(fresh(optimistic).passes());
  CHECK(fresh(optimistic).state() == CheckState::unknown);
}

TEST_CASE("check: invert turns each result around") {
  CheckRules inverted = rules(1, 1);
  inverted.invert = true;
  Check check = fresh(inverted);
  CHECK(verdicts(check, "PFPF") == "FPFP");
}

TEST_CASE("check: due at once, then at absolute times, never twice at a time, and at once if a run took too long") {
  Check check = fresh(CheckRules());
  CHECK(check.due() == at(0s));
  check.started(at(0s));
  CHECK(check.due() == kNever);
  check.finished(kPass, at(300ms));
  CHECK(check.due() == at(1s));
  check.started(at(1'020ms));  // the loop was late
  check.finished(kPass, at(1'030ms));
  CHECK(check.due() == at(2s));
  check.started(at(2s));
  check.finished(kPass, at(5s));
  CHECK(check.due() == at(5s));
}

TEST_CASE("check: what came to nothing changes nothing, and after a bound the verdict is stale") {
  Check check = fresh(rules(1, 1));
  verdicts(check, "P");  // heard at 10 ms
  check.started(at(1s));
  CHECK_FALSE(check.is_stale(at(10ms + 4s)));
  CHECK(check.stale_reason(at(11ms + 4s)) == "vipd-runner does not answer");
  check.finished(failure("refused"), at(2s));
  CHECK(check.passes());
  CHECK(check.due() == at(2s));
  CHECK(check.stale_reason(at(2s)) == "refused");  // known at once
  CHECK(check.passes());
  check.started(at(5s));
  check.finished(kPass, at(5s));
  CHECK_FALSE(check.is_stale(at(5s)));
}

TEST_CASE("check: since when, and the last words that agree with the verdict") {
  Check check = fresh(rules(1, 2));
  verdicts(check, "PF");
  CHECK(check.detail().empty());
  CHECK(check.since() == at(10ms));
  verdicts(check, "F");
  CHECK(check.detail() == "exit status 1");
  CHECK(check.since() == at(2'010ms));
}

TEST_CASE("check: with other rules what is known stays until the next result, which decides and is due at once") {
  Check check = fresh(rules(2, 2));
  verdicts(check, "P");
  check.started(at(1s));
  check.reconfigure(rules(5, 5), at(1'100ms));
  CHECK(check.passes());
  CHECK(check.due() == at(1'100ms));
  CHECK(verdicts(check, "FP") == "FF");
}

TEST_CASE("check: what failed checks do to an instance") {
  const auto failed = [](OnFail on_fail) {
    CheckRules some = rules(1, 1);
    some.on_fail = on_fail;
    Check check = fresh(some);
    verdicts(check, "F");
    return check;
  };
  Health health;
  add_to(health, "first", failed({OnFail::Effect::weight, -20}));
  CHECK(health == Health{.weight = -20});
  add_to(health, "app", failed({}));
  add_to(health, "another", failed({}));
  CHECK(health == Health{.unfit = "check app failed: exit status 1", .weight = -20});
  add_to(health, "disk", failed({OnFail::Effect::fault, 0}));
  CHECK(*health.fault == "check disk failed: exit status 1");
  add_to(health, "second", failed({OnFail::Effect::weight, 5}));
  CHECK(health.weight == -15);

  Health early;
  add_to(early, "app", fresh(CheckRules()));
  CHECK(*early.unfit == "check app has no result yet");
}

TEST_CASE("check: a delivered weight counts while it passes, and is followed at once") {
  CheckRules load = rules(2, 1);
  load.delivers_weight = true;
  Check check = fresh(load);
  const auto deliver = [&](bool passed, int weight) {
    const TimePoint now = check.due();
    check.started(now);
    check.finished(CheckResult{.passed = passed, .weight = weight}, now);
    return check.weight();
  };
  CHECK(deliver(true, -30) == -30);
  CHECK(deliver(true, -5) == -5);
  CHECK(deliver(false, 0) == 0);
  CHECK(deliver(true, -7) == 0);  // rise is 2
  CHECK(deliver(true, -8) == -8);
}
