#include "vipd/ctl/verbs.hpp"

#include <filesystem>
#include <ostream>
#include <string>

#include "vipd/ctl/config_history.hpp"
#include "vipd/ctl/conversation.hpp"
#include "vipd/ctl/restore.hpp"

namespace vipd {
namespace {

/// Checks that the daemon reads the configuration that is to be restored.
Result<void> require_same_config(const Document& daemon, const Invocation& invocation) {
  std::error_code error;
  const std::string theirs = text_at(daemon, "config");
  const auto ours = std::filesystem::absolute(invocation.config, error).lexically_normal();
  if (std::filesystem::path(theirs).lexically_normal() == ours) return {};
  return failure("the daemon reads " + theirs + " and not " + ours.string() + "; to restore that file, add: --config " +
                 theirs);
}

/// Restores the files and puts them in force.
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

}  // namespace

Result<void> show_config(const Invocation& invocation, const Console& console) {
  const auto answer = kept_configurations(invocation.state_dir, invocation.config_number);
  if (!answer) return std::unexpected(answer.error());
  if (invocation.config_action == Invocation::ConfigAction::restore) return restore(invocation, console, *answer);
  console.out << (invocation.json            ? json_text(*answer, 2) + '\n'
                  : invocation.config_number ? render_files(*answer)
                                             : render_configurations(*answer, display_now(console)));
  return {};
}

}  // namespace vipd
