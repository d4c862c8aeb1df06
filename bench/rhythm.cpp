// How evenly adverts arrive, by the kernel's time stamps at the client. One case is a crowd of instances on an idle
// machine. The other is one fast instance on an overloaded machine, with the usual scheduling and with real-time
// priority.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <thread>

#include "scenarios.hpp"

namespace vipd::bench {
namespace {

constexpr Duration kMeasured = 5s;

Samples gaps_of(Rig& rig) {
  lab::Sniffer sniffer(rig.client);
  const auto since = std::chrono::system_clock::now();
  std::this_thread::sleep_for(kMeasured);
  return gaps(sniffer, kSourceA, since);
}

Samples deviations(Samples gaps, Duration interval) {
  for (double& gap : gaps) gap = std::abs(gap - lab::in_ms(interval));
  return gaps;
}

void at_rest(Program program, Figure& mean, Figure& deviation) {
  Rig rig(program, {.instances = 255, .interval = 100ms});
  std::this_thread::sleep_for(2s);  // the announcements are over by then
  const Samples all = gaps_of(rig);
  const double average = std::accumulate(all.begin(), all.end(), 0.0) / static_cast<double>(all.size());
  of(mean, program).push_back(std::abs(average - 100));
  of(deviation, program).push_back(percentile(deviations(all, 100ms), 0.99));
}

struct Loaded {
  const char* text;
  std::vector<std::string> before;
  Figure deviation = {}, worst = {}, failovers = {};
};

void under_load(Program program, Loaded& loaded) {
  const Shape hurried{.interval = 10ms};
  Rig rig(program, hurried, hurried, loaded.before);
  const lab::AddressMonitor monitor(rig.node_b);
  std::vector<std::unique_ptr<lab::Process>> load;
  for (unsigned i = 0; i < 2 * std::thread::hardware_concurrency(); ++i)
    load.push_back(
        std::make_unique<lab::Process>(rig.client, std::vector<std::string>{"sh", "-c", "while :; do :; done"}));
  const Samples all = deviations(gaps_of(rig), 10ms);
  of(loaded.deviation, program).push_back(percentile(all, 0.99));
  of(loaded.worst, program).push_back(percentile(all, 1));
  of(loaded.failovers, program)
      .push_back(static_cast<double>(
          std::ranges::count_if(monitor.events(), [](const lab::AddressEvent& event) { return event.added; })));
}

}  // namespace

std::vector<Figure> rhythm(int rounds) {
  const std::string crowd = ", 255 instances every 100ms", hurried = ", 10ms, two busy loops on each core";
  Figure mean{.what = "mean interval, error" + crowd, .unit = "ms", .goal = 0.1};
  Figure deviation{.what = "interval, deviation p99" + crowd, .unit = "ms", .goal = 1};
  Loaded all_loaded[] = {{"", {}}, {", real-time", {"chrt", "--rr", "1"}}};
  for (Loaded& loaded : all_loaded) {
    const std::string busy = hurried + loaded.text;
    const double goal = loaded.before.empty() ? 0.5 : 1;
    loaded.deviation = {.what = "interval, deviation p99" + busy, .unit = "ms", .goal = goal};
    loaded.worst = {.what = "interval, deviation at most" + busy, .unit = "ms", .goal = goal};
    loaded.failovers = {.what = "spurious failovers" + busy, .unit = ""};
  }
  in_turn(rounds, [&](Program program) {
    at_rest(program, mean, deviation);
    for (Loaded& loaded : all_loaded) under_load(program, loaded);
  });
  std::vector<Figure> figures = {mean, deviation};
  for (const Loaded& loaded : all_loaded)
    for (const Figure& figure : {loaded.deviation, loaded.worst, loaded.failovers}) figures.push_back(figure);
  return figures;
}

}  // namespace vipd::bench
