// A reload in the midst of 255 instances, every 100 ms: adverts go on, and what has not changed costs little, with 2000
// as well.
#include <algorithm>
#include <thread>

#include "scenarios.hpp"

namespace vipd::bench {
namespace {

constexpr Duration kEach = 500ms;
constexpr int kReloads = 4;
const Shape kCrowd{.instances = 255, .interval = 100ms}, kMany{.instances = 2000, .interval = 1s};

struct Figures {
  Figure unchanged, cost, cost_of_many, changed;
};

/// What it costs to be there while a thing is done again and again.
Duration cost(const Server& server, const std::function<void()>& act) {
  const Duration before = server.processor_time_of_all();
  for (int i = 0; i < kReloads; ++i) {
    act();
    std::this_thread::sleep_for(kEach);
  }
  return server.processor_time_of_all() - before;
}

void reload_again(Program program, const Shape& shape, Rig& rig, Figure& figure) {
  const Duration usual = cost(rig.a, [] {});
  const Duration reloading = cost(rig.a, [&] { rig.a.reload(shape); });
  of(figure, program).push_back(std::max(lab::in_ms(reloading - usual) / kReloads, 0.0));
}

void reload_them(Program program, Figures& figures) {
  Rig rig(program, kCrowd);
  std::this_thread::sleep_for(2s);  // the announcements are over
  lab::Sniffer sniffer(rig.client);
  auto since = std::chrono::system_clock::now();
  reload_again(program, kCrowd, rig, figures.cost);
  of(figures.unchanged, program).push_back(percentile(gaps(sniffer, kSourceA, since), 1));
  since = std::chrono::system_clock::now();
  rig.a.reload({.instances = kCrowd.instances - 1, .interval = kCrowd.interval});
  std::this_thread::sleep_for(kReloads * kEach);
  of(figures.changed, program).push_back(percentile(gaps(sniffer, kSourceA, since), 1));
}

void reload_many(Program program, Figure& figure) {
  Rig rig(program, kMany);
  std::this_thread::sleep_for(2s);
  reload_again(program, kMany, rig, figure);
}

}  // namespace

std::vector<Figure> reload(int rounds) {
  Figures all{{.what = "longest interval, reload without a change", .unit = "ms", .goal = 1},
              {.what = "processor time of a reload without a change", .unit = "ms"},
              {.what = "processor time of a reload without a change, 2000 instances", .unit = "ms", .goal = 0.3},
              {.what = "longest interval, reload that removes one of 255", .unit = "ms", .goal = 1}};
  in_turn(rounds, [&](Program program) {
    reload_them(program, all);
    reload_many(program, all.cost_of_many);
  });
  return {all.unchanged, all.cost, all.cost_of_many, all.changed};
}

}  // namespace vipd::bench
