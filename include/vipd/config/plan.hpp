/// Plan: the changes from one Config to another.
///
/// plan() compares values before anything is touched. It goes by the table of the schema, so no key can be forgotten.
/// `vipctl diff` and a reload show the plan; the Supervisor compares by instances_to_restart(), which plan() uses, too.
/// Some keys identify a virtual router (is_another_router()) and cannot change while it runs. An instance of which such
/// a key changes is stopped and started; all others go on.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "vipd/config/config.hpp"

namespace vipd {

/// A key whose value changes. The values are TOML; "" stands for no value. In a list, "..." stands for equal entries at
/// its beginning or end if there are more than three.
struct KeyChange {
  std::string_view key;
  std::string before, after;
};

/// The kind of change of an instance, a sync group or a check.
enum class Fate : std::uint8_t {
  added,
  removed,
  restarted,  ///< stopped as planned, then started, since it is another virtual router now
  changed,    ///< it goes on with other values
};

/// The word for it in vipctl(1): "new", "removed", "restart", "changed".
std::string_view to_string(Fate fate);

/// The change of an instance, a sync group or a check.
struct InstanceChange {
  Fate fate = Fate::changed;
  std::string name;
  std::vector<KeyChange> keys;  ///< in the schema's order; all keys that are set if it is added or removed
  std::string leaves = {};      ///< the sync group that an instance leaves; "" if there is none
  std::string joins = {};       ///< the sync group that an instance joins; "" if there is none
};

/// All changes.
struct Plan {
  std::vector<KeyChange> node;              ///< keys of [node]
  std::vector<InstanceChange> instances;    ///< in the new file's order, removed instances first
  std::vector<InstanceChange> sync_groups;  ///< in the same order; added, removed or changed
  std::vector<InstanceChange> checks;       ///< in the same order

  bool empty() const { return node.empty() && instances.empty() && sync_groups.empty() && checks.empty(); }
};

/// True if a key differs that identifies a virtual router: interface, family, VRID, version, virtual MAC, accept. Peers
/// know the router by these keys, and its sockets and devices are made for them.
bool is_another_router(const InstanceConfig& before, const InstanceConfig& after);

/// The instances of both configurations that cannot go on, since each is another virtual router. A sync group that gets
/// or loses a member goes on with the others.
std::set<std::string> instances_to_restart(const Config& before, const Config& after);

/// The changes when `after` replaces `before`.
Plan plan(const Config& before, const Config& after);

}  // namespace vipd
