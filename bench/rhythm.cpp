// How evenly adverts come, by the kernel's stamps at the client: of a crowd on a machine at rest, and of one instance
// in a hurry on a machine that has more to do than it can.
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
  lab::wait_until(kMeasured, [] { return false; });
  return gaps(sniffer, kSourceA, since);
}

Samples deviations(Samples gaps, Duration interval) {
  for (double& gap : gaps) gap = std::abs(gap - lab::in_ms(interval));
  return gaps;
}

void at_rest(Program program, Figure& mean, Figure& deviation) {
  Rig rig(program, {.instances = 255, .interval = 100ms});
  lab::wait_until(2s, [] { return false; });  // the announcements are over
  const Samples all = gaps_of(rig);
  const double average = std::accumulate(all.begin(), all.end(), 0.0) / static_cast<double>(all.size());
  of(mean, program).push_back(std::abs(average - 100));
  of(deviation, program).push_back(percentile(deviations(all, 100ms), 0.99));
}

void under_load(Program program, Figure& deviation, Figure& worst, Figure& failovers) {
  Rig rig(program, {.interval = 10ms});
  const lab::AddressMonitor monitor(rig.node_b);
  std::vector<std::unique_ptr<lab::Process>> load;
  for (unsigned i = 0; i < 2 * std::thread::hardware_concurrency(); ++i)
    load.push_back(
        std::make_unique<lab::Process>(rig.client, std::vector<std::string>{"sh", "-c", "while :; do :; done"}));
  const Samples all = deviations(gaps_of(rig), 10ms);
  of(deviation, program).push_back(percentile(all, 0.99));
  of(worst, program).push_back(percentile(all, 1));
  of(failovers, program)
      .push_back(static_cast<double>(
          std::ranges::count_if(monitor.events(), [](const lab::AddressEvent& event) { return event.added; })));
}

}  // namespace

std::vector<Figure> rhythm(int rounds) {
  const std::string crowd = ", 255 instances every 100ms", busy = ", 10ms, two busy loops on each core";
  Figure mean{.what = "mean interval, error" + crowd, .unit = "ms", .goal = 0.1};
  Figure deviation{.what = "interval, deviation p99" + crowd, .unit = "ms", .goal = 1};
  Figure loaded{.what = "interval, deviation p99" + busy, .unit = "ms", .goal = 0.5};
  Figure worst{.what = "interval, deviation at most" + busy, .unit = "ms", .goal = 0.5};
  Figure failovers{.what = "spurious failovers" + busy, .unit = ""};
  in_turn(rounds, [&](Program program) {
    at_rest(program, mean, deviation);
    under_load(program, loaded, worst, failovers);
  });
  return {mean, deviation, loaded, worst, failovers};
}

}  // namespace vipd::bench
