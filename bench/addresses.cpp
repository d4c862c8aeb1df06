// Many addresses on one instance: how long it takes until all are there, until the first is announced, and until all
// are gone again.
#include <algorithm>

#include "scenarios.hpp"

namespace vipd::bench {
namespace {

struct Figures {
  Figure taking, announcing, leaving;
};

/// From the first event of this kind to the last, in ms.
double span(const lab::AddressMonitor& monitor, bool added, lab::WallTime since) {
  lab::WallTime first = lab::WallTime::max(), last{};
  for (const auto& event : monitor.events()) {
    if (event.added != added || event.time < since) continue;
    first = std::min(first, event.time);
    last = std::max(last, event.time);
  }
  return lab::in_ms(last - first);
}

void take_and_leave(Program program, int count, Figures& figures) {
  Rig rig(program, {.addresses = count, .interval = 1s});
  lab::Sniffer sniffer(rig.client);
  const lab::AddressMonitor monitor(rig.node_b);
  const auto cut = std::chrono::system_clock::now();
  rig.lab.set_port(rig.node_a, false);
  await("all addresses", 30s, [&] { return rig.b.holds_all(); });
  lab::wait_until(1s, [] { return false; });
  of(figures.taking, program).push_back(span(monitor, true, cut));
  lab::WallTime announced = lab::WallTime::max(), first = lab::WallTime::max();
  for (const auto& frame : sniffer.of_kind("garp"))
    if (lab::time_of(frame) > cut) announced = std::min(announced, lab::time_of(frame));
  for (const auto& event : monitor.events())
    if (event.added && event.time > cut) first = std::min(first, event.time);
  of(figures.announcing, program).push_back(lab::in_ms(announced - first));
  const auto told = std::chrono::system_clock::now();
  rig.b.terminate();
  await("the end", 30s, [&] { return rig.b.wait_end(1ms); });
  of(figures.leaving, program).push_back(span(monitor, false, told));
}

}  // namespace

std::vector<Figure> addresses(int rounds) {
  std::vector<Figure> figures;
  for (const int count : {20, 1000, 5000}) {
    const std::string many = ", " + std::to_string(count) + " addresses";
    Figures all{{.what = "first to last address" + many, .unit = "ms", .floor = Samples()},
                {.what = "first announcement after the first" + many, .unit = "ms"},
                {.what = "first to last removal" + many, .unit = "ms", .floor = Samples()}};
    in_turn(rounds, [&](Program program) { take_and_leave(program, count, all); });
    for (int i = 0; i < rounds; ++i) {
      const AddressFloor floor = address_floor(count);
      all.taking.floor->push_back(lab::in_ms(floor.adding));
      all.leaving.floor->push_back(lab::in_ms(floor.removing));
    }
    for (const Figure& figure : {all.taking, all.announcing, all.leaving}) figures.push_back(figure);
  }
  return figures;
}

}  // namespace vipd::bench
