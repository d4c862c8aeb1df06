// A server dies: its switch port goes down, so its last advert is the last one on the network.
#include "scenarios.hpp"

namespace vipd::bench {
namespace {

/// The first announcement of the address after `since`.
std::optional<lab::WallTime> announced(lab::Sniffer& sniffer, lab::WallTime since) {
  for (const auto& frame : sniffer.of_kind("garp"))
    if (frame.at("address") == kVip && lab::time_of(frame) > since) return lab::time_of(frame);
  return std::nullopt;
}

void die(Program program, Duration interval, Figure& present, Figure& announcement) {
  Rig rig(program, {.interval = interval});
  lab::Sniffer sniffer(rig.client);
  const lab::AddressMonitor monitor(rig.node_b);
  await("adverts", 5 * interval + 5s, [&] { return sniffer.adverts_from(kSourceA).size() >= 3; });
  rig.lab.set_port(rig.node_a, false);
  await("the other one", 5 * interval + 5s, [&] { return rig.b.holds_all(); });
  const auto last = lab::time_of(sniffer.adverts_from(kSourceA).back());
  await("an announcement", 5s, [&] { return announced(sniffer, last).has_value(); });
  const auto due = last + theory(interval);
  of(present, program).push_back(lab::in_ms(moment_of(monitor, true, kVip, last) - due));
  of(announcement, program).push_back(lab::in_ms(*announced(sniffer, last) - due));
}

}  // namespace

std::vector<Figure> failover(int rounds) {
  std::vector<Figure> figures;
  for (const Duration interval : {Duration(1s), Duration(100ms), Duration(10ms)}) {
    const std::string when = " after theory, adverts every " + format_duration(interval);
    Figure present{.what = "address present" + when, .unit = "ms", .goal = 0.8};
    Figure announcement{.what = "first announcement" + when, .unit = "ms", .goal = 0.8};
    in_turn(rounds, [&](Program program) { die(program, interval, present, announcement); });
    figures.push_back(present);
    figures.push_back(announcement);
  }
  return figures;
}

}  // namespace vipd::bench
