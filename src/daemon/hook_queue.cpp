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

HookSubject hook_subject(const InstanceConfig& config) {
  HookSubject subject{.group = false, .name = config.name, .interface = config.interface, .addresses = ""};
  for (const auto& address : config.addresses)
    subject.addresses += (subject.addresses.empty() ? "" : " ") + to_string(address);
  return subject;
}

HookQueue::HookQueue(NodeHooks& node, HookSubject subject, HookSettings settings)
    : node_(node), subject_(std::move(subject)), settings_(std::move(settings)) {}

void HookQueue::reconfigure(HookSubject subject, HookSettings settings) {
  subject_ = std::move(subject);
  settings_ = std::move(settings);
}

void HookQueue::push(const HookEvent& event) {
  write_to_fifo(event);
  Programs programs = programs_for(event);
  if (programs.empty()) return;
  if (!waiting_.empty()) ++coalesced_;
  waiting_ = std::move(programs);
  start_next();
}

HookQueue::Programs HookQueue::programs_for(const HookEvent& event) const {
  Programs programs;
  if (const auto& own = hook_for(event.state, settings_); !own.empty()) programs.push_back(command(own, event));
  const auto notify = [&](std::vector<std::string> arguments) {
    for (auto& word : notify_words(event)) arguments.push_back(std::move(word));
    programs.push_back(command(arguments, event));
  };
  if (!settings_.any.empty()) notify(settings_.any);
  for (const auto& program : node_.programs()) notify({program});
  return programs;
}

std::vector<std::string> HookQueue::notify_words(const HookEvent& event) const {
  return {subject_.group ? "GROUP" : "INSTANCE", subject_.name, notify_word(event.state),
          std::to_string(event.priority)};
}

/// The same words, as keepalived writes them: INSTANCE "web" MASTER 254.
void HookQueue::write_to_fifo(const HookEvent& event) {
  const auto words = notify_words(event);
  node_.fifo().write(words[0] + " \"" + words[1] + "\" " + words[2] + " " + words[3] + "\n");
}

Command HookQueue::command(const std::vector<std::string>& arguments, const HookEvent& event) const {
  return {.label = subject_.name + ": " + arguments.front(),
          .arguments = arguments,
          .environment = {(subject_.group ? "VIPD_GROUP=" : "VIPD_INSTANCE=") + subject_.name,
                          "VIPD_STATE=" + state_name(event.state), "VIPD_OLD_STATE=" + event.old_state,
                          "VIPD_REASON=" + event.reason, "VIPD_PRIORITY=" + std::to_string(event.priority),
                          "VIPD_ADDRESSES=" + subject_.addresses, "VIPD_INTERFACE=" + subject_.interface,
                          "VIPD_PEER=" + event.peer, "VIPD_SEQUENCE=" + std::to_string(event.sequence)},
          .timeout = settings_.timeout};
}

void HookQueue::start_next() {
  if (running_) return;
  if (telling_.empty()) telling_ = std::exchange(waiting_, {});
  if (telling_.empty()) return;
  const Command next = std::move(telling_.front());
  telling_.pop_front();
  running_ = next.arguments.front();
  node_.runner().run(next, [this, label = next.label](const Outcome& outcome) {
    if (!outcome.ok()) spdlog::warn("{}: {}", label, to_string(outcome));
    last_ = Ended{.command = *running_, .outcome = outcome};
    running_.reset();
    start_next();
  });
}

}  // namespace vipd
