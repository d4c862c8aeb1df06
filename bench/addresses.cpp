// Many addresses on one instance. Measures the time until all are there, until the first is announced, and until all
// are gone. Measures how late adverts are meanwhile. Also measures what clients of the first, a middle and the last
// address lose in a planned move: a stop, a handover, and the return of the server with the higher priority.
#include <algorithm>
#include <array>
#include <fstream>
#include <thread>

#include "scenarios.hpp"

namespace vipd::bench {
namespace {

constexpr Duration kInterval = 100ms;
constexpr int kReturns = 5, kFloors = 5;

struct Figures {
  Figure taking, announcing, delay, leaving;
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
  Rig rig(program, {.addresses = count, .interval = kInterval});
  lab::Sniffer sniffer(rig.client);
  const lab::AddressMonitor monitor(rig.node_b);
  const auto cut = std::chrono::system_clock::now();
  rig.lab.set_port(rig.node_a, false);
  await("all addresses", 30s, [&] { return rig.b.holds_all(); });
  std::this_thread::sleep_for(1s);
  of(figures.taking, program).push_back(span(monitor, true, cut));
  lab::WallTime announced = lab::WallTime::max(), first = lab::WallTime::max();
  for (const auto& frame : sniffer.of_kind("garp"))
    if (lab::time_of(frame) > cut) announced = std::min(announced, lab::time_of(frame));
  for (const auto& event : monitor.events())
    if (event.added && event.time > cut) first = std::min(first, event.time);
  of(figures.announcing, program).push_back(lab::in_ms(announced - first));
  of(figures.delay, program).push_back(percentile(gaps(sniffer, "192.0.2.2", cut), 1) - lab::in_ms(kInterval));
  const auto told = std::chrono::system_clock::now();
  rig.b.terminate();
  await("the end", 30s, [&] { return rig.b.wait_end(1ms); });
  of(figures.leaving, program).push_back(span(monitor, false, told));
}

/// Stops `a` and starts it again, `count` times. Records what a client loses each time, and how often the holder
/// changes beyond that.
void come_back(Program program, int count, Figure& lost, Figure& further) {
  Rig rig(program, {.addresses = count, .interval = kInterval});
  const lab::Process serve_a(rig.node_a, {lab::program("vipd-traffic"), "serve", "7"});
  const lab::Process serve_b(rig.node_b, {lab::program("vipd-traffic"), "serve", "7"});
  for (int i = 0; i < kReturns; ++i) {
    rig.a.terminate();
    await("the end", 30s, [&] { return rig.a.wait_end(1ms); });
    await("the other one", 30s, [&] { return rig.b.holds_all(); });
    std::this_thread::sleep_for(1s);
    const lab::AddressMonitor monitor_a(rig.node_a), monitor_b(rig.node_b);
    lab::Watch watch(rig.client, kVip);
    rig.a.start();
    await("the first one", 30s, [&] { return rig.a.holds_all() && rig.b.holds_none(); });
    std::this_thread::sleep_for(3s);
    of(lost, program).push_back(watch.finish().at("longest_outage_ms").get<double>());
    int taken = 0;
    for (const lab::AddressMonitor* monitor : {&monitor_a, &monitor_b})
      for (const auto& event : monitor->events())
        if (event.added && event.prefix.starts_with(kVip + "/")) ++taken;
    of(further, program).push_back(taken - 1);
  }
}

/// The losses of clients of the first, a middle and the last address.
using Clients = std::array<Figure, 3>;

Clients clients_of(const std::string& change) {
  Clients all;
  const std::array<std::string, 3> names = {"first", "middle", "last"};
  for (std::size_t i = 0; i < all.size(); ++i)
    all[i] = {.what = "a client of the " + names[i] + " of 5000 loses in a " + change + ", adverts every 1s",
              .unit = "ms"};
  return all;
}

void watch_all(Rig& rig, Program program, int count, Clients& lost, const std::function<void()>& change) {
  std::vector<std::unique_ptr<lab::Watch>> watches;
  for (const int number : {0, count / 2, count - 1})
    watches.push_back(std::make_unique<lab::Watch>(rig.client, address_of(0, number)));
  std::this_thread::sleep_for(200ms);  // so that there is an answer to lose
  change();
  std::this_thread::sleep_for(2s);  // the longest move and one interval to spare
  for (std::size_t i = 0; i < watches.size(); ++i)
    of(lost[i], program).push_back(watches[i]->finish().at("longest_outage_ms").get<double>());
}

/// `a` runs a check every 100 ms (keepalived: every second) whether this file exists.
Shape with_file(Program program, int count, const std::string& file) {
  const std::string command = "/usr/bin/test -e " + file;
  if (program == Program::vipd)
    return {.addresses = count,
            .in_instance = "checks = [\"app\"]\n",
            .beside = "[check.app]\nfile = \"" + file + "\"\ninterval = \"100ms\"\nfall = 1\nrise = 1\n"};
  return {.addresses = count,
          .in_instance = "  track_script {\n    app\n  }\n",
          .beside = "vrrp_script app {\n  script \"" + command + "\"\n  interval 1\n  fall 1\n  rise 1\n}\n"};
}

void move_as_planned(Program program, int count, Clients& stop, Clients& handover, Clients& back) {
  const test::TemporaryDirectory directory;
  const std::string healthy = directory.path() + "/healthy";
  std::ofstream(healthy) << "1\n";
  Rig rig(program, with_file(program, count, healthy), {.addresses = count});
  lab::must(rig.client, "ip route add 10.0.0.0/8 dev eth0");
  const lab::Process serve_a(rig.node_a, {lab::program("vipd-traffic"), "serve", "7"});
  const lab::Process serve_b(rig.node_b, {lab::program("vipd-traffic"), "serve", "7"});
  const auto moved = [](const Server& from, const Server& to) {
    await("the other one", 30s, [&] { return to.holds_all() && from.holds_none(); });
  };
  watch_all(rig, program, count, stop, [&] {
    rig.a.terminate();
    await("the end", 30s, [&] { return rig.a.wait_end(1ms); });
    moved(rig.a, rig.b);
  });
  watch_all(rig, program, count, back, [&] {
    rig.a.start();
    moved(rig.b, rig.a);
  });
  watch_all(rig, program, count, handover, [&] {
    std::filesystem::remove(healthy);
    moved(rig.a, rig.b);
  });
}

}  // namespace

std::vector<Figure> addresses(int rounds) {
  std::vector<Figure> figures;
  for (const int count : {20, 1000, 5000}) {
    const std::string many = ", " + std::to_string(count) + " addresses";
    Figures all{{.what = "first to last address" + many, .unit = "ms", .floor = Samples()},
                {.what = "first announcement after the first" + many, .unit = "ms"},
                {.what = "adverts are late meanwhile by at most" + many, .unit = "ms"},
                {.what = "first to last removal" + many, .unit = "ms", .floor = Samples()}};
    in_turn(rounds, [&](Program program) { take_and_leave(program, count, all); });
    for (int i = 0; i < kFloors; ++i) {
      const AddressFloor floor = address_floor(count);
      all.taking.floor->push_back(lab::in_ms(floor.adding));
      all.leaving.floor->push_back(lab::in_ms(floor.removing));
    }
    for (const Figure& figure : {all.taking, all.announcing, all.delay, all.leaving}) figures.push_back(figure);
  }
  Figure lost{.what = "a client loses in a return, 5000 addresses", .unit = "ms"};
  Figure further{.what = "further changes of the holder, 5000 addresses", .unit = ""};
  in_turn(rounds, [&](Program program) { come_back(program, 5000, lost, further); });
  figures.push_back(lost);
  figures.push_back(further);
  Clients stop = clients_of("stop"), handover = clients_of("handover"), back = clients_of("return");
  in_turn(rounds, [&](Program program) { move_as_planned(program, 5000, stop, handover, back); });
  for (const Clients* clients : {&stop, &handover, &back})
    figures.insert(figures.end(), clients->begin(), clients->end());
  return figures;
}

}  // namespace vipd::bench
