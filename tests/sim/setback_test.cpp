// An instance that cannot be Active: an interface of one of its addresses is down, or the kernel refuses what it is to
// hold. It gives way at once, comes back by the kernel's word, disturbs nobody meanwhile and is there when it is
// needed.
#include <algorithm>

#include "sim.hpp"
#include "support/catch.hpp"

using namespace vipd;
using namespace vipd::sim;

namespace {

/// What the hooks of a node were told, "BACKUP MASTER FAULT".
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

/// The kernel refuses each address from now on; 0: none any more.
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
  world.run_for(2 * active_down_interval(254, kInterval) + kSlack);  // a claim that failed, and the next
  CHECK(a.active());
  CHECK(told(a) == "BACKUP FAULT MASTER");
}
