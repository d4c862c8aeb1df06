#include "vipd/ctl/verbs.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <ostream>
#include <string>

#include "vipd/ctl/conversation.hpp"

namespace vipd {
namespace {

/// Shows the faults of the files, or the changes; with --json the whole document.
Result<void> show_changes(const Invocation& invocation, const Console& console, const Document& answer) {
  if (invocation.json) {
    console.out << json_text(answer, 2) << '\n';
  } else {
    console.err << render_report(answer);
    console.out << render_changes(answer);
  }
  if (is_true(answer, "valid")) return {};
  return std::unexpected(Error{"the configuration has errors; the running configuration stays in force", EINVAL});
}

/// Checks that `program` runs on this machine with all its libraries. The loader's complaint goes to standard error.
Result<void> try_program(std::string program) {
  std::string option = "--version";
  const std::array<char*, 3> arguments = {program.data(), option.data(), nullptr};
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, program.c_str(), &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return system_failure("cannot run " + program, error);
  int status = 0;
  if (::waitpid(pid, &status, 0) < 0) return system_failure("cannot wait for " + program, errno);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return failure(program + " does not run here; the running program goes on");
}

/// The path of vipd: beside this program, or installed. The daemon's answer is not used, because root may run this
/// path.
std::filesystem::path vipd_program() {
  std::error_code error;
  const auto directory = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  const auto beside = directory / "vipd";
  const auto installed = directory.parent_path() / "sbin/vipd";
  return std::filesystem::weakly_canonical(std::filesystem::exists(beside, error) ? beside : installed, error);
}

}  // namespace

Result<void> show_diff(const Invocation& invocation, const Console& console) {
  const auto answer = ask_once(invocation, with_patience(console), {{"verb", "diff"}}, "vipd.diff/1");
  return answer ? show_changes(invocation, console, *answer) : std::unexpected(answer.error());
}

Result<void> reload(const Invocation& invocation, const Console& console) {
  Document request{{"verb", "reload"}};
  if (invocation.trial) request["confirm_ms"] = std::chrono::milliseconds(*invocation.trial).count();
  const auto answer = ask_once(invocation, with_patience(console), request, "vipd.reload/1");
  if (!answer) return std::unexpected(answer.error());
  const auto shown = show_changes(invocation, console, *answer);
  const Document& left = member(*answer, "confirm_within_ms");
  if (shown && !invocation.json && left.is_number_integer())
    console.out << "the daemon goes back in " << format_duration(std::chrono::milliseconds(left.get<std::int64_t>()))
                << " unless you run: vipctl confirm\n";
  return shown;
}

Result<void> confirm(const Invocation& invocation, const Console& console) {
  const auto answer = ask_once(invocation, with_patience(console), {{"verb", "confirm"}}, "vipd.confirm/1");
  if (!answer) return std::unexpected(answer.error());
  console.out << (invocation.json ? json_text(*answer, 2) : "confirmed") << '\n';
  return {};
}

Result<void> reexec(const Invocation& invocation, const Console& console) {
  const auto before = daemon_version(invocation, console);
  if (!before) return std::unexpected(before.error());
  const auto program = vipd_program();
  if (text_at(*before, "program") != program)
    return failure("the daemon runs " + text_at(*before, "program") + "; this vipctl belongs to " + program.string());
  if (auto tried = try_program(program); !tried) return tried;
  const auto begun = ask_once(invocation, with_patience(console), {{"verb", "reexec"}}, "vipd.version/1");
  if (!begun) return std::unexpected(begun.error());
  const auto after =
      daemon_version(invocation, with_patience(console));  // the socket stays, so this waits for the new program
  if (!after) return std::unexpected(after.error());
  if (text_at(*after, "started") == text_at(*before, "started"))
    return failure("the running daemon goes on with its old program; its log says why");
  if (is_true(*after, "given_back"))
    return failure(
        "the installed program does not accept the configuration in force; the previous program goes on, and its log "
        "says why");
  console.out << (invocation.json ? json_text(*after, 2)
                                  : "vipd " + text_at(*after, "version") + " goes on, pid " + text_at(*after, "pid"))
              << '\n';
  return {};
}

}  // namespace vipd
