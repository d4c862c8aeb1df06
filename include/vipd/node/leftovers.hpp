/// Leftovers: what previous runs and previous configurations have left in the kernel.
///
/// At the start, instances go on where the previous run left them, if no peer takes them for dead yet. Everything else
/// that carries vipd's tag is removed. What the kernel refuses to remove is tried again until it is gone.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "vipd/config/config.hpp"
#include "vipd/node/claim_store.hpp"
#include "vipd/os/kernel.hpp"

namespace vipd {

class Leftovers {
 public:
  Leftovers(Kernel& kernel, ClaimStore& claims) : kernel_(kernel), claims_(claims) {}

  /// Finds the instances of `config` that go on where the previous run left them, and removes everything else from the
  /// kernel. `before`: instances of the previous configuration.
  void begin(const Config& config, const std::vector<InstanceConfig>& before, TimePoint now);
  /// What an instance goes on with; null if it starts anew. Until forget_claims().
  const KeptClaim* claim_of(const std::string& instance) const;
  /// True if some instance that goes on was fit with this check.
  bool was_fit_with(const Config& config, const std::string& check) const;
  void forget_claims() { resumable_.clear(); }

  /// The router of this instance has gone, and the kernel has refused to remove something.
  void add(const InstanceConfig& instance, TimePoint now);
  /// When remove() is due; kNever if nothing is left.
  TimePoint deadline() const { return next_removal_; }
  /// Tries again to remove what is left, but for what `others` hold.
  void remove(const std::vector<InstanceConfig>& others, TimePoint now);
  bool empty() const { return left_.empty(); }

 private:
  void find_resumable(const Config& config, TimePoint now);

  Kernel& kernel_;
  ClaimStore& claims_;
  std::map<std::string, KeptClaim> resumable_;  // by instance
  std::vector<InstanceConfig> left_;            // that may have something in the kernel
  TimePoint next_removal_ = kNever;
};

/// Removes from the kernel what the instances hold while Active and what carries vipd's tag, and the devices of virtual
/// MACs, but for what `others` hold; returns those that had any of it. For the start after a crash and for
/// `vipd --last-will`.
std::vector<const InstanceConfig*> remove_tagged(const std::vector<InstanceConfig>& instances,
                                                 const std::vector<InstanceConfig>& others, Kernel& kernel);

}  // namespace vipd
