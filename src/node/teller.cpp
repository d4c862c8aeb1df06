#include "vipd/node/teller.hpp"

#include <utility>

namespace vipd {

Teller::Teller(SharedInstance config, const Standing& standing, EventLog& events, std::unique_ptr<HookQueue> hooks)
    : config_(std::move(config)), standing_(standing), events_(events), hooks_(std::move(hooks)) {}

void Teller::reconfigure(SharedInstance config) {
  config_ = std::move(config);
  hooks_->reconfigure(hook_subject(*config_), hooks_of(config_));
}

void Teller::resume(const KeptClaim& left) {
  state_ = left.state;
  since_ = left.since;
  cause_ = left.reason;
  fit_ = standing_.unfit() == nullptr;
}

std::string Teller::with_fitness(const std::string& cause) const {
  const std::string* unfit = standing_.fault() == nullptr ? standing_.unfit() : nullptr;
  return unfit == nullptr ? cause : cause + "; unfit: " + *unfit;
}

bool Teller::change(ShownState to, const std::string& cause, const std::optional<Peer>& peer, bool for_hooks,
                    TimePoint now) {
  cause_ = cause;
  const ShownState from = std::exchange(state_, to);
  if (from == to) return false;
  since_ = now;
  log_event(from, reason(), now);
  log_info("{}: {} -> {}: {}", config_->name, to_string(from), to_string(to), reason());
  tell_hooks();
  if (for_hooks) waiting_ = std::make_unique<HookEvent>(hook_event(hook_state(to), from, reason(), peer));
  return true;
}

bool Teller::show_fitness(bool quiet, TimePoint now) {
  const std::string* unfit = standing_.unfit();
  const bool fit = unfit == nullptr;
  if (std::exchange(fit_, fit) == fit) return false;
  if (!quiet) remark(fit ? LogLevel::info : LogLevel::warning, fit ? "fit" : "unfit: " + *unfit, now);
  return true;
}

void Teller::remark(LogLevel level, const std::string& sentence, TimePoint now) {
  log_event(state_, sentence, now);
  log(level, "{}: {}", config_->name, sentence);
}

void Teller::tell_hooks() {
  if (const auto event = std::exchange(waiting_, nullptr)) hooks_->push(*event);
}

/// Its sequence is that of the last transition.
HookEvent Teller::hook_event(HookState state, ShownState from, const std::string& reason,
                             const std::optional<Peer>& peer) const {
  return {.state = state,
          .old_state = std::string(to_string(from)),
          .reason = reason,
          .priority = standing_.effective_priority(),
          .peer = peer ? peer->address.to_string() : "",
          .sequence = events_.last_sequence()};
}

void Teller::log_event(ShownState from, const std::string& reason, TimePoint now) {
  events_.add({.sequence = 0,
               .time = now,
               .instance = config_->name,
               .group = false,
               .from = from,
               .to = state_,
               .reason = reason,
               .priority = standing_.effective_priority()});
}

}  // namespace vipd
