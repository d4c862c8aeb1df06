/// CheckSet: the checks of a Config, run by the Runner, each once for all instances that list it. Those of an interface
/// are answered by the kernel's view, which vipd has anyway.
///
/// Starts what is due and hands the results to the Checks, which judge (vrrp/check.hpp). An answer of the Runner is
/// only put down; it is taken at the next on_deadline(), which is due at once then, so that a result enters like any
/// other event and nothing calls back up. The Supervisor tells the instances the results.
///
/// Where the Runner has no result, the last verdict stays and is stale. The log says so when that begins, when its
/// reason changes and when it ends, however often the check is due meanwhile.
///
/// A reload keeps what is known: a check that is the same is not touched, of one that has changed the verdict stays
/// until the next result, and one that is new counts as passing until its first one. Only at the start of vipd
/// CheckRules::initial counts, and not there if an instance goes on for which it had not failed.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "vipd/config/config.hpp"
#include "vipd/os/kernel.hpp"
#include "vipd/os/runner.hpp"
#include "vipd/vrrp/check.hpp"

namespace vipd {

class CheckSet {
 public:
  /// `view` is the kernel's, and lives as long as this.
  CheckSet(const NetworkView& view, Runner& runner) : view_(view), runner_(runner) {}

  /// Takes these checks in place of those before. `passes`: whether one that is new counts as passing until its first
  /// result; otherwise as CheckRules::initial.
  void configure(const std::vector<CheckConfig>& checks, const std::function<bool(const std::string& name)>& passes,
                 TimePoint now);

  /// The kernel's view of these interfaces changed: checks of them are due at once.
  void network_changed(const std::vector<std::string>& interfaces, TimePoint now);

  TimePoint deadline() const;
  /// Takes the results that have come, and starts what is due.
  void on_deadline(TimePoint now);

  /// What the checks of these names come to.
  Health health_of(std::span<const std::string> names) const;
  /// The check of this name, or null.
  const Check* find(const std::string& name) const;

 private:
  struct Entry {
    CheckConfig config;
    Command command;  // of each run
    Check check;
    std::optional<Outcome> outcome = {};  // that has come and is not taken yet
    std::string stale = {};               // why the verdict is stale, as the log has said it; empty if it is not
  };

  static void take_outcome(Entry& entry, TimePoint now);
  static void tell_if_stale(Entry& entry, TimePoint now);
  void start(const std::shared_ptr<Entry>& entry, TimePoint now);

  const NetworkView& view_;
  Runner& runner_;
  std::vector<std::shared_ptr<Entry>> entries_;  // an answer for one that is gone goes nowhere
};

}  // namespace vipd
