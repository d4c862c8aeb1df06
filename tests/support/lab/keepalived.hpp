/// KeepalivedProcess: Debian's keepalived on a Node, in the foreground, with the keepalived.conf in the node's
/// directory.
///
/// The parent process only restarts its child; the child speaks VRRP.
#pragma once

#include "support/lab/lab.hpp"

namespace vipd::lab {

class KeepalivedProcess {
 public:
  /// `more`: further options; `before`: words before the command.
  explicit KeepalivedProcess(const Node& node, const std::vector<std::string>& more = {},
                             const std::vector<std::string>& before = {});

  /// The parent process.
  Process& process() { return process_; }
  /// The pid of the child; 0 if there is none.
  pid_t speaker() const;
  /// Kills both processes, so that no last advert is sent.
  void kill();

 private:
  std::filesystem::path directory_;
  Process process_;
};

}  // namespace vipd::lab
