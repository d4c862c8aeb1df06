#include "support/lab/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace vipd::lab {
namespace {

int checked(int result, const std::string& what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

Fd own_netns() { return Fd(checked(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), "own namespace")); }

Fd memory_file() { return Fd(checked(memfd_create("output", MFD_CLOEXEC), "memfd_create")); }

std::string content(const Fd& file, std::size_t offset) {
  std::string text;
  std::array<char, 65536> chunk;
  for (;;) {
    const ssize_t octets = pread(file.get(), chunk.data(), chunk.size(), static_cast<off_t>(offset + text.size()));
    if (octets <= 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(octets));
  }
}

std::string joined(const std::vector<std::string>& words) {
  std::string line;
  for (const auto& word : words) line += (line.empty() ? "" : " ") + word;
  return line;
}

/// The child's half of a start; uses only calls that are safe between fork and exec.
[[noreturn]] void become(int netns, int output, int errors, char* const* arguments) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int null = open("/dev/null", O_RDONLY);
  if (setns(netns, CLONE_NEWNET) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && dup2(null, 0) == 0 &&
      dup2(output, 1) == 1 && dup2(errors, 2) == 2)
    execvp(arguments[0], arguments);
  dprintf(errors, "cannot start %s: errno %d\n", arguments[0], errno);
  _exit(127);
}

}  // namespace

Netns::Netns() {
  const Fd home = own_netns();
  checked(unshare(CLONE_NEWNET), "new network namespace (are we root?)");
  fd_ = own_netns();
  checked(setns(home.get(), CLONE_NEWNET), "back to the own namespace");
}

Netns Netns::current() { return Netns(own_netns()); }

std::string Netns::path() const { return "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(fd_.get()); }

void Netns::write_sysctl(const std::string& name, const std::string& value) const {
  const Inside inside(*this);
  std::ofstream file("/proc/sys/net/" + name);
  if (!(file << value << std::flush)) throw std::runtime_error("cannot write sysctl " + name);
}

Inside::Inside(const Netns& netns) : home_(own_netns()) {
  checked(setns(netns.fd(), CLONE_NEWNET), "enter a namespace");
}

Inside::~Inside() {
  if (setns(home_.get(), CLONE_NEWNET) < 0) std::terminate();  // all later calls would be in the wrong namespace
}

Process::Process(const Netns& netns, const std::vector<std::string>& arguments)
    : output_(memory_file()), errors_(memory_file()) {
  std::vector<char*> pointers;
  for (const auto& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  pid_ = checked(fork(), "fork");
  if (pid_ == 0) become(netns.fd(), output_.get(), errors_.get(), pointers.data());
  pidfd_ = Fd(checked(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)), "pidfd_open"));
}

Process::~Process() {
  if (status_) return;
  ::kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void Process::signal(int number) const {
  if (!status_) checked(::kill(pid_, number), "kill");
}

std::optional<int> Process::wait_exit(Duration bound) {
  if (status_) return status_;
  pollfd event{pidfd_.get(), POLLIN, 0};
  const auto timeout = std::chrono::ceil<std::chrono::milliseconds>(bound).count();
  if (poll(&event, 1, static_cast<int>(timeout)) <= 0) return std::nullopt;
  int status = 0;
  checked(waitpid(pid_, &status, 0), "waitpid");
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return status_;
}

std::string Process::output(std::size_t offset) const { return content(output_, offset); }

std::string Process::errors() const { return content(errors_, 0); }

int memory_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/smaps_rollup");
  for (std::string word; file >> word;)
    if (int kilobytes = 0; word == "Pss:" && file >> kilobytes) return kilobytes;
  return 0;
}

Finished run(const Netns& netns, const std::vector<std::string>& arguments) {
  Process process(netns, arguments);
  const auto status = process.wait_exit(std::chrono::seconds(20));
  if (!status) throw std::runtime_error("does not end: " + joined(arguments));
  return {*status, process.output(), process.errors()};
}

std::string must(const Netns& netns, const std::string& line) {
  std::istringstream words(line);
  std::vector<std::string> arguments;
  for (std::string word; words >> word;) arguments.push_back(word);
  const Finished finished = run(netns, arguments);
  if (finished.status != 0)
    throw std::runtime_error(line + ": status " + std::to_string(finished.status) + ": " + finished.errors);
  return finished.output;
}

void pause_between_polls() { std::this_thread::sleep_for(std::chrono::milliseconds(2)); }

}  // namespace vipd::lab
