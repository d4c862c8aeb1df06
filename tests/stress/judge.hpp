/// Judge: the conditions that hold when the network has been left alone for long enough.
///
/// There is one Active node, the right one. The kernel agrees with the status. A client reaches each address at the
/// Active node. Others have the objects that they had. Descriptors and memory stay as they were, and there are no
/// zombies. The last stop ends in time and leaves nothing.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "site.hpp"

namespace vipd::stress {

using Complaints = std::vector<std::string>;

class Judge {
 public:
  explicit Judge(Site& site) : site_(site) {}

  /// Returns the present faults. Cheap questions come first, and the others are asked only if those find nothing.
  Complaints look();
  /// The growth since the first call, of each daemon and its runner.
  Complaints growth();
  /// Stops all servers and checks what they leave behind.
  Complaints stop_all(Draw& draw);

 private:
  /// The resources of a process when it was first seen.
  struct Use {
    std::size_t descriptors;
    int kilobytes;
  };

  Complaints states();
  Complaints kernels();
  Complaints others();
  Complaints processes();
  Complaints reach();
  Complaints reach_of(const Virtual& target, const std::string& instance, const lab::Node& holder);
  Complaints growth_of(const std::string& who, pid_t pid);

  Site& site_;
  std::vector<Json> statuses_;                 ///< statuses at the last look, by server
  std::map<std::string, lab::Node*> holders_;  ///< Active nodes at the last look, by instance
  std::map<pid_t, Use> first_;
};

}  // namespace vipd::stress
