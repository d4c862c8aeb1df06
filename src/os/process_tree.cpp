#include "vipd/os/process_tree.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

namespace vipd {
namespace {

void append_children(pid_t pid, std::vector<pid_t>& into) {
  std::error_code gone;  // the process may end at any moment
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  for (std::filesystem::directory_iterator task(tasks, gone), end; !gone && task != end; task.increment(gone)) {
    std::ifstream list(task->path() / "children");
    for (pid_t child = 0; list >> child;) into.push_back(child);
  }
}

}  // namespace

std::vector<pid_t> descendants(pid_t pid) {
  std::vector<pid_t> found;
  append_children(pid, found);
  for (std::size_t i = 0; i < found.size(); ++i) append_children(found[i], found);
  return found;
}

std::size_t signal_descendants(pid_t pid, int signal) {
  const std::vector<pid_t> all = descendants(pid);
  for (const pid_t one : all) ::kill(one, signal);
  return all.size();
}

}  // namespace vipd
