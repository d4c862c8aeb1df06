// A reload among 255 instances with adverts every 100 ms, and among 2000: adverts go on, and unchanged instances cost
// little. A reload that adds an address to 5000: when it is there, and what is announced.
#include <algorithm>
#include <thread>

#include "scenarios.hpp"

namespace vipd::bench {
namespace {

constexpr Duration kEach = 500ms;
constexpr int kReloads = 4;
constexpr Duration kAnnounced = 15s;  // all bursts of announcements are over by then
constexpr int kHeld = 5000;
const Shape kCrowd{.instances = 255, .interval = 100ms}, kMany{.instances = 2000, .interval = 1s};

struct Figures {
  Figure unchanged, cost, cost_of_many, changed, added, announced;
};

/// Processor time while `act` runs again and again.
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
  std::this_thread::sleep_for(2s);  // the announcements are over by then
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

void add_one(Program program, Figures& figures) {
  Rig rig(program, {.addresses = kHeld, .interval = 100ms});
  std::this_thread::sleep_for(kAnnounced);
  lab::Sniffer sniffer(rig.client);
  const lab::AddressMonitor monitor(rig.node_a);
  rig.a.reload({.addresses = kHeld + 1, .interval = 100ms});
  const auto told = std::chrono::system_clock::now();
  await("one more address", 5s, [&] { return monitor.count() > 0; });
  std::this_thread::sleep_for(kAnnounced);
  of(figures.added, program).push_back(lab::in_ms(monitor.events().front().time - told));
  of(figures.announced, program).push_back(static_cast<double>(sniffer.of_kind("garp").size()));
}

}  // namespace

std::vector<Figure> reload(int rounds) {
  Figures all{{.what = "longest interval, reload without a change", .unit = "ms", .goal = 1},
              {.what = "processor time of a reload without a change", .unit = "ms"},
              {.what = "processor time of a reload without a change, 2000 instances", .unit = "ms", .goal = 0.3},
              {.what = "longest interval, reload that removes one of 255", .unit = "ms", .goal = 1},
              {.what = "reload to the address that it adds to 5000", .unit = "ms"},
              {.what = "announcements behind a reload that adds one address to 5000", .unit = ""}};
  in_turn(rounds, [&](Program program) {
    reload_them(program, all);
    reload_many(program, all.cost_of_many);
    add_one(program, all);
  });
  return {all.unchanged, all.cost, all.cost_of_many, all.changed, all.added, all.announced};
}

}  // namespace vipd::bench
