#include <algorithm>
#include <map>
#include <vector>

#include "vipd/base/time.hpp"
#include "vipd/ctl/render.hpp"

namespace vipd {
namespace {

constexpr std::size_t kLabelWidth = 11;

std::string or_unknown(const std::string& text) { return text.empty() ? "?" : text; }

/// Appends `part` to `text`, with `separator` between them; an empty part adds nothing.
void join(std::string& text, const std::string& part, const char* separator = ", ") {
  if (part.empty()) return;
  text += (text.empty() ? "" : separator) + part;
}

/// The state to show: Initialize with a cause is shown as a fault.
std::string shown_state(const Document& instance) {
  return member(instance, "fault").is_string() ? "fault" : text_at(instance, "state");
}

bool is_active(const Document& instance) { return shown_state(instance) == "active"; }

/// True for an object that an Active instance should hold and does not. A stopping instance may lack objects.
bool is_missing(const Document& instance, const Document& entry) {
  const Document& present = member(entry, "present");
  return is_active(instance) && !is_true(instance, "stopping") && present.is_boolean() && !present.get<bool>();
}

// --- the first line ---

std::string plural(std::size_t count, const std::string& noun, const std::string& plural_noun) {
  return std::to_string(count) + ' ' + (count == 1 ? noun : plural_noun);
}

/// "2 addresses MISSING", for one kind of object; empty if none is missing.
std::string summarize_missing(const Document& instances, const std::string& noun, const std::string& kind) {
  std::size_t missing = 0;
  for (const Document& instance : instances)
    for (const Document& entry : member(instance, kind.c_str())) missing += is_missing(instance, entry) ? 1 : 0;
  return missing == 0 ? "" : plural(missing, noun, kind) + " MISSING";
}

bool is_unfit(const Document& instance) { return member(instance, "unfit").is_string(); }

/// "2 UNFIT (web, db)"
std::string summarize_unfit(const Document& instances) {
  std::size_t unfit = 0;
  std::string names;
  for (const Document& instance : instances) {
    if (!is_unfit(instance) || shown_state(instance) == "fault") continue;
    ++unfit;
    join(names, or_unknown(text_at(instance, "name")));
  }
  return unfit == 0 ? "" : std::to_string(unfit) + " UNFIT (" + names + ')';
}

/// "1 FAULT (db)": troubles come first and name their instances.
std::string summarize_troubles(const Document& instances) {
  std::size_t faults = 0;
  std::string names;
  for (const Document& instance : instances) {
    if (shown_state(instance) != "fault") continue;
    ++faults;
    join(names, or_unknown(text_at(instance, "name")));
  }
  std::string troubles = faults == 0 ? "" : std::to_string(faults) + " FAULT (" + names + ')';
  join(troubles, summarize_unfit(instances));
  join(troubles, summarize_missing(instances, "address", "addresses"));
  join(troubles, summarize_missing(instances, "route", "routes"));
  join(troubles, summarize_missing(instances, "rule", "rules"));
  return troubles;
}

/// "1 active, 1 backup"
std::string summarize_states(const Document& instances) {
  std::map<std::string, std::size_t> counts;
  for (const Document& instance : instances) ++counts[or_unknown(shown_state(instance))];
  std::string states;
  for (const auto& [state, count] : counts)
    if (state != "fault") join(states, std::to_string(count) + ' ' + state);
  return states;
}

std::string first_line(const Document& status, const Display& display) {
  const Document& instances = member(status, "instances");
  std::string summary = instances.empty() ? "no instances" : plural(instances.size(), "instance", "instances");
  join(summary, paint(display, Emphasis::bad, summarize_troubles(instances)));
  join(summary, summarize_states(instances));
  std::string program = "vipd " + or_unknown(text_at(status, "version"));
  const std::string uptime = text_at(status, "uptime");
  if (!uptime.empty()) program += ", up " + uptime;
  return paint(display, Emphasis::strong, or_unknown(text_at(status, "node"))) + ": " + summary + " (" + program +
         ")\n";
}

/// The line about unloaded files; empty if the files are in force, or if the daemon is too old to tell.
std::string files_line(const Document& status, const Display& display) {
  const Document& in_force = member(status, "files_in_force");
  if (!in_force.is_boolean() || in_force.get<bool>()) return "";
  return paint(display, Emphasis::bad, "the files are NOT IN FORCE") +
         ": they differ from the running configuration; `vipctl diff` shows how, `vipctl reload` applies them\n";
}

// --- the block of an instance ---

std::string row(const char* label, const std::string& value) {
  return value.empty() ? "" : "  " + padded(label, kLabelWidth) + value + '\n';
}

/// "2min 5s ago"; empty if the clocks disagree.
std::string age(std::chrono::system_clock::time_point since, const Display& display) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(display.now - since);
  if (seconds < std::chrono::seconds(0)) return "";
  return seconds == std::chrono::seconds(0) ? "just now" : format_duration(seconds) + " ago";
}

/// " since 22:52:03 (2min 5s ago, 3 transitions)"
std::string history(const Document& instance, const Display& display) {
  const auto since = parse_rfc3339(text_at(instance, "since"));
  std::string details = since ? age(*since, display) : "";
  const std::string transitions = text_at(instance, "transitions");
  if (!transitions.empty()) join(details, transitions + (transitions == "1" ? " transition" : " transitions"));
  const std::string start = since ? " since " + short_local_time(*since, display) : "";
  return start + (details.empty() ? "" : " (" + details + ')');
}

std::string headline(const char* noun, const Document& instance, const Display& display) {
  const std::string state = shown_state(instance);
  const bool fault = state == "fault";
  const Emphasis emphasis = fault || is_unfit(instance) ? Emphasis::bad
                            : state == "active"         ? Emphasis::good
                                                        : Emphasis::strong;
  std::string words = state.empty() ? "STATE UNKNOWN" : upper(state);
  if (is_unfit(instance) && !fault) words += ", UNFIT";
  if (is_true(instance, "stopping")) words += ", STOPPING";
  return (fault ? "!! " : "") + std::string(noun) +
         paint(display, Emphasis::strong, or_unknown(text_at(instance, "name"))) + ": " +
         paint(display, emphasis, words) + history(instance, display) + '\n';
}

/// The current cause, and the last transition's reason without repeating the cause.
std::string why(const Document& instance, const Display& display) {
  const std::string fault = text_at(instance, "fault");
  const std::string unfit = fault.empty() ? text_at(instance, "unfit") : "";
  std::string reason = text_at(instance, "reason");
  if (const std::string same = "; unfit: " + unfit; !unfit.empty() && reason.ends_with(same))
    reason.erase(reason.size() - same.size());
  return row("fault", fault.empty() ? "" : paint(display, Emphasis::bad, fault)) +
         row("unfit", unfit.empty() ? "" : paint(display, Emphasis::bad, unfit)) +
         row("why", reason == fault ? "" : reason);
}

/// "254", "1 (configured 254)", "255 (owner)", "100, does not preempt", "254, became Active too often, ..."
std::string priority(const Document& instance, const Display& display) {
  const Document& both = member(instance, "priority");
  const std::string base = text_at(both, "base");
  const std::string effective = text_at(both, "effective");
  std::string text = effective.empty() ? base : effective;
  if (text != base && !base.empty()) text += " (configured " + base + ')';
  if (text == "255") text += " (owner)";
  const Document& preempt = member(instance, "preempt");
  const auto flapping_until = parse_rfc3339(text_at(instance, "flapping_until"));
  if (preempt.is_boolean() && !preempt.get<bool>())
    join(text, "does not preempt");
  else if (flapping_until)
    join(text, "became Active too often, does not preempt until " + short_local_time(*flapping_until, display));
  return text;
}

/// The Active node, if it is another one.
std::string other_active(const Document& instance) {
  if (is_active(instance) || !instance.contains("active")) return "";
  const Document& active = member(instance, "active");
  const std::string address = text_at(active, "address");
  if (address.empty()) return "nobody known";
  return address + ", priority " + or_unknown(text_at(active, "priority"));
}

std::string family_name(const Document& instance) {
  const std::string family = text_at(instance, "family");
  if (family == "ipv4") return "IPv4";
  return family == "ipv6" ? "IPv6" : family;
}

/// "eth0, VRID 51, IPv4, MAC 00:00:5e:00:01:33, adverts every 1s"
std::string place(const Document& instance) {
  std::string text = text_at(instance, "interface");
  const std::string vrid = text_at(instance, "vrid");
  const std::string interval = text_at(instance, "advert_interval");
  if (!vrid.empty()) join(text, "VRID " + vrid);
  if (text_at(instance, "version") == "2") join(text, "VRRPv2");
  join(text, family_name(instance));
  if (instance.contains("virtual_mac") && instance.at("virtual_mac").is_object())
    join(text, "MAC " + text_at(instance.at("virtual_mac"), "address"));
  if (!interval.empty()) join(text, "adverts every " + interval);
  return text;
}

struct Mark {
  Emphasis emphasis;
  std::string words;
};

/// The state of a held object; capitals mark a state that should not be.
Mark mark(const Document& instance, const Document& address) {
  const Document& present = member(address, "present");
  if (text_at(address, "assigned") == "false") return {Emphasis::plain, "not put on an interface"};
  if (!present.is_boolean()) return {Emphasis::plain, "?"};
  if (is_missing(instance, address)) return {Emphasis::bad, "MISSING"};
  if (!present.get<bool>()) return {Emphasis::plain, "not here"};
  if (is_true(address, "foreign")) return {Emphasis::bad, "FOREIGN (present, but not added by vipd)"};
  if (is_active(instance) || is_true(instance, "stopping")) return {Emphasis::good, "present"};
  return {Emphasis::bad, "PRESENT (though not active)"};
}

/// A row with the held objects of one kind: `kind` is their list in the instance, `name` the key of their name.
std::string held(const Document& instance, const char* kind, const char* name, const Display& display) {
  const Document& list = member(instance, kind);
  std::size_t width = 0;
  for (const Document& entry : list) width = std::max(width, columns(text_at(entry, name)));
  std::string rows;
  for (const Document& entry : list) {
    const Mark state = mark(instance, entry);
    const std::string error = text_at(entry, "error");
    const std::string interface = text_at(entry, "interface");
    rows += row(rows.empty() ? kind : "",
                padded(or_unknown(text_at(entry, name)), width) + "  " + paint(display, state.emphasis, state.words) +
                    (interface.empty() ? "" : " on " + interface) + (error.empty() ? "" : ": " + error));
  }
  return rows;
}

/// "lists other addresses, adverts every 2s": how a peer's configuration differs.
std::string differences(const Document& instance, const Document& peer) {
  std::string text;
  const std::string match = text_at(peer, "addresses"), interval = text_at(peer, "advert_interval");
  if (match == "some") join(text, "lists other addresses");
  if (match == "none") join(text, "uses this VRID for other addresses");
  if (!interval.empty() && interval != text_at(instance, "advert_interval")) join(text, "adverts every " + interval);
  return text;
}

/// A row for each peer whose configuration differs from ours.
std::string odd_peers(const Document& instance, const Display& display) {
  std::string rows;
  for (const Document& peer : member(instance, "peers")) {
    const std::string what = differences(instance, peer);
    if (what.empty()) continue;
    rows += row(rows.empty() ? "peers" : "",
                or_unknown(text_at(peer, "address")) + ": " + paint(display, Emphasis::bad, what));
  }
  return rows;
}

/// "3 checksum, 1 ttl"
std::string refused(const Document& instance) {
  std::string text;
  for (const auto& [kind, count] : member(member(instance, "counters"), "adverts_refused").items())
    if (count.is_number() && count != 0) join(text, json_text(count, -1) + ' ' + terminal_safe(kind));
  const std::string source = text_at(instance, "last_unknown_source");
  if (!source.empty()) join(text, "the last source that is no peer: " + source, "; ");
  return text.empty() ? "" : "adverts: " + text;
}

/// "192.0.2.10 by 02:00:00:00:00:63, just now"
std::string claimed_by(const Document& claim, const Display& display) {
  std::string text = or_unknown(text_at(claim, "address")) + " by " + or_unknown(text_at(claim, "mac"));
  if (const auto heard = parse_rfc3339(text_at(claim, "heard"))) join(text, age(*heard, display));
  return text;
}

/// "192.0.2.10 by 02:00:00:00:00:63, 3min ago (12 times; announced again 3 times)"
std::string contest(const Document& instance, const Display& display) {
  const Document& contest = member(instance, "contest");
  if (!contest.is_object()) return "";
  return claimed_by(contest, display) + " (" + or_unknown(text_at(contest, "count")) + " times; announced again " +
         or_unknown(text_at(contest, "answers")) + " times)";
}

/// "this node's own address 192.0.2.1 by 02:00:00:00:00:02, 3min ago"
std::string same_source(const Document& instance, const Display& display) {
  const Document& twin = member(instance, "same_source");
  return twin.is_object() ? paint(display, Emphasis::bad, "this node's own address ") + claimed_by(twin, display) : "";
}

bool has_failed(const Document& last) {
  const std::string status = text_at(last, "status");
  return text_at(last, "ok") == "false" || (!status.empty() && status != "0");
}

/// "the last hook FAILED (exit status 7 after 12ms): /etc/vipd/hooks/web"
std::string failed_hook(const Document& last) {
  if (!has_failed(last)) return "";
  const std::string outcome = text_at(last, "outcome");
  const std::string how = outcome.empty() ? "status " + or_unknown(text_at(last, "status")) : outcome;
  return "the last hook FAILED (" + how + "): " + or_unknown(text_at(last, "command"));
}

/// The last lines of output of a hook that failed.
std::string last_words(const Document& last) {
  std::string rows;
  if (!has_failed(last)) return rows;
  for (const Document& line : member(last, "output"))
    if (line.is_string()) rows += row("", "| " + terminal_safe(line.get<std::string>()));
  return rows;
}

std::string hooks(const Document& instance, const Display& display) {
  const Document& hooks = member(instance, "hooks");
  const std::string running = text_at(hooks, "running");
  const std::string queued = text_at(hooks, "queued");
  std::string text = running.empty() ? "" : "running " + running;
  if (!queued.empty() && queued != "0") join(text, queued + " waiting");
  const std::string failed = failed_hook(member(hooks, "last"));
  if (!failed.empty()) join(text, paint(display, Emphasis::bad, failed), "; ");
  return row("hooks", text) + last_words(member(hooks, "last"));
}

/// "3 adverts could not be sent"
std::string unsent(const Document& instance) {
  const std::string errors = text_at(member(instance, "counters"), "send_errors");
  return errors.empty() || errors == "0" ? ""
                                         : errors + (errors == "1" ? " advert" : " adverts") + " could not be sent";
}

/// "edge", "edge; ready, waits for the others"
std::string sync_group(const Document& instance) {
  std::string text = text_at(instance, "sync_group");
  if (!text.empty() && is_true(instance, "ready")) join(text, "ready, waits for the others", "; ");
  return text;
}

/// "haproxy FAILED (exit status 1)", "load pass (-20)", "web pass, STALE: vipd-runner does not answer"
std::string check(const Document& check, const Display& display) {
  const std::string state = text_at(check, "state"), detail = text_at(check, "detail");
  const std::string weight = text_at(check, "weight");
  const bool failed = state == "fail";
  std::string words = failed ? paint(display, Emphasis::bad, "FAILED") : state == "unknown" ? "no result yet" : state;
  if (!detail.empty()) words += " (" + detail + ')';
  if (!weight.empty() && weight != "0") words += ", priority " + (weight[0] == '-' ? weight : '+' + weight);
  const std::string why = text_at(check, "stale_reason");
  if (is_true(check, "stale")) words += ", " + paint(display, Emphasis::bad, "STALE") + (why.empty() ? "" : ": " + why);
  return or_unknown(text_at(check, "name")) + ' ' + words;
}

/// A row for each check.
std::string checks(const Document& instance, const Display& display) {
  std::string rows;
  for (const Document& each : member(instance, "checks"))
    rows += row(rows.empty() ? "checks" : "", check(each, display));
  return rows;
}

std::string block(const Document& instance, const Display& display) {
  return '\n' + headline("", instance, display) + why(instance, display) + row("active", other_active(instance)) +
         row("priority", priority(instance, display)) + checks(instance, display) + row("group", sync_group(instance)) +
         row("on", place(instance)) + held(instance, "addresses", "address", display) +
         held(instance, "routes", "route", display) + held(instance, "rules", "rule", display) +
         odd_peers(instance, display) + row("claimed", contest(instance, display)) +
         row("claimed", same_source(instance, display)) + row("refused", refused(instance)) +
         row("unsent", unsent(instance)) + hooks(instance, display);
}

// --- the block of a sync group ---

std::string names(const Document& list) {
  std::string text;
  for (const Document& name : list)
    if (name.is_string()) join(text, terminal_safe(name.get<std::string>()));
  return text;
}

std::string group_block(const Document& group, const Display& display) {
  return '\n' + headline("group ", group, display) + why(group, display) +
         row("instances", names(member(group, "instances"))) + row("waits for", names(member(group, "waiting_for"))) +
         hooks(group, display);
}

}  // namespace

Result<std::string> render_status(const Document& status, const Display& display) {
  const Document& instances = member(status, "instances");
  if (!instances.is_array()) return failure("the daemon's answer is broken: its status has no list of instances");
  std::string text = first_line(status, display) + files_line(status, display);
  for (const Document& instance : instances) text += block(instance, display);
  for (const Document& group : member(status, "sync_groups")) text += group_block(group, display);
  return text;
}

}  // namespace vipd
