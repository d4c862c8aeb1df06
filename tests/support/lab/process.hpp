/// Netns and Process: the two kernel objects that the lab is made of.
///
/// A namespace here has no name: it lives as long as a descriptor or a process keeps it. So nothing is left behind when
/// a test is killed, and tests that run side by side cannot meet. To look into a namespace while a test waits: `nsenter
/// --net=/proc/PID-OF-TEST/fd/N`. A process is started in its namespace without a helper in between. Its pid is its
/// own, a signal reaches the program itself, and it dies with the test. Its output goes to memory and can be read at
/// any time. Every failure here throws: the test is broken then, not the tested program.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "vipd/base/time.hpp"
#include "vipd/os/fd.hpp"

namespace vipd::lab {

/// A new network namespace with its loopback interface down.
class Netns {
 public:
  Netns();
  /// The namespace of the calling thread.
  static Netns current();

  int fd() const { return fd_.get(); }
  /// A path for `ip link set … netns PATH`.
  std::string path() const;
  /// Writes a sysctl of the namespace: ("ipv6/conf/all/accept_dad", "0").
  void write_sysctl(const std::string& name, const std::string& value) const;

 private:
  explicit Netns(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

/// Puts the calling thread into a namespace for the life of this object.
class Inside {
 public:
  explicit Inside(const Netns& netns);
  ~Inside();
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  Fd home_;
};

class Process {
 public:
  /// Starts `arguments` in a namespace; the program is found by PATH.
  Process(const Netns& netns, const std::vector<std::string>& arguments);
  /// Kills the process if it still runs.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number) const;
  /// Waits for the end, up to `bound`. Returns the exit status, or 128 + the signal that ended the process; nullopt if
  /// it still runs.
  std::optional<int> wait_exit(Duration bound);
  bool running() { return !wait_exit(Duration::zero()); }

  /// The standard output so far, from octet `offset` on.
  std::string output(std::size_t offset = 0) const;
  /// The standard error so far.
  std::string errors() const;

 private:
  Fd output_, errors_, pidfd_;
  pid_t pid_ = -1;
  std::optional<int> status_;
};

/// Memory of a process in kB: its own, and its part of shared memory (proc_pid_smaps_rollup(5), Pss).
int memory_of(pid_t pid);

/// The outcome of a command.
struct Finished {
  int status = 0;  ///< as Process::wait_exit()
  std::string output, errors;
};

/// Runs a command to its end, at most 20 s.
Finished run(const Netns& netns, const std::vector<std::string>& arguments);

/// Runs a line of words without quotes ("ip link set eth0 up"), which must succeed; returns its output.
std::string must(const Netns& netns, const std::string& line);

/// Polls until `predicate()` holds; false if it does not within `bound`.
template <typename Predicate>
bool wait_until(Duration bound, Predicate predicate);

/// One pause of wait_until().
void pause_between_polls();

template <typename Predicate>
bool wait_until(Duration bound, Predicate predicate) {
  const auto deadline = std::chrono::steady_clock::now() + bound;
  while (!predicate()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    pause_between_polls();
  }
  return true;
}

}  // namespace vipd::lab
