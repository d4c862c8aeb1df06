#include "coverage.hpp"

#include <algorithm>
#include <numeric>

namespace vipd::sim {
namespace {

constexpr std::array kEventNames = {"Start",   "Resume",      "Stop",       "Fail",        "DeadlinePassed",
                                    "Stalled", "SetStanding", "SetPrimary", "Reconfigure", "Heard",
                                    "Prepare", "TakeOver",    "GiveUp"};
static_assert(kEventNames.size() == Coverage::kEvents);
constexpr std::array kWhyNames = {"started",        "owner", "silence", "preempted", "peer_resigned", "higher_priority",
                                  "higher_address", "group", "stopped", "fault",     "stalled"};
static_assert(kWhyNames.size() == Coverage::kWhys);
constexpr std::array kCauseNames = {"interface_missing", "interface_down", "no_source", "wire", "sending",
                                    "preparation",       "claim",          "check",     "sync"};
static_assert(kCauseNames.size() == kFaultCauses);
constexpr std::array<const char*, Coverage::kErrorPaths> kErrorNames = {
    "add_refused",    "removal_refused",  "misreported",  "send_failed", "hook_failed",
    "hook_hung",      "hook_unstartable", "check_failed", "check_hung",  "check_lost",
    "reload_applied", "reload_refused",   "leftovers_met"};

std::string name_of_mode(std::size_t mode) { return std::string(vipd::to_string(static_cast<Mode>(mode))); }

/// True for cells that no caller can reach, since VirtualRouter and SyncGroup ask the election first: a deadline in
/// Initialize or while the router waits for a go-ahead, a go-ahead without such a wait, Stalled while not Active. True
/// also for cells that need two rare events at one instant.
bool impossible(std::string_view in, std::string_view event) {
  if (event == "Stalled") return in != "active";
  if (event == "DeadlinePassed") return in == "initialize" || in == "ready";
  if (event == "Prepare") return in != "ready";
  if (event == "TakeOver") return in != "ready" && in != "preparing";
  if (event == "GiveUp") return in != "active" && in != "yielding" && in != "backup";
  if (event == "Resume") return in != "initialize";
  return in == "resigning" && (event == "Start" || event == "SetStanding" || event == "Reconfigure");
}

/// False for refusals that vipd never sees: the kernel drops invalid IP packets, the socket's filter other VRIDs.
bool reaches_vipd(Refusal refusal) { return !to_string(refusal).starts_with("ip_") && refusal != Refusal::vrid; }

template <typename Counts, typename Names>
void list(std::string& text, const char* title, const Counts& counts, const Names& names) {
  text += title;
  for (std::size_t i = 0; i < counts.size(); ++i)
    text += std::string(" ") + std::string(names(i)) + "=" + std::to_string(counts[i]);
  text += "\n";
}

void add_up(auto& sums, const auto& more) {
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += more[i];
}

}  // namespace

void Coverage::count(const ElectionStep& step) {
  ++cells[static_cast<std::size_t>(step.before)][step.event.index()];
  for (const Action& action : step.actions)
    if (const auto* change = std::get_if<StateChanged>(&action)) ++whys[static_cast<std::size_t>(change->reason.why)];
}

void Coverage::add(const Coverage& other) {
  for (std::size_t i = 0; i < kModes; ++i) add_up(cells[i], other.cells[i]);
  add_up(whys, other.whys);
  add_up(refusals, other.refusals);
  add_up(faults_shown, other.faults_shown);
  add_up(errors, other.errors);
  add_up(injected, other.injected);
  clusters += other.clusters;
  seconds += other.seconds;
  violations += other.violations;
  digest += other.digest;
}

std::uint64_t Coverage::faults() const { return std::accumulate(injected.begin(), injected.end(), std::uint64_t{0}); }

std::vector<std::string> Coverage::missing() const {
  std::vector<std::string> missing;
  const auto need = [&](std::uint64_t count, const std::string& what) {
    if (count == 0) missing.push_back(what);
  };
  for (std::size_t in = 0; in < kModes; ++in)
    for (std::size_t event = 0; event < kEvents; ++event)
      if (!impossible(name_of_mode(in), kEventNames[event]))
        need(cells[in][event], name_of_mode(in) + " x " + kEventNames[event]);
  for (std::size_t i = 0; i < kWhys; ++i) need(whys[i], std::string("reason ") + kWhyNames[i]);
  for (std::size_t i = 0; i < kRefusalKinds; ++i)
    if (reaches_vipd(static_cast<Refusal>(i)))
      need(refusals[i], "refusal " + std::string(vipd::to_string(static_cast<Refusal>(i))));
  for (std::size_t i = 0; i < kFaultCauses; ++i) need(faults_shown[i], std::string("fault ") + kCauseNames[i]);
  for (std::size_t i = 0; i < kErrorPaths; ++i) need(errors[i], std::string("error path ") + kErrorNames[i]);
  for (std::size_t i = 0; i < kFaultKinds; ++i)
    need(injected[i], "injected " + std::string(to_string(static_cast<FaultKind>(i))));
  return missing;
}

std::string Coverage::report() const {
  std::string text = "Election, by what it was in:\n";
  for (std::size_t in = 0; in < kModes; ++in)
    list(text, ("  " + name_of_mode(in) + ":").c_str(), cells[in], [](std::size_t i) { return kEventNames[i]; });
  list(text, "reasons:", whys, [](std::size_t i) { return kWhyNames[i]; });
  list(text, "refused:", refusals, [](std::size_t i) { return vipd::to_string(static_cast<Refusal>(i)); });
  list(text, "shown faults:", faults_shown, [](std::size_t i) { return kCauseNames[i]; });
  list(text, "error paths:", errors, [](std::size_t i) { return kErrorNames[i]; });
  list(text, "injected:", injected, [](std::size_t i) { return to_string(static_cast<FaultKind>(i)); });
  for (const auto& each : missing()) text += "never seen: " + each + "\n";
  return text;
}

}  // namespace vipd::sim
