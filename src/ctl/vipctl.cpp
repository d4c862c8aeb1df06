#include "vipd/ctl/vipctl.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <ostream>
#include <string>

#include "vipd/ctl/config_history.hpp"
#include "vipd/ctl/control_client.hpp"
#include "vipd/ctl/document.hpp"
#include "vipd/ctl/render.hpp"
#include "vipd/ctl/restore.hpp"

namespace vipd {
namespace {

Display display_now(const Console& console) {
  return {.now = std::chrono::system_clock::now(), .colour = console.colour};
}

/// Opens the conversation with one request; the answers are still to be received.
Result<ControlClient> ask(const Invocation& invocation, const Console& console, const Document& request) {
  auto client = ControlClient::connect(invocation.runtime_dir + "/control.sock", console.patience);
  if (!client) return client;
  if (auto sent = client->send(json_text(request, -1)); !sent) return std::unexpected(sent.error());
  return client;
}

Result<Document> first_answer(ControlClient& client, const Console& console, std::string_view schema) {
  const auto line = client.receive_line(console.patience);
  if (!line) return std::unexpected(line.error());
  return parse_document(*line, schema);
}

/// For what makes the daemon read long files, or wait for its disk.
constexpr Duration kPatienceForFiles = std::chrono::seconds(60);

Console with_patience(Console console) {
  console.patience = std::max(console.patience, kPatienceForFiles);
  return console;
}

/// One request, one answer.
Result<Document> ask_once(const Invocation& invocation, const Console& console, const Document& request,
                          std::string_view schema) {
  auto client = ask(invocation, console, request);
  if (!client) return std::unexpected(client.error());
  return first_answer(*client, console, schema);
}

Result<void> show_status(const Invocation& invocation, const Console& console) {
  const auto status = ask_once(invocation, console, {{"verb", "status"}}, "vipd.status/1");
  if (!status) return std::unexpected(status.error());
  const auto text = invocation.json ? json_text(*status, 2) + '\n' : render_status(*status, display_now(console));
  if (!text) return std::unexpected(text.error());
  console.out << *text;
  return {};
}

Result<Document> daemon_version(const Invocation& invocation, const Console& console) {
  return ask_once(invocation, console, {{"verb", "version"}}, "vipd.version/1");
}

std::string render_version(const Result<Document>& daemon) {
  const std::string own = "vipctl " VIPD_VERSION "\n";
  if (!daemon) return own + "vipd   " + daemon.error().message + '\n';
  const std::string version = text_at(*daemon, "version");
  const std::string pid = text_at(*daemon, "pid");
  return own + "vipd   " + (version.empty() ? "?" : version) + (pid.empty() ? "" : " (pid " + pid + ")") + '\n';
}

/// The daemon's document with our own version added, which is all there is without a daemon.
std::string version_json(const Result<Document>& daemon) {
  Document document = daemon.value_or(Document{{"schema", "vipd.version/1"}, {"version", nullptr}, {"pid", nullptr}});
  document["client"] = VIPD_VERSION;
  return json_text(document, 2) + '\n';
}

Result<void> show_version(const Invocation& invocation, const Console& console) {
  const auto daemon = daemon_version(invocation, console);
  // No daemon is an answer, too; one that is there and does not answer is not.
  if (!daemon && exit_status(daemon.error()) != ExitStatus::no_daemon) return std::unexpected(daemon.error());
  console.out << (invocation.json ? version_json(daemon) : render_version(daemon));
  return {};
}

/// Leaves the last `count` events in the document.
void keep_last(Document& document, std::size_t count) {
  const auto events = document.find("events");
  if (events == document.end() || !events->is_array() || events->size() <= count) return;
  events->erase(events->begin(), events->end() - static_cast<Document::difference_type>(count));
}

Result<void> follow_events(ControlClient& client, const Invocation& invocation, const Console& console,
                           std::size_t width) {
  for (;;) {
    console.out.flush();
    if (!console.out) return {};
    const auto line = client.receive_line(std::nullopt);
    if (!line) return std::unexpected(line.error());
    const auto document = parse_document(*line, "vipd.event/1");
    if (!document) return std::unexpected(document.error());
    console.out << (invocation.json ? json_text(*document, -1) + '\n'
                                    : render_event(member(*document, "event"), display_now(console), width));
  }
}

Result<void> show_events(const Invocation& invocation, const Console& console) {
  Document request{{"verb", "events"}};
  if (invocation.follow) request["follow"] = true;
  auto client = ask(invocation, console, request);
  if (!client) return std::unexpected(client.error());
  auto events = first_answer(*client, console, "vipd.events/1");
  if (!events) return std::unexpected(events.error());
  if (invocation.count) keep_last(*events, *invocation.count);
  const int indent = invocation.follow ? -1 : 2;
  const auto text = invocation.json ? json_text(*events, indent) + '\n' : render_events(*events, display_now(console));
  if (!text) return std::unexpected(text.error());
  console.out << *text;
  return invocation.follow ? follow_events(*client, invocation, console, instance_width(*events)) : Result<void>();
}

/// What is wrong with the files, or what changes; --json has it all.
Result<void> show_changes(const Invocation& invocation, const Console& console, const Document& answer) {
  if (invocation.json) {
    console.out << json_text(answer, 2) << '\n';
  } else {
    console.err << render_report(answer);
    console.out << render_changes(answer);
  }
  if (is_true(answer, "valid")) return {};
  return std::unexpected(Error{"the configuration has errors; what is in force stays", EINVAL});
}

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
    console.out << "goes back in " << format_duration(std::chrono::milliseconds(left.get<std::int64_t>()))
                << " unless you say: vipctl confirm\n";
  return shown;
}

Result<void> confirm(const Invocation& invocation, const Console& console) {
  const auto answer = ask_once(invocation, with_patience(console), {{"verb", "confirm"}}, "vipd.confirm/1");
  if (!answer) return std::unexpected(answer.error());
  console.out << (invocation.json ? json_text(*answer, 2) : "confirmed") << '\n';
  return {};
}

/// Whoever writes a configuration or tries one has to mean the daemon's.
Result<void> require_same_config(const Document& daemon, const Invocation& invocation) {
  std::error_code error;
  const std::string theirs = text_at(daemon, "config");
  const auto ours = std::filesystem::absolute(invocation.config, error).lexically_normal();
  if (std::filesystem::path(theirs).lexically_normal() == ours) return {};
  return failure("the daemon runs with " + theirs + " and not with " + ours.string() +
                 "; if that is right, name it: --config " + theirs);
}

/// Puts the files back and in force.
Result<void> restore(const Invocation& invocation, const Console& console, const Document& answer) {
  const auto daemon = daemon_version(invocation, console);
  if (!daemon) return std::unexpected(daemon.error());
  if (auto same = require_same_config(*daemon, invocation); !same) return same;
  const Document& kept = member(answer, "configurations");
  const auto done = restore_files(kept.empty() ? Document() : kept.front(), invocation.config);
  if (!done) return std::unexpected(Error{"nothing was restored: " + done.error().message, done.error().code});
  for (const std::string& line : *done) console.err << line << '\n';
  auto reloaded = reload(invocation, console);
  if (!reloaded) reloaded.error().message = "the files are restored but not in force: " + reloaded.error().message;
  return reloaded;
}

Result<void> show_config(const Invocation& invocation, const Console& console) {
  const auto answer = kept_configurations(invocation.state_dir, invocation.config_number);
  if (!answer) return std::unexpected(answer.error());
  if (invocation.config_action == Invocation::ConfigAction::restore) return restore(invocation, console, *answer);
  console.out << (invocation.json            ? json_text(*answer, 2) + '\n'
                  : invocation.config_number ? render_files(*answer)
                                             : render_configurations(*answer, display_now(console)));
  return {};
}

/// Whether `program` runs on this machine, with all libraries that it needs; what is missing is said on our standard
/// error.
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

/// vipd from beside this program, or where both are installed. The daemon's word does not count: root may run it.
std::filesystem::path vipd_program() {
  std::error_code error;
  const auto directory = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  const auto beside = directory / "vipd";
  const auto installed = directory.parent_path() / "sbin/vipd";
  return std::filesystem::weakly_canonical(std::filesystem::exists(beside, error) ? beside : installed, error);
}

/// The program on the disk takes over from the one that runs, with the configuration that is in force. If it does not
/// accept that, it gives the process back.
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
    return failure("the running program goes on; its log says why");
  if (is_true(*after, "given_back"))
    return failure(
        "the program on the disk does not accept what is in force; the program before goes on, and its log says why");
  console.out << (invocation.json ? json_text(*after, 2)
                                  : "vipd " + text_at(*after, "version") + " goes on, pid " + text_at(*after, "pid"))
              << '\n';
  return {};
}

