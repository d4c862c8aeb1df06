// A planned move costs nothing: a stop, and the return of the server with the higher priority. A client asks every
// millisecond.
#include <thread>

#include "scenarios.hpp"

namespace vipd::bench {
namespace {

struct Figures {
  Figure stop, exit, back;
};

void stop_and_return(Program program, Duration interval, Figures& figures) {
  Rig rig(program, {.interval = interval});
  const lab::Process serve_a(rig.node_a, {lab::program("vipd-traffic"), "serve", "7"});
  const lab::Process serve_b(rig.node_b, {lab::program("vipd-traffic"), "serve", "7"});
  const lab::AddressMonitor monitor(rig.node_a);
  const auto lost = [&](const std::function<void()>& change) {
    lab::Watch watch(rig.client, kVip);
    std::this_thread::sleep_for(200ms);  // so that there is an answer to lose
    change();
    std::this_thread::sleep_for(200ms);
    return watch.finish().at("longest_outage_ms").get<double>();
  };
  of(figures.stop, program).push_back(lost([&] {
    const auto told = std::chrono::system_clock::now();
    rig.a.terminate();
    await("the end", 10s, [&] { return rig.a.wait_end(1ms); });
    const auto ended = std::chrono::system_clock::now();
    await("the other one", 5 * interval + 5s, [&] { return rig.b.holds_all() && rig.a.holds_none(); });
    of(figures.exit, program).push_back(lab::in_ms(ended - moment_of(monitor, false, kVip, told)));
  }));
  of(figures.back, program).push_back(lost([&] {
    rig.a.start();
    await("the first one", 5 * interval + 10s, [&] { return rig.a.holds_all() && rig.b.holds_none(); });
  }));
}

}  // namespace

std::vector<Figure> planned(int rounds) {
  std::vector<Figure> figures;
  for (const Duration interval : {Duration(1s), Duration(100ms), Duration(10ms)}) {
    const std::string adverts = ", adverts every " + format_duration(interval);
    Figures all{{.what = "a client loses in a stop" + adverts, .unit = "ms"},
                {.what = "the process ends after it let go" + adverts, .unit = "ms"},
                {.what = "a client loses in a preemption" + adverts, .unit = "ms"}};
    in_turn(rounds, [&](Program program) { stop_and_return(program, interval, all); });
    for (const Figure& figure : {all.stop, all.exit, all.back}) figures.push_back(figure);
  }
  return figures;
}

}  // namespace vipd::bench
