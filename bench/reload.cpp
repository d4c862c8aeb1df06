// A reload in the midst of 255 instances, every 100 ms: adverts go on, and what has not changed costs little.
#include <algorithm>

#include "scenarios.hpp"

namespace vipd::bench {
namespace {

constexpr Duration kEach = 500ms;
constexpr int kReloads = 4;
const Shape kCrowd{.instances = 255, .interval = 100ms};

struct Figures {
  Figure unchanged, cost, changed;
};

/// What it costs to be there while a thing is done again and again.
Duration cost(const Server& server, const std::function<void()>& act) {
  const Duration before = server.processor_time_of_all();
  for (int i = 0; i < kReloads; ++i) {
    act();
    lab::wait_until(kEach, [] { return false; });
  }
  return server.processor_time_of_all() - before;
}

void reload_them(Program program, Figures& figures) {
  Rig rig(program, kCrowd);
  lab::wait_until(2s, [] { return false; });  // the announcements are over
  lab::Sniffer sniffer(rig.client);
  const Duration usual = cost(rig.a, [] {});
  auto since = std::chrono::system_clock::now();
  const Duration reloading = cost(rig.a, [&] { rig.a.reload(kCrowd); });
  of(figures.unchanged, program).push_back(percentile(gaps(sniffer, kSourceA, since), 1));
  of(figures.cost, program).push_back(std::max(lab::in_ms(reloading - usual) / kReloads, 0.0));
  since = std::chrono::system_clock::now();
  rig.a.reload({.instances = kCrowd.instances - 1, .interval = kCrowd.interval});
  lab::wait_until(kReloads * kEach, [] { return false; });
  of(figures.changed, program).push_back(percentile(gaps(sniffer, kSourceA, since), 1));
}

}  // namespace

std::vector<Figure> reload(int rounds) {
  Figures all{{.what = "longest interval, reload without a change", .unit = "ms", .goal = 1},
              {.what = "processor time of a reload without a change", .unit = "ms", .goal = 0.3},
              {.what = "longest interval, reload that removes one of 255", .unit = "ms", .goal = 1}};
  in_turn(rounds, [&](Program program) { reload_them(program, all); });
  return {all.unchanged, all.cost, all.changed};
}

}  // namespace vipd::bench
