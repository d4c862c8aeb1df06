#include "vipd/sim/promises.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "vipd/sim/timeline.hpp"

namespace vipd::sim {
namespace {

constexpr Duration kGrace = milliseconds(50);  // allowed beyond the theory, and for the repair of an address

}  // namespace

Promises::Promises(World& world, std::vector<std::string> names, std::map<IpAddress, Duration> intervals,
                   bool may_overlap, bool may_split)
    : world_(world),
      names_(std::move(names)),
      intervals_(std::move(intervals)),
      may_overlap_(may_overlap),
      may_split_(may_split),
      start_(world.now) {}

void Promises::break_promise(const std::string& kind, const std::string& sentence) {
  if (!kinds_.emplace(kind, true).second) return;
  broken_.push_back(fmt::format("at {}: {}", format_measured(world_.now - start_), sentence));
}

void Promises::look() {
  for (std::size_t node = 0; node < names_.size(); ++node) {
    if (!world_.nodes[node]->alive()) continue;
    if (!may_split_) look_at_groups(node);
    look_at_addresses(node);
    for (std::size_t other = 0; other < node && !may_overlap_; ++other)
      for (const auto& [address, interval] : intervals_) look_between(other, node, address, interval);
  }
}

bool Promises::holds(std::size_t node, const IpAddress& address, const std::string& lan) const {
  const auto& interfaces = world_.nodes[node]->kernel.real_;
  return std::ranges::any_of(interfaces, [&](const auto& each) {
    const auto found = each.second.addresses.lower_bound({address, 0});
    return each.second.running && each.second.name.ends_with(lan) && found != each.second.addresses.end() &&
           found->first.address == address;
  });
}

void Promises::look_between(std::size_t a, std::size_t b, const IpAddress& address, Duration interval) {
  const Node &first = *world_.nodes[a], &second = *world_.nodes[b];
  const bool able = first.alive() && !first.asleep() && !second.asleep() && !(first.leaving() && second.leaving());
  const bool together =
      able && std::ranges::any_of(kLans, [&](const Lan& lan) {
        return holds(a, address, lan.name) && holds(b, address, lan.name) && world_.connected(a, b, lan.name);
      });
  if (!together) {
    together_.erase({a, b, address});
    return;
  }
  const Duration length = world_.now - together_.emplace(Together{a, b, address}, world_.now).first->second;
  if (length <= interval + kGrace) return;
  break_promise("overlap", fmt::format("{} and {} hear each other, and both have {} for more than {}", names_[a],
                                       names_[b], address.to_string(), format_measured(interval)));
}

void Promises::lost(std::size_t from, std::size_t to, const std::string&) {
  std::erase_if(together_, [&](const auto& each) {
    const auto& [a, b, address] = each.first;
    return a == std::min(from, to) && b == std::max(from, to);
  });
}

void Promises::look_at_groups(std::size_t node) {
  for (const auto& group : world_.nodes[node]->supervisor->groups()) {
    const auto& members = group->members();
    const auto is_active = [](const auto* member) { return member->shown() == ShownState::active; };
    const auto active = std::ranges::count_if(members, is_active);
    if (active == 0 || active == std::ssize(members)) continue;
    if (std::ranges::any_of(members, [](const auto* member) { return member->stopping(); })) continue;
    break_promise("split", fmt::format("{} has {} of the {} members of group {} Active", names_[node], active,
                                       members.size(), group->config().name));
  }
}

/// Looks for added addresses of an Active instance that the kernel lacks.
void Promises::look_at_addresses(std::size_t node) {
  const Node& one = *world_.nodes[node];
  for (const auto& router : one.supervisor->routers()) {
    const bool able = router->shown() == ShownState::active && !router->addresses().adding() && !one.asleep();
    for (const auto& entry : router->addresses().entries()) {
      const auto* address = std::get_if<AddressObject>(&entry.object);
      if (address == nullptr) continue;
      const std::pair key{node, address->prefix.address};
      if (!able || !entry.tracked || one.kernel.has(address->prefix.address)) {
        lacking_.erase(key);
        continue;
      }
      const Duration length = world_.now - lacking_.emplace(key, world_.now).first->second;
      if (length > kGrace)
        break_promise("lacking", fmt::format("{} is Active in {}, and has lacked {} for more than {}", names_[node],
                                             router->config().name, key.second.to_string(), format_measured(kGrace)));
    }
  }
}

void Promises::hook_called(std::size_t node, const Command& command, Duration takes) {
  const std::string subject = command.label.substr(0, command.label.find(':'));
  TimePoint& ends = hooks_[{node, subject}];
  if (world_.now < ends) break_promise("hooks", fmt::format("{} runs two hooks of {} at once", names_[node], subject));
  ends = std::max(ends, world_.now + takes);
}

void Promises::forget(std::size_t node) {
  std::erase_if(hooks_, [&](const auto& each) { return each.first.first == node; });
}

}  // namespace vipd::sim
