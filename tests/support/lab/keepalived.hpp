/// KeepalivedProcess: Debian's keepalived on a Node, in the foreground, with the keepalived.conf in the node's
/// directory.
///
/// Its parent process only starts its child again; the child is the one that speaks VRRP. Callers: the interop tests
/// and the bench.
#pragma once

#include "support/lab/lab.hpp"

namespace vipd::lab {

class KeepalivedProcess {
 public:
  /// `more`: further options; `before`: words before the command.
  explicit KeepalivedProcess(const Node& node, const std::vector<std::string>& more = {},
                             const std::vector<std::string>& before = {});

  /// The parent.
  Process& process() { return process_; }
  /// The child; 0 while there is none.
  pid_t speaker() const;
  /// Both, without a last word.
  void kill();

 private:
  std::filesystem::path directory_;
  Process process_;
};

}  // namespace vipd::lab
