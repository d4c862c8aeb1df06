#include "faults.hpp"

#include <fmt/format.h>

#include <set>

namespace vipd::stress {
namespace {

/// A length; short ones are as frequent as long ones.
Duration draw_length(Draw& draw) {
  const std::vector<std::pair<Duration, Duration>> ranges = {{5ms, 50ms}, {50ms, 400ms}, {400ms, 1500ms}, {1500ms, 4s}};
  const auto [least, most] = ranges[static_cast<std::size_t>(draw.below(static_cast<int>(ranges.size())))];
  return draw.between(least, most);
}

std::string text_of(const Kind& kind, const Plan& plan) {
  return fmt::format("{} at {} ({}), from {:.3f} s for {:.3f} s{}", kind.name,
                     std::string(1, static_cast<char>('a' + plan.index)), plan.interface, lab::in_ms(plan.from) / 1000,
                     lab::in_ms(plan.to - plan.from) / 1000, plan.detail.empty() ? "" : ": " + plan.detail);
}

}  // namespace

std::vector<Fault> draw_round(const std::vector<Kind>& kinds, const Scene& scene, Draw& draw) {
  std::vector<Fault> faults;
  std::set<std::pair<Part, int>> taken;
  for (int i = 1 + draw.below(4); i > 0; --i) {
    const Kind& kind = kinds[static_cast<std::size_t>(draw.below(static_cast<int>(kinds.size())))];
    const int index = draw.below(scene.servers);
    const std::string interface = scene.second && draw.chance(40) ? "eth1" : "eth0";
    const Duration from = draw.between(0ms, 1500ms), length = draw_length(draw);
    const bool is_of_all = kind.part == Part::lan || kind.part == Part::client;
    if (!kind.fits(scene) || !taken.insert({kind.part, is_of_all ? 0 : index}).second) continue;
    Plan plan{.scene = scene, .draw = draw, .index = index, .interface = interface, .from = from, .to = from + length};
    kind.plan(plan);
    faults.push_back({kind.name, text_of(kind, plan), std::move(plan.steps), plan.extra});
  }
  return faults.empty() ? draw_round(kinds, scene, draw) : faults;
}

}  // namespace vipd::stress
