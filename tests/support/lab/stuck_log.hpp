/// StuckLog: a log that nobody reads, for the lab and for the bench.
#pragma once

#include <string>
#include <vector>

#include "vipd/os/fd.hpp"

namespace vipd::lab {

/// The two ends of a pipe, or of a stream socket as for the journal. One end is full and is inherited by started
/// programs.
class StuckLog {
 public:
  explicit StuckLog(bool is_journal = false);

  /// The words before a command that give it this standard output and error.
  std::vector<std::string> words() const;
  /// Reads the content.
  std::string read() const;

 private:
  bool is_journal_;
  Fd ours_, theirs_;
};

}  // namespace vipd::lab
