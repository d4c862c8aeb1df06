/// Judge: what has to hold when the network has been left alone for long enough.
///
/// One holder, the right one; the kernel has what the status says; a client reaches each address, at the holder; others
/// have what they had; descriptors and memory stay as they were; no zombies; the last stop ends in time and leaves
/// nothing.
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

  /// What is wrong now; cheap questions first, and the others only if those find nothing.
  Complaints look();
  /// What has grown since the first call, of each daemon and its runner.
  Complaints growth();
  /// Stops all servers and looks at what they leave behind.
  Complaints stop_all(Draw& draw);

 private:
  /// What a process used when it was first seen.
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
  std::vector<Json> statuses_;                 ///< by server, of the last look
  std::map<std::string, lab::Node*> holders_;  ///< by instance, of the last look
  std::map<pid_t, Use> first_;
};

}  // namespace vipd::stress
