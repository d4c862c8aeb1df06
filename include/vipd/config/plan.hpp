/// Plan: what it takes to get from one Config to another.
///
/// Computed from values alone, before anything is touched, by the schema's own table, so no key can be forgotten. The
/// Supervisor carries a plan out, `vipctl diff` shows it: both are told by the same code. What makes an instance
/// another one (is_another_router()) cannot be changed while it runs, so that instance alone is stopped and started.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "vipd/config/config.hpp"

namespace vipd {

/// One key with another value; as TOML, "" where there is none. Of a list, "..." stands for the entries that both begin
/// or end with if these are more than three.
struct KeyChange {
  std::string_view key;
  std::string before, after;
};

/// What happens to one instance, sync group or check.
enum class Fate : std::uint8_t {
  added,
  removed,
  restarted,  ///< stopped as planned, then started: it is another virtual router now
  changed,    ///< goes on with other values
};

/// "new", "removed", "restart", "changed": as in vipctl(1).
std::string_view to_string(Fate fate);

/// An instance, a sync group or a check that differs between the two.
struct InstanceChange {
  Fate fate = Fate::changed;
  std::string name;
  std::vector<KeyChange> keys;  ///< in the schema's order; of added and removed ones, all that they set
  std::string leaves = {};      ///< the sync group that an instance is in no more; "" if there is none
  std::string joins = {};       ///< the sync group that an instance comes into; "" if there is none
};

/// All that differs.
struct Plan {
  std::vector<KeyChange> node;
  std::vector<InstanceChange> instances;    ///< in the new file's order, removed ones first
  std::vector<InstanceChange> sync_groups;  ///< likewise; added, removed or changed

  std::vector<InstanceChange> checks;  ///< likewise

  bool empty() const { return node.empty() && instances.empty() && sync_groups.empty() && checks.empty(); }
};

/// Peers know a virtual router by these, and sockets and devices are made for them: interface, family, VRID,
/// version, virtual MAC, and whether packets are accepted.
bool is_another_router(const InstanceConfig& before, const InstanceConfig& after);

/// The instances which both have and which cannot go on where they stand: each is another virtual router. A sync group
/// that gets or loses a member goes on with the others.
std::set<std::string> instances_to_restart(const Config& before, const Config& after);

/// What changes when `after` replaces `before`.
Plan plan(const Config& before, const Config& after);

}  // namespace vipd
