#include "vipd/daemon/hook_queue.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace vipd {
namespace {

/// The fourth argument of a notify script, as keepalived names the states: foreign scripts listen for these words.
std::string notify_word(HookState state) {
  switch (state) {
    case HookState::active:
      return "MASTER";
    case HookState::backup:
      return "BACKUP";
    case HookState::fault:
      return "FAULT";
    case HookState::stop:
      return "STOP";
  }
  return "?";
}

std::string state_name(HookState state) {
  switch (state) {
    case HookState::active:
      return "active";
    case HookState::backup:
      return "backup";
    case HookState::fault:
      return "fault";
    case HookState::stop:
      return "stop";
  }
  return "?";
}

const std::vector<std::string>& hook_for(HookState state, const HookSettings& settings) {
  switch (state) {
    case HookState::active:
      return settings.active;
    case HookState::backup:
      return settings.backup;
    case HookState::fault:
      return settings.fault;
    case HookState::stop:
      break;
  }
  return settings.stop;
}

}  // namespace

HookQueue::HookQueue(Runner& runner, const InstanceConfig& config)
    : runner_(runner), instance_(config.name), interface_(config.interface) {
  reconfigure(config);
}

void HookQueue::reconfigure(const InstanceConfig& config) {
  settings_ = config.hooks;
  addresses_.clear();
  for (const auto& address : config.addresses) addresses_ += (addresses_.empty() ? "" : " ") + to_string(address);
}

void HookQueue::push(const HookEvent& event) {
  Programs programs = programs_for(event);
  if (programs.empty()) return;
  if (!waiting_.empty()) ++coalesced_;
  waiting_ = std::move(programs);
  start_next();
}

HookQueue::Programs HookQueue::programs_for(const HookEvent& event) const {
  Programs programs;
  if (const auto& own = hook_for(event.state, settings_); !own.empty()) programs.push_back(command(own, event));
  if (settings_.any.empty()) return programs;
  programs.push_back(command(settings_.any, event));
  for (const auto& word :
       {std::string("INSTANCE"), instance_, notify_word(event.state), std::to_string(event.priority)})
    programs.back().arguments.push_back(word);
  return programs;
}

Command HookQueue::command(const std::vector<std::string>& arguments, const HookEvent& event) const {
  return {.label = instance_ + ": " + arguments.front(),
          .arguments = arguments,
          .environment = {"VIPD_INSTANCE=" + instance_, "VIPD_STATE=" + state_name(event.state),
                          "VIPD_OLD_STATE=" + event.old_state, "VIPD_REASON=" + event.reason,
                          "VIPD_PRIORITY=" + std::to_string(event.priority), "VIPD_ADDRESSES=" + addresses_,
                          "VIPD_INTERFACE=" + interface_, "VIPD_PEER=" + event.peer,
                          "VIPD_SEQUENCE=" + std::to_string(event.sequence)},
          .timeout = settings_.timeout};
}

void HookQueue::start_next() {
  if (running_) return;
  if (telling_.empty()) telling_ = std::exchange(waiting_, {});
  if (telling_.empty()) return;
  const Command next = std::move(telling_.front());
  telling_.pop_front();
  running_ = next.arguments.front();
  runner_.run(next, [this, label = next.label](const Outcome& outcome) {
    if (!outcome.ok()) spdlog::warn("{}: {}", label, to_string(outcome));
    last_ = Ended{.command = *running_, .outcome = outcome};
    running_.reset();
    start_next();
  });
}

}  // namespace vipd
