#include "vipd/os/spawn.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace vipd {
namespace {

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (const auto& string : strings) result.push_back(const_cast<char*>(string.c_str()));
  result.push_back(nullptr);
  return result;
}

/// The steps of the child before it becomes the program.
class Setup {
 public:
  explicit Setup(const SpawnPlan& plan) {
    posix_spawn_file_actions_init(&actions);
    if (plan.input >= 0)
      posix_spawn_file_actions_adddup2(&actions, plan.input, STDIN_FILENO);
    else
      posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (plan.output >= 0) {
      posix_spawn_file_actions_adddup2(&actions, plan.output, STDOUT_FILENO);
      posix_spawn_file_actions_adddup2(&actions, plan.output, STDERR_FILENO);
    }
    posix_spawn_file_actions_addchdir_np(&actions, "/");
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
  }
  ~Setup() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  Setup(const Setup&) = delete;
  Setup& operator=(const Setup&) = delete;

  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

}  // namespace

Result<pid_t> spawn(const SpawnPlan& plan) {
  const Setup setup(plan);
  const auto argv = pointers(plan.arguments), envp = pointers(plan.environment);
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, argv[0], &setup.actions, &setup.attributes, argv.data(), envp.data());
  if (error != 0) return system_failure("cannot run " + plan.arguments[0], error);
  return pid;
}

void reap_children() {
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
}

}  // namespace vipd
