// An instance cannot be Active: an interface of one of its addresses is down, or the kernel refuses an object. It gives
// way at once, disturbs no node meanwhile, and returns when the kernel reports a change or when no other node is
// Active.
#include <algorithm>

#include "sim.hpp"
#include "support/catch.hpp"

using namespace vipd;
using namespace vipd::sim;

namespace {

/// The words that the hooks of a node were told: "BACKUP MASTER FAULT".
std::string told(const Node& node) {
  std::string all;
  for (const Command& command : node.runner->started)
    if (const auto& words = command.arguments; words.size() > 3)
      all += (all.empty() ? "" : " ") + words[words.size() - 2];
  return all;
}

std::ptrdiff_t adverts_of(const World& world, const Node& node, TimePoint since) {
  return std::ranges::count_if(
      world.adverts, [&](const SentAdvert& advert) { return advert.node == node.index && advert.time >= since; });
}

/// The kernel refuses each address with this errno from now on; 0 = accepts all.
void refuse(Node& node, int error) {
  node.kernel.refuse = [error](const KernelObject& object) {
    return std::holds_alternative<AddressObject>(object) ? error : 0;
  };
}

}  // namespace

TEST_CASE("F6: a node that cannot have the address leaves the one alone that has it, and says so once") {
  World world(seed_from_environment(64));
  auto [a, b] = settled_pair(world, 254, 253);
  a.kill();
  a.kernel.real()->addresses.erase({kVip, 24});
  world.run_for(seconds(5));
  REQUIRE(b.active());
  const auto error = GENERATE(EPERM, ENETUNREACH, EINVAL);
  refuse(a, error);
  a.start();
  const TimePoint back = world.now;
  world.adverts.clear();
  a.wire.announced.clear();
  world.run_for(seconds(600));
  CHECK(b.active());
  CHECK(b.router().counters().transitions == 2);
  CHECK(a.router().shown() == ShownState::fault);
  CHECK(told(a) == "BACKUP FAULT");
  CHECK(adverts_of(world, a, back) == 0);
  CHECK(a.wire.announced.empty());
  b.kill();
  refuse(a, 0);
  world.run_for(2 * active_down_interval(254, kInterval) + kSlack);  // the time of a failed claim and of the next one
  CHECK(a.active());
  CHECK(told(a) == "BACKUP FAULT MASTER");
}
