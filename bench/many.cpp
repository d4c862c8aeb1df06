// More instances than an interface can have, adverts every second. Measures the cost of an advert, the memory, how long
// a stop takes to move all of them, and a start to hold them. Measures how all that grows with their number.
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <thread>

#include "scenarios.hpp"

namespace vipd::bench {
namespace {

constexpr Duration kInterval = 1s, kMeasured = 4s;
constexpr int kCounts[] = {1, 50, 255, 1000, 2000};

/// All figures for one number of instances.
struct Figures {
  Figure sending, hearing, memory, resigned, moved, started;
};

Figures figures_for(int count) {
  const std::string many = ", " + std::to_string(count) + " instances";
  const auto goal = [&](int least, double value) {
    return count >= least ? std::optional<double>(value) : std::nullopt;
  };
  return {{.what = "processor time for 1000 adverts sent" + many, .unit = "ms", .goal = goal(255, 0.5)},
          {.what = "processor time for 1000 adverts heard" + many, .unit = "ms", .goal = goal(255, 0.6)},
          {.what = "memory" + many, .unit = "MB", .goal = goal(2000, 1)},
          {.what = "stop to the last resignation" + many, .unit = "ms", .goal = goal(2000, 0.25)},
          {.what = "stop to the last address, beyond skew" + many, .unit = "ms", .goal = goal(2000, 0.6)},
          {.what = "start to the last address, beyond theory" + many, .unit = "ms", .goal = goal(2000, 0.5)}};
}

void stop(Program program, int count, Rig& rig, Figures& figures) {
  std::vector<std::unique_ptr<lab::Sniffer>> sniffers;
  for (int i = 0; i < interfaces_of({.instances = count}); ++i)
    sniffers.push_back(std::make_unique<lab::Sniffer>(rig.client, "eth" + std::to_string(i)));
  const lab::AddressMonitor monitor(rig.node_b);
  const auto told = std::chrono::system_clock::now();
  rig.a.terminate();
  await("all addresses on the other", 20s, [&] { return monitor.count() >= static_cast<std::size_t>(count); });
  const auto moved = monitor.events()[static_cast<std::size_t>(count) - 1].time;
  std::this_thread::sleep_for(1s);
  lab::WallTime resigned = told;
  for (const auto& sniffer : sniffers)
    for (const auto& advert : sniffer->of_kind("advert"))
      if (advert.at("priority") == 0) resigned = std::max(resigned, lab::time_of(advert));
  of(figures.resigned, program).push_back(lab::in_ms(resigned - told));
  of(figures.moved, program).push_back(lab::in_ms(moved - told - skew(kInterval)));
}

void start(Program program, int count, Figure& figure) {
  const Started started = start_alone(program, {.instances = count, .interval = kInterval}, 20s);
  if (started.addresses != count) throw std::runtime_error("not all addresses are there");
  of(figure, program).push_back(lab::in_ms(started.last - theory(kInterval)));
}

/// The slope of the line through the logarithms (least squares).
double exponent(const Samples& values) {
  double sum_x = 0, sum_y = 0, sum_xx = 0, sum_xy = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double x = std::log(kCounts[i]), y = std::log(std::max(values[i], 1e-3));
    sum_x += x;
    sum_y += y;
    sum_xx += x * x;
    sum_xy += x * y;
  }
  const auto n = static_cast<double>(values.size());
  return (n * sum_xy - sum_x * sum_y) / (n * sum_xx - sum_x * sum_x);
}

/// The exponent with which a figure grows, round by round. `is_rate`: the figure is given for 1000 adverts, so its
/// total also grows with their number.
Figure growth(const std::string& what, std::vector<Figures>& all, Figure Figures::* which, bool is_rate) {
  Figure figure{.what = "exponent of growth, " + what, .unit = ""};
  for (const Program program : {Program::vipd, Program::keepalived})
    for (std::size_t round = 0; round < of(all.front().*which, program).size(); ++round) {
      Samples values;
      for (std::size_t i = 0; i < all.size(); ++i)
        values.push_back(of(all[i].*which, program)[round] * (is_rate ? kCounts[i] : 1));
      of(figure, program).push_back(exponent(values));
    }
  return figure;
}

}  // namespace

std::vector<Figure> many(int rounds) {
  std::vector<Figures> all;
  for (const int count : kCounts) {
    all.push_back(figures_for(count));
    in_turn(rounds, [&](Program program) {
      Rig rig(program, {.instances = count, .interval = kInterval});
      cost_of_adverts(program, rig, count * static_cast<double>(kMeasured / kInterval), kMeasured, all.back().sending,
                      all.back().hearing, all.back().memory);
      stop(program, count, rig, all.back());
      start(program, count, all.back().started);
    });
  }
  std::vector<Figure> figures;
  for (const Figures& one : {all[all.size() - 2], all.back()})
    for (const Figure& figure : {one.sending, one.hearing, one.memory, one.resigned, one.moved, one.started})
      figures.push_back(figure);
  figures.push_back(growth("processor time to send", all, &Figures::sending, true));
  figures.push_back(growth("processor time to hear", all, &Figures::hearing, true));
  figures.push_back(growth("memory", all, &Figures::memory, false));
  figures.push_back(growth("stop to the last address", all, &Figures::moved, false));
  figures.push_back(growth("start to the last address", all, &Figures::started, false));
  return figures;
}

}  // namespace vipd::bench
