#include <algorithm>
#include <map>
#include <ranges>
#include <string>
#include <tuple>
#include <vector>

#include "vipd/config/checks.hpp"

namespace vipd {
namespace {

/// The place of entry `index` of a group's instances.
const Place& member_place(const PlacedGroup& group, std::size_t index) {
  return group.table->entry("instances", index).place;
}

/// Reports entry `index` of `group`, which is entry `first_index` of `first`, too.
void refuse_second_mention(const PlacedGroup& group, std::size_t index, const PlacedGroup& first,
                           std::size_t first_index, Report& report) {
  const Place &place = member_place(group, index), &other_place = member_place(first, first_index);
  const bool same = &first == &group;
  const std::string where = same ? " is listed twice" : " is also in sync group " + in_quotes(first.config.name);
  report.error(
      "conflict", place,
      "instance " + in_quotes(group.config.instances[index]) + where + " (" + report.where(other_place, place) + ")",
      same ? "remove one of them" : "an instance belongs to one group", other_place);
}

}  // namespace

void check_members(std::span<const PlacedGroup> groups, Report& report) {
  std::map<std::string, std::tuple<const PlacedGroup*, std::size_t>> seen;
  for (const PlacedGroup& group : groups) {
    const std::vector<std::string>& members = group.config.instances;
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (members[i].empty()) continue;  // it was refused before
      const auto [first, is_new] = seen.emplace(members[i], std::tuple(&group, i));
      const auto [other, index] = first->second;
      if (!is_new) refuse_second_mention(group, i, *other, index, report);
    }
    if (members.size() == 1)
      report.warning("conflict", member_place(group, 0),
                     "a sync group of one instance does no more than the instance alone", "list the others");
  }
}

void check_group_priorities(std::span<const PlacedGroup> groups, std::span<const PlacedInstance> instances,
                            Report& report) {
  for (const PlacedGroup& group : groups) {
    const auto is_member = [&](const PlacedInstance& one) { return one.config.sync_group == group.config.name; };
    const auto priority = [](const PlacedInstance& one) { return one.config.priority; };
    auto members = instances | std::views::filter(is_member);
    if (members.empty()) continue;
    const PlacedInstance& lowest = *std::ranges::min_element(members, {}, priority);
    if (priority(*std::ranges::max_element(members, {}, priority)) == priority(lowest)) continue;
    report.warning("conflict", member_place(group, 0),
                   "the instances of a sync group share one priority, the lowest: " + std::to_string(priority(lowest)) +
                       " of " + in_quotes(lowest.config.name),
                   "write that priority for all of them");
  }
}

}  // namespace vipd