Result<void> show(const Invocation& invocation, const Console& console) {
  switch (invocation.verb) {
    case Invocation::Verb::diff:
      return show_diff(invocation, console);
    case Invocation::Verb::reload:
      return reload(invocation, console);
    case Invocation::Verb::confirm:
      return confirm(invocation, console);
    case Invocation::Verb::reexec:
      return reexec(invocation, console);
    case Invocation::Verb::config:
      return show_config(invocation, console);
    case Invocation::Verb::events:
      return show_events(invocation, console);
    case Invocation::Verb::version:
      return show_version(invocation, console);
    case Invocation::Verb::status:
      break;
  }
  return show_status(invocation, console);
}

}  // namespace

ExitStatus exit_status(const Error& error) {
  switch (error.code) {
    case ENOENT:
    case ECONNREFUSED:
      return ExitStatus::no_daemon;
    case ETIMEDOUT:
      return ExitStatus::timeout;
    case EACCES:
      return ExitStatus::permission;
    case ENAMETOOLONG:
    case EINVAL:  // a configuration that is wrong
      return ExitStatus::usage;
    default:
      return ExitStatus::refused;
  }
}

ExitStatus run_vipctl(const Invocation& invocation, const Console& console) {
  auto shown = show(invocation, console);
  console.out.flush();
  if (shown && !console.out) shown = failure("cannot write the output");
  if (shown) return ExitStatus::ok;
  console.err << "vipctl: " << shown.error().message << '\n';
  return exit_status(shown.error());
}

}  // namespace vipd
