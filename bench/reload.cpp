// A reload in the midst of 255 instances, every 100 ms: adverts go on, and what has not changed costs little.
#include <algorithm>

#include "scenarios.hpp"

namespace vipd::bench {
namespace {

constexpr Duration kMeasured = 2s;
const Shape kCrowd{.instances = 255, .interval = 100ms};

struct Figures {
  Figure unchanged, cost, changed;
};

/// What it costs to be there for so long.
Duration cost_of_a_while(const Server& server) {
  const Duration before = server.processor_time_of_all();
  lab::wait_until(kMeasured, [] { return false; });
  return server.processor_time_of_all() - before;
}

void reload_twice(Program program, Figures& figures) {
  Rig rig(program, kCrowd);
  lab::wait_until(2s, [] { return false; });  // the announcements are over
  lab::Sniffer sniffer(rig.client);
  const Duration usual = cost_of_a_while(rig.a);
  auto since = std::chrono::system_clock::now();
  rig.a.reload(kCrowd);
  const Duration with_reload = cost_of_a_while(rig.a);
  of(figures.unchanged, program).push_back(percentile(gaps(sniffer, kSourceA, since), 1));
  of(figures.cost, program).push_back(std::max(lab::in_ms(with_reload - usual), 0.0));
  since = std::chrono::system_clock::now();
  rig.a.reload({.instances = kCrowd.instances - 1, .interval = kCrowd.interval});
  lab::wait_until(kMeasured, [] { return false; });
  of(figures.changed, program).push_back(percentile(gaps(sniffer, kSourceA, since), 1));
}

}  // namespace

std::vector<Figure> reload(int rounds) {
  Figures all{
      {.what = "longest interval, reload without a change", .unit = "ms", .vipd = {}, .keepalived = {}, .goal = 1},
      {.what = "processor time of a reload without a change", .unit = "ms", .vipd = {}, .keepalived = {}, .goal = 0.3},
      {.what = "longest interval, reload that removes one of 255",
       .unit = "ms",
       .vipd = {},
       .keepalived = {},
       .goal = 1}};
  in_turn(rounds, [&](Program program) { reload_twice(program, all); });
  return {all.unchanged, all.cost, all.changed};
}

}  // namespace vipd::bench
