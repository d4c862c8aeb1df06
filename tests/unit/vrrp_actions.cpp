#include "support/catch.hpp"
#include "support/dies.hpp"
#include "support/election_trace.hpp"

namespace vipd {

using testing::dies;

TEST_CASE("Actions: none at first, then in the order in which they were added") {
  Actions actions;
  CHECK(actions.size() == 0);
  CHECK(actions.begin() == actions.end());
  actions.add(Release{});
  actions.add(SendAdvert{7});
  actions.add(Claim{});
  CHECK(actions.size() == 3);
  CHECK(testing::text(actions) == "release, advert 7, claim");
}

TEST_CASE("Actions: four fit and a fifth is a bug") {
  Actions actions;
  for (int i = 0; i < 4; ++i) actions.add(Claim{});
  CHECK(actions.size() == 4);
  CHECK(dies([&] { actions.add(Claim{}); }));
}

TEST_CASE("Election: priority 0 is no priority to be set", "[B04-]") {
  Election election({});
  CHECK(dies([&] { election.step(SetStanding{0}, TimePoint{}); }));
  CHECK_FALSE(dies([&] { election.step(SetStanding{1}, TimePoint{}); }));
}

}  // namespace vipd
