// A hook: from the change of the address to the script's first instruction. Both programs run the same script.
#include <spawn.h>
#include <sys/wait.h>

#include <thread>

#include "scenarios.hpp"

extern char** environ;

namespace vipd::bench {
namespace {

constexpr int kTakeovers = 8, kStarts = 20;

std::string line_for(Program program, const Stamps& stamps) {
  if (program == Program::keepalived) return "  notify_master \"" + stamps.command() + "\"\n";
  std::string words = stamps.command();
  for (auto at = words.find(' '); at != std::string::npos; at = words.find(' ', at + 4)) words.replace(at, 1, "\", \"");
  return "hooks.active = [\"" + words + "\"]\n";
}

void take_over(Program program, Figure& begun) {
  const Stamps stamps;
  Rig rig(program, {.interval = 100ms, .in_instance = line_for(program, stamps)});
  const lab::AddressMonitor monitor(rig.node_b);
  for (int i = 0; i < kTakeovers; ++i) {
    const auto cut = std::chrono::system_clock::now();
    rig.lab.set_port(rig.node_a, false);
    await("the hook", 10s, [&] { return stamps.first(cut).has_value(); });
    const auto present = moment_of(monitor, true, kVip, cut);
    of(begun, program).push_back(lab::in_ms(stamps.first(cut).value() - present));
    rig.lab.set_port(rig.node_a, true);
    await("the first one", 10s, [&] { return rig.a.holds_all() && rig.b.holds_none(); });
    std::this_thread::sleep_for(500ms);  // the hook of the previous round has ended
  }
}

/// posix_spawn(3) alone, in ms.
double spawn_floor() {
  const Stamps stamps;
  std::string program = stamps.directory() / "stamp", record = stamps.directory() / "record";
  char* arguments[] = {program.data(), record.data(), nullptr};
  pid_t pid = 0;
  const auto began = std::chrono::system_clock::now();
  if (::posix_spawn(&pid, program.c_str(), nullptr, nullptr, arguments, environ) != 0)
    throw std::runtime_error("cannot start " + program);
  ::waitpid(pid, nullptr, 0);
  return lab::in_ms(stamps.first(began).value() - began);
}

}  // namespace

std::vector<Figure> hooks(int rounds) {
  Figure begun{.what = "address present to a hook's first instruction", .unit = "ms", .floor = Samples(), .goal = 0.6};
  in_turn(rounds, [&](Program program) { take_over(program, begun); });
  for (int i = 0; i < kStarts; ++i) begun.floor->push_back(spawn_floor());
  return {begun};
}

}  // namespace vipd::bench
