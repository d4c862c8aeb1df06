#include "vipd/ctl/verbs.hpp"

#include <ostream>
#include <string>

#include "vipd/ctl/conversation.hpp"

namespace vipd {
namespace {

std::string render_version(const Result<Document>& daemon) {
  const std::string own = "vipctl " VIPD_VERSION "\n";
  if (!daemon) return own + "vipd   " + daemon.error().message + '\n';
  const std::string version = text_at(*daemon, "version");
  const std::string pid = text_at(*daemon, "pid");
  return own + "vipd   " + (version.empty() ? "?" : version) + (pid.empty() ? "" : " (pid " + pid + ")") + '\n';
}

/// The daemon's document with the version of vipctl added; without a daemon that version alone.
std::string version_json(const Result<Document>& daemon) {
  Document document = daemon.value_or(Document{{"schema", "vipd.version/1"}, {"version", nullptr}, {"pid", nullptr}});
  document["client"] = VIPD_VERSION;
  return json_text(document, 2) + '\n';
}

/// Removes all but the last `count` events from the document.
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

}  // namespace

Result<void> show_status(const Invocation& invocation, const Console& console) {
  const auto status = ask_once(invocation, console, {{"verb", "status"}}, "vipd.status/1");
  if (!status) return std::unexpected(status.error());
  const auto text = invocation.json ? json_text(*status, 2) + '\n' : render_status(*status, display_now(console));
  if (!text) return std::unexpected(text.error());
  console.out << *text;
  return {};
}

Result<void> show_version(const Invocation& invocation, const Console& console) {
  const auto daemon = daemon_version(invocation, console);
  // The absence of a daemon is an answer. A daemon that does not answer is an error.
  if (!daemon && exit_status(daemon.error()) != ExitStatus::no_daemon) return std::unexpected(daemon.error());
  console.out << (invocation.json ? version_json(daemon) : render_version(daemon));
  return {};
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

}  // namespace vipd
