// Defence: how an Active router answers another host that announces one of its addresses.
#include "support/catch.hpp"
#include "vipd/vrrp/defence.hpp"

using namespace vipd;
using namespace std::chrono_literals;

namespace {

const IpAddress kOne = *IpAddress::parse("192.0.2.10"), kTwo = *IpAddress::parse("192.0.2.11");
constexpr MacAddress kStranger{{2, 0, 0, 0, 0, 0x63}}, kOther{{2, 0, 0, 0, 0, 0x64}};
constexpr TimePoint kStart{100s};

}  // namespace

TEST_CASE("F28: Defence: a claim is answered after a moment, with all addresses that were claimed by then") {
  Defence defence;
  CHECK(defence.due() == kNever);
  defence.note({kOne, kStranger}, false, kStart);
  defence.note({kTwo, kStranger}, false, kStart + 20ms);
  REQUIRE(defence.due() == kStart + Defence::kMoment);
  const auto answer = defence.answer(defence.due());
  CHECK(answer.addresses == std::set{kOne, kTwo});
  CHECK(answer.is_news);
  CHECK(defence.due() == kNever);
  REQUIRE(defence.contest());
  CHECK(defence.contest()->count == 2);
  CHECK(defence.contest()->answers == 1);
}

TEST_CASE("F28: Defence: a router that is Active no more answers nothing") {
  Defence defence;
  defence.note({kOne, kStranger}, false, kStart);
  defence.forget();
  CHECK(defence.due() == kNever);
  CHECK(defence.contest()->count == 1);
  defence.note({kTwo, kStranger}, false, kStart + 1s);
  CHECK(defence.answer(defence.due()).addresses == std::set{kTwo});
}

TEST_CASE("F28: Defence: what the old holder may still say is answered and is no contest") {
  Defence defence;
  defence.note({kOne, kStranger}, true, kStart);
  CHECK_FALSE(defence.contest());
  const auto answer = defence.answer(defence.due());
  CHECK(answer.addresses == std::set{kOne});
  CHECK_FALSE(answer.is_news);
}

TEST_CASE("F28: Defence: a flood is answered a second later, and then ever less often, up to eight seconds") {
  Defence defence;
  std::vector<TimePoint> answers;
  for (TimePoint now = kStart; now < kStart + 60s; now += 1ms) {
    defence.note({kOne, kStranger}, false, now);
    if (now < defence.due()) continue;
    CHECK(defence.answer(now).is_news == answers.empty());
    answers.push_back(now);
  }
  REQUIRE(answers.size() == 10);
  const std::vector<Duration> pauses = {1s, 2s, 4s, 8s, 8s, 8s, 8s, 8s, 8s};
  for (std::size_t i = 0; i < pauses.size(); ++i) CHECK(answers[i + 1] - answers[i] == pauses[i]);
  defence.answer(defence.due());  // the last answer to the flood
  const TimePoint quiet = kStart + 100s;
  defence.note({kOne, kStranger}, false, quiet);
  CHECK(defence.due() == quiet + Defence::kMoment);
  defence.answer(defence.due());
  defence.note({kOne, kStranger}, false, quiet + 100ms);
  CHECK(defence.due() == quiet + Defence::kMoment + 1s);
}

TEST_CASE("F28: Defence: another MAC is news, and so is the same one after a quiet minute") {
  Defence defence;
  const auto is_news = [&](const MacAddress& mac, TimePoint now) {
    defence.note({kOne, mac}, false, now);
    return defence.answer(defence.due()).is_news;
  };
  CHECK(is_news(kStranger, kStart));
  CHECK_FALSE(is_news(kStranger, kStart + 59s));
  CHECK(is_news(kOther, kStart + 90s));
  CHECK_FALSE(is_news(kOther, kStart + 149s));
  CHECK(is_news(kOther, kStart + 210s));
}
