/// Netns and Process: the two things of the kernel that the lab is made of.
///
/// A namespace here has no name: it lives as long as a descriptor or a process keeps it, so nothing is left behind even
/// when a test is killed, and tests that run side by side cannot meet. To look into one while a test waits:
/// `nsenter --net=/proc/PID-OF-TEST/fd/N`. A process is started in a namespace without a helper in between, so its pid
/// is its own and a signal reaches the program itself; it dies with the test. Its output goes to memory and can be read
/// at any time. Everything that fails here throws: the test is broken then, not what it tests.
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
  /// The one in which the calling thread is.
  static Netns current();

  int fd() const { return fd_.get(); }
  /// For `ip link set … netns PATH`.
  std::string path() const;
  /// Writes a sysctl of the namespace: ("ipv6/conf/all/accept_dad", "0").
  void write_sysctl(const std::string& name, const std::string& value) const;

 private:
  explicit Netns(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

/// The calling thread is in a namespace while this lives.
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
  /// Starts `arguments` (the program found by PATH) in a namespace.
  Process(const Netns& netns, const std::vector<std::string>& arguments);
  /// Kills it if it still runs.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number) const;
  /// Waits for the end, at most `bound`. Returns the exit status, or 128 + the signal that ended it; nullopt if it
  /// still runs.
  std::optional<int> wait_exit(Duration bound);
  bool running() { return !wait_exit(Duration::zero()); }

  /// What it has written to standard output so far, from octet `offset` on.
  std::string output(std::size_t offset = 0) const;
  /// The same for standard error.
  std::string errors() const;

 private:
  Fd output_, errors_, pidfd_;
  pid_t pid_ = -1;
  std::optional<int> status_;
};

/// Memory of a process, in kB: what is its own, and its part of what it shares (proc_pid_smaps_rollup(5), Pss).
int memory_of(pid_t pid);

/// How a command ended.
struct Finished {
  int status = 0;  ///< as Process::wait_exit()
  std::string output, errors;
};

/// Runs a command to its end, at most 20 s.
Finished run(const Netns& netns, const std::vector<std::string>& arguments);

/// The same for a line of words without quotes ("ip link set eth0 up") that must succeed; returns its output.
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
