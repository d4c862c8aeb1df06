/// Leftovers: objects that previous runs and previous configurations have left in the kernel.
///
/// At the start, an instance resumes its claim from the previous run if no peer can have declared it dead yet. All
/// other objects with vipd's tag are removed. A removal that the kernel refuses is tried again until it succeeds.
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
  /// The claim that an instance resumes; null if it starts anew. Valid until forget_claims().
  const KeptClaim* claim_of(const std::string& instance) const;
  /// True if some instance that goes on was fit with this check.
  bool was_fit_with(const Config& config, const std::string& check) const;
  void forget_claims() { resumable_.clear(); }

  /// Notes that the router of this instance is gone and the kernel has refused to remove an object.
  void add(const InstanceConfig& instance, TimePoint now);
  /// When remove() is due; kNever if nothing is left.
  TimePoint deadline() const { return next_removal_; }
  /// Tries again to remove the objects that are left, except those that `others` hold.
  void remove(const std::vector<InstanceConfig>& others, TimePoint now);
  bool empty() const { return left_.empty(); }

 private:
  void find_resumable(const Config& config, TimePoint now);

  Kernel& kernel_;
  ClaimStore& claims_;
  std::map<std::string, KeptClaim> resumable_;  // claims to resume, by instance
  std::vector<InstanceConfig> left_;            // instances that may have objects in the kernel
  TimePoint next_removal_ = kNever;
};

/// Removes from the kernel all tagged objects of the instances and the devices of their virtual MACs, except objects
/// that `others` hold. Returns the instances that had any. The start and `vipd --last-will` use it.
std::vector<const InstanceConfig*> remove_tagged(const std::vector<InstanceConfig>& instances,
                                                 const std::vector<InstanceConfig>& others, Kernel& kernel);

}  // namespace vipd
