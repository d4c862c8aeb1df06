#include <algorithm>

#include "vipd/ctl/render.hpp"

namespace vipd {
namespace {

constexpr std::size_t kTimeWidth = 23;   // "2026-11-22 22:52:03.123"
constexpr std::size_t kStateWidth = 20;  // "INITIALIZE -> BACKUP"

/// The subject of an event: "web", "group edge".
std::string subject(const Document& event) {
  const std::string group = text_at(event, "sync_group"), instance = text_at(event, "instance");
  return group.empty() ? instance : "group " + group;
}

std::string state_word(const Document& event, const char* key) {
  const std::string state = upper(text_at(event, key));
  return state.empty() ? "?" : state;
}

/// The time in the local time zone; a text that is not a time is shown unchanged.
std::string event_time(const Document& event) {
  const std::string text = text_at(event, "time");
  const auto time = parse_rfc3339(text);
  if (time) return local_time(*time);
  return text.empty() ? "?" : text;
}

std::string line(const std::string& time, const std::string& instance, std::size_t width, const std::string& states,
                 const std::string& reason) {
  return padded(time, kTimeWidth) + "  " + padded(instance, width) + "  " + states + "  " + reason + '\n';
}

Emphasis emphasis_of(const std::string& state) {
  if (state == "FAULT") return Emphasis::bad;
  return state == "ACTIVE" ? Emphasis::good : Emphasis::plain;
}

}  // namespace

std::size_t instance_width(const Document& events) {
  std::size_t width = columns("INSTANCE");
  for (const Document& event : member(events, "events")) width = std::max(width, columns(subject(event)));
  return width;
}

std::string render_event(const Document& event, const Display& display, std::size_t instance_width) {
  const std::string instance = subject(event);
  const std::string from = state_word(event, "from"), to = state_word(event, "to");
  const std::string states = padded(from == to ? to : from + " -> " + to, kStateWidth);
  return line(event_time(event), instance.empty() ? "?" : instance, instance_width,
              paint(display, emphasis_of(to), states), text_at(event, "reason"));
}

Result<std::string> render_events(const Document& events, const Display& display) {
  const Document& list = member(events, "events");
  if (!list.is_array()) return failure("the daemon's answer is broken: it has no list of events");
  const std::size_t width = instance_width(events);
  std::string text = line("TIME", "INSTANCE", width, padded("FROM -> TO", kStateWidth), "REASON");
  for (const Document& event : list) text += render_event(event, display, width);
  return text;
}

}  // namespace vipd
