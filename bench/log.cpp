// Nobody reads the log: standard output and error are a pipe that is full from the beginning.
#include "scenarios.hpp"
#include "support/lab/stuck_log.hpp"

namespace vipd::bench {
namespace {

const Shape kCrowd{.instances = 255, .interval = 100ms};
constexpr Duration kPatience = 8s;

void start(Program program, const std::vector<std::string>& before, Figure& count, Figure& time) {
  lab::Lab lab;
  lab::Node& node = add_server(lab, "a", 1, 1);
  Server server(node, program, kCrowd, 254);
  const auto own = lab::addresses(node).size();
  const lab::AddressMonitor monitor(node);
  const auto held = [&] { return static_cast<int>(lab::addresses(node).size() - own); };
  const auto began = std::chrono::system_clock::now();
  server.start(before);
  const bool are_all = lab::wait_until(kPatience, [&] { return held() == kCrowd.instances; });
  of(count, program).push_back(held());
  if (are_all) of(time, program).push_back(lab::in_ms(monitor.events().back().time - began));
}

}  // namespace

std::vector<Figure> log(int rounds) {
  std::vector<Figure> figures;
  for (const bool is_read : {true, false}) {
    const std::string how = is_read ? ", log is read" : ", log is not read";
    Figure count{.what = "addresses of 255 instances" + how, .unit = ""};
    Figure time{.what = "start to the last address" + how, .unit = "ms"};
    in_turn(rounds, [&](Program program) {
      const lab::StuckLog pipe;
      start(program, is_read ? std::vector<std::string>() : pipe.words(), count, time);
    });
    figures.push_back(count);
    figures.push_back(time);
  }
  return figures;
}

}  // namespace vipd::bench
