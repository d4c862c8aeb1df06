// A server detects its own fault: its link is gone, or its service does not work.
#include <fstream>

#include "scenarios.hpp"

namespace vipd::bench {
namespace {

void lose_link(Program program, Figure& release) {
  Rig rig(program, {});
  const lab::AddressMonitor monitor(rig.node_a);
  const auto cut = std::chrono::system_clock::now();
  rig.lab.set_port(rig.node_a, false);
  await("the release", 10s, [&] { return rig.a.holds_none(); });
  of(release, program).push_back(lab::in_ms(moment_of(monitor, false, kVip, cut) - cut));
}

/// `a` checks every second whether a file exists.
Shape with_check(Program program, const Stamps& stamps) {
  const std::string check = stamps.directory() / "check";
  std::ofstream(check) << "#!/bin/sh\n[ -e " << (stamps.directory() / "healthy").string() << " ] || exec "
                       << stamps.command(1) << "\n";
  std::filesystem::permissions(check, std::filesystem::perms::owner_all);
  if (program == Program::vipd)
    return {.in_instance = "checks = [\"app\"]\n",
            .beside = "[check.app]\ncommand = [\"" + check + "\"]\ninterval = \"1s\"\nfall = 1\nrise = 1\n"};
  return {.in_instance = "  track_script {\n    app\n  }\n",
          .beside = "vrrp_script app {\n  script \"" + check + "\"\n  interval 1\n  fall 1\n  rise 1\n}\n"};
}

void fail_check(Program program, Figure& claim) {
  const Stamps stamps;
  const auto healthy = stamps.directory() / "healthy";
  std::ofstream(healthy) << "";
  Rig rig(program, with_check(program, stamps), {});
  const lab::AddressMonitor monitor(rig.node_b);
  const auto broken = std::chrono::system_clock::now();
  std::filesystem::remove(healthy);
  await("the other one", 10s, [&] { return rig.b.holds_all(); });
  const auto noticed = stamps.first(broken).value();
  of(claim, program).push_back(lab::in_ms(moment_of(monitor, true, kVip, noticed) - noticed - skew(1s)));
}

}  // namespace

std::vector<Figure> fault(int rounds) {
  Figure release{.what = "link down to release", .unit = "ms"};
  Figure claim{.what = "failed check to the other's claim, beyond skew", .unit = "ms"};
  in_turn(rounds, [&](Program program) {
    lose_link(program, release);
    fail_check(program, claim);
  });
  return {release, claim};
}

}  // namespace vipd::bench
