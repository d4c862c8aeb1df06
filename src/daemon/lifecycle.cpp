#include "vipd/daemon/lifecycle.hpp"

#include <string>

namespace vipd {
namespace {

consteval Cell to(Phase next) { return {.goes = true, .next = next}; }
consteval Cell no(std::string_view refusal) { return {.refusal = refusal}; }

constexpr auto kStarting = Phase::starting, kServing = Phase::serving, kOnTrial = Phase::on_trial,
               kHandingOver = Phase::handing_over, kStopping = Phase::stopping;

// Why a phase refuses an event.
constexpr Cell kStarts = no("it is starting"), kHasStarted = no("it has started"), kStops = no("it is stopping"),
               kHandsOver = no("it hands over to another program"), kNoTrial = no("no reload waits for a confirmation"),
               kNoExec = no("no other program was to take over"),
               kConfirmFirst = no("a reload waits for its confirmation: confirm it, or wait until it has gone back");

}  // namespace

// The rows are in the order of LifeEvent, the columns in the order of Phase.
// clang-format off
constexpr std::array<std::array<Cell, kPhases>, kEvents> kLifecycle = {{
    // starting       serving           on trial       handing over      stopping
    {{to(kServing),  kHasStarted,      kHasStarted,   kHasStarted,      kStops}},  // started
    {{to(kStopping), to(kStopping),    to(kStopping), to(kStopping),    kStops}},  // stop
    {{kStarts,       to(kServing),     to(kOnTrial),  kHandsOver,       kStops}},  // reload
    {{kStarts,       to(kOnTrial),     to(kOnTrial),  kHandsOver,       kStops}},  // trial_begun
    {{kStarts,       kNoTrial,         to(kServing),  kHandsOver,       kStops}},  // trial_undone
    {{kStarts,       kNoTrial,         to(kServing),  kHandsOver,       kStops}},  // trial_expired
    {{kStarts,       kNoTrial,         to(kServing),  kHandsOver,       kStops}},  // confirm
    {{kStarts,       to(kHandingOver), kConfirmFirst, kHandsOver,       kStops}},  // reexec
    {{kNoExec,       kNoExec,          kNoExec,       to(kServing),     kStops}},  // exec_failed
    {{kStarts,       to(kServing),     to(kOnTrial),  kHandsOver,       kStops}},  // diff
    {{to(kStarting), to(kServing),     to(kOnTrial),  to(kHandingOver), to(kStopping)}},  // look
}};
// clang-format on

std::string_view to_string(Phase phase) {
  constexpr std::array<std::string_view, kPhases> kNames = {"starting", "serving", "on trial", "handing over",
                                                            "stopping"};
  return kNames[static_cast<std::size_t>(phase)];
}

std::string_view to_string(LifeEvent event) {
  constexpr std::array<std::string_view, kEvents> kNames = {"started",      "stop",          "reload",  "trial begun",
                                                            "trial undone", "trial expired", "confirm", "reexec",
                                                            "exec failed",  "diff",          "look"};
  return kNames[static_cast<std::size_t>(event)];
}

Result<void> Lifecycle::allows(LifeEvent event) const {
  const Cell& cell = kLifecycle[static_cast<std::size_t>(event)][static_cast<std::size_t>(phase_)];
  return cell.goes ? Result<void>() : failure(std::string(cell.refusal));
}

Result<void> Lifecycle::take(LifeEvent event) {
  const auto allowed = allows(event);
  if (allowed) phase_ = kLifecycle[static_cast<std::size_t>(event)][static_cast<std::size_t>(phase_)].next;
  return allowed;
}

}  // namespace vipd
