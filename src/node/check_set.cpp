#include "vipd/node/check_set.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>
#include <variant>

#include "vipd/config/check_program.hpp"
#include "vipd/os/log.hpp"

namespace vipd {
namespace {

/// "exit status 3: connection refused": how it ended, and what it said last. A built-in kind only ever says what is
/// wrong.
std::string describe(const Outcome& outcome, const CheckConfig& config) {
  if (!outcome.error.empty()) return outcome.error;
  const bool built_in = !std::holds_alternative<CommandCheck>(config.kind);
  if (built_in && !outcome.ok() && !outcome.output.empty()) return outcome.output.back();
  std::string text = "exit status " + std::to_string(outcome.exit_status);
  if (outcome.signal != 0) text = "killed by signal " + std::to_string(outcome.signal);
  if (outcome.timed_out) text = "no result within " + format_duration(config.rules.timeout);
  return outcome.output.empty() ? text : text + ": " + outcome.output.back();
}

/// The number that the line is, blanks around it aside; any size that a priority can have.
std::optional<int> number_in(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\r";
  const std::size_t begin = std::min(line.find_first_not_of(kBlanks), line.size());
  line = line.substr(begin, line.find_last_not_of(kBlanks) + 1 - begin);
  if (line.starts_with('+')) line.remove_prefix(1);
  int number = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
  const bool whole = error == std::errc() && end == line.data() + line.size();
  return whole ? std::optional(std::clamp(number, -253, 253)) : std::nullopt;
}

/// What a run says of the service; an error if it says nothing.
Result<CheckResult> judge(const Outcome& outcome, const CheckConfig& config) {
  const CheckRules& rules = config.rules;
  if (outcome.lost) return failure(outcome.error);
  CheckResult result{.passed = outcome.ok(), .detail = "", .weight = 0};
  if (!result.passed || rules.invert) result.detail = describe(outcome, config);
  if (!result.passed || !rules.delivers_weight) return result;
  const std::string line = outcome.output.empty() ? "" : outcome.output.back();
  const auto weight = number_in(line);
  if (!weight) return CheckResult{.passed = false, .detail = "its last line is no number: \"" + line + "\""};
  result.weight = *weight;
  return result;
}

Command command_of(const CheckConfig& config) {
  return {.label = "check " + config.name,
          .arguments = program_of(config),
          .environment = {"VIPD_CHECK=" + config.name},
          .quiet = true,
          .timeout = config.rules.timeout};
}

/// An interface as if a program had looked.
Outcome outcome_of(const NetworkView& view, const std::string& name) {
  const Interface* interface = view.find(name);
  if (interface != nullptr && interface->running) return {};
  return {.error = "interface " + name + " " + (interface == nullptr ? view.why_missing(name) : "is down")};
}

void tell(const std::string& name, const Check& check) {
  const std::string detail = check.detail().empty() ? "" : ": " + check.detail();
  if (check.passes())
    log_info("check {}: passes{}", name, detail);
  else
    log_warning("check {}: failed{}", name, detail);
}

}  // namespace

void CheckSet::configure(const std::vector<CheckConfig>& checks,
                         const std::function<bool(const std::string& name)>& passes, TimePoint now) {
  const auto before = std::exchange(entries_, {});
  for (const CheckConfig& config : checks) {
    const auto known = std::ranges::find(before, config.name, [](const auto& entry) { return entry->config.name; });
    const bool same = known != before.end() && (*known)->config == config;
    Check check(config.rules, passes(config.name) ? CheckState::pass : config.rules.initial, now);
    if (known != before.end() && !same) {
      check = (*known)->check;
      check.reconfigure(config.rules, now);
    }
    entries_.push_back(same ? *known : std::make_shared<Entry>(Entry{config, command_of(config), check}));
  }
}

void CheckSet::network_changed(const std::vector<std::string>& interfaces, TimePoint now) {
  for (const auto& entry : entries_)
    if (const auto* link = std::get_if<InterfaceCheck>(&entry->config.kind);
        link != nullptr && std::ranges::find(interfaces, link->name) != interfaces.end())
      entry->check.hurry(now);
}

TimePoint CheckSet::deadline() const {
  TimePoint earliest = kNever;
  for (const auto& entry : entries_) {
    const TimePoint tell = entry->stale.empty() ? entry->check.stale_from() : kNever;
    earliest = std::min(earliest, entry->outcome ? TimePoint() : std::min(tell, entry->check.due()));
  }
  return earliest;
}

void CheckSet::on_deadline(TimePoint now) {
  for (const auto& entry : entries_) {
    take_outcome(*entry, now);
    tell_if_stale(*entry, now);
    if (now >= entry->check.due()) start(entry, now);
  }
}

void CheckSet::take_outcome(Entry& entry, TimePoint now) {
  const auto outcome = std::exchange(entry.outcome, std::nullopt);
  if (!outcome) return;
  const CheckState before = entry.check.state();
  entry.check.finished(judge(*outcome, entry.config), now);
  if (entry.check.state() != before) tell(entry.config.name, entry.check);
}

void CheckSet::tell_if_stale(Entry& entry, TimePoint now) {
  const std::string why = entry.check.stale_reason(now);
  if (why == entry.stale) return;
  entry.stale = why;
  if (why.empty())
    log_info("check {}: has results again", entry.config.name);
  else
    log_warning("check {}: stale, its last result stays: {}", entry.config.name, why);
}

void CheckSet::start(const std::shared_ptr<Entry>& entry, TimePoint now) {
  entry->check.started(now);
  if (const auto* link = std::get_if<InterfaceCheck>(&entry->config.kind)) {
    entry->outcome = outcome_of(view_, link->name);
    return;
  }
  runner_.run(entry->command, [weak = std::weak_ptr(entry)](const Outcome& outcome) {
    if (const auto asked = weak.lock()) asked->outcome = outcome;
  });
}

Health CheckSet::health_of(std::span<const std::string> names) const {
  Health health;
  for (const std::string& name : names)
    if (const Check* check = find(name)) add_to(health, name, *check);
  return health;
}

const Check* CheckSet::find(const std::string& name) const {
  const auto found = std::ranges::find(entries_, name, [](const auto& entry) { return entry->config.name; });
  return found == entries_.end() ? nullptr : &(*found)->check;
}

}  // namespace vipd
