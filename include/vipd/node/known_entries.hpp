/// KnownEntries: finds the entries of a previous configuration, each once.
///
/// Most entries come in the same order as before, so the next entry is compared first. A configuration may have
/// thousands of entries. An entry at another place is found by a sorted list, which is made when it is first needed.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "vipd/node/held_objects.hpp"

namespace vipd {

class KnownEntries {
 public:
  /// `entries` outlive this object.
  explicit KnownEntries(const std::vector<HeldEntry>& entries)
      : entries_(entries), is_left_(entries.size(), true), left_(entries.size()) {}
  /// The entry with this wanted object, or with this object; null if there is none.
  const HeldEntry* take(const KernelObject& wanted, const KernelObject& object) {
    if (left_ == 0) return nullptr;
    std::size_t at = next_;
    if (!is_one(at, wanted, object)) at = find(wanted, &HeldEntry::wanted, by_wanted_);
    if (!is_one(at, wanted, object)) at = find(object, &HeldEntry::object, by_object_);
    if (!is_one(at, wanted, object)) return nullptr;
    is_left_[at] = false;
    --left_;
    next_ = at + 1;
    return &entries_[at];
  }
  /// The entries that were not taken.
  std::vector<HeldEntry> rest() const {
    std::vector<HeldEntry> rest;
    for (std::size_t i = 0; i < entries_.size(); ++i)
      if (is_left_[i]) rest.push_back(entries_[i]);
    return rest;
  }

 private:
  using Places = std::vector<std::size_t>;
  using Member = KernelObject HeldEntry::*;
  bool is_one(std::size_t at, const KernelObject& wanted, const KernelObject& object) const {
    return at < entries_.size() && is_left_[at] && (entries_[at].wanted == wanted || entries_[at].object == object);
  }
  /// Finds an entry by a list that is sorted by this member, and made when it is first needed.
  std::size_t find(const KernelObject& what, Member member, Places& places) const {
    const auto key = [&](std::size_t at) -> const KernelObject& { return entries_[at].*member; };
    if (places.empty()) {
      for (std::size_t i = 0; i < entries_.size(); ++i) places.push_back(i);
      std::ranges::sort(places, {}, key);
    }
    const auto found = std::ranges::lower_bound(places, what, {}, key);
    return found == places.end() ? entries_.size() : *found;
  }

  const std::vector<HeldEntry>& entries_;
  std::vector<bool> is_left_;
  std::size_t left_, next_ = 0;
  Places by_wanted_, by_object_;
};

/// Makes `entries` those of `instance`. An entry that is wanted as before, or is the same object, keeps its state,
/// whatever has become of the interface's own subnets. Returns those that are no longer wanted.
inline std::vector<HeldEntry> take_config(std::vector<HeldEntry>& entries, const InstanceConfig& instance,
                                          const NetworkView& view) {
  std::vector<HeldEntry> before = std::exchange(entries, {});
  KnownEntries known(before);
  for (auto& [wanted, tracked] : wanted_by(instance)) {
    const KernelObject object = located(wanted, instance, view);
    const HeldEntry* same = known.take(wanted, object);
    HeldEntry& entry = entries.emplace_back(same != nullptr ? *same : HeldEntry{.wanted = {}, .object = object});
    entry.wanted = std::move(wanted);
    entry.tracked = tracked;
  }
  return known.rest();
}

}  // namespace vipd
