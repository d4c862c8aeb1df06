#include "support/lab/keepalived.hpp"

#include <csignal>
#include <fstream>

namespace vipd::lab {
namespace {

std::vector<std::string> command(const std::filesystem::path& directory, const std::vector<std::string>& more,
                                 const std::vector<std::string>& before) {
  const auto file = [&](const char* name) { return (directory / name).string(); };
  std::filesystem::remove(file("child.pid"));
  std::vector<std::string> words = before;
  words.insert(words.end(), {"keepalived", "--dont-fork", "--log-console", "--no-syslog", "--vrrp", "--use-file",
                             file("keepalived.conf"), "--pid", file("parent.pid"), "--vrrp_pid", file("child.pid"),
                             "--checkers_pid", file("checkers.pid")});
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

}  // namespace

KeepalivedProcess::KeepalivedProcess(const Node& node, const std::vector<std::string>& more,
                                     const std::vector<std::string>& before)
    : directory_(node.directory()), process_(node, command(directory_, more, before)) {}

pid_t KeepalivedProcess::speaker() const {
  pid_t child = 0;
  std::ifstream(directory_ / "child.pid") >> child;
  return child;
}

/// Kills both processes. The parent is stopped first, because it would start the child again. The child takes the death
/// of its parent for an orderly stop.
void KeepalivedProcess::kill() {
  if (!process_.running()) return;
  process_.signal(SIGSTOP);
  if (const pid_t child = speaker(); child > 0) ::kill(child, SIGKILL);
  process_.signal(SIGKILL);
  process_.wait_exit(std::chrono::seconds(10));
}

}  // namespace vipd::lab
