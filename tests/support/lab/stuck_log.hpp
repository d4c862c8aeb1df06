/// StuckLog: a log that nobody reads, for the lab's sinks and for the bench.
#pragma once

#include <string>
#include <vector>

#include "vipd/os/fd.hpp"

namespace vipd::lab {

/// Two ends of a pipe, or of a stream socket as the journal has it: one is full and inherited by what is started.
class StuckLog {
 public:
  explicit StuckLog(bool is_journal = false);

  /// The words before a command whose standard output and error it is to be.
  std::vector<std::string> words() const;
  /// Reads what there is.
  std::string read() const;

 private:
  bool is_journal_;
  Fd ours_, theirs_;
};

}  // namespace vipd::lab
