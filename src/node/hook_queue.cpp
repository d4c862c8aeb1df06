#include "vipd/node/hook_queue.hpp"

#include <algorithm>
#include <utility>

#include "vipd/os/log.hpp"

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
    case HookState::before_active:
    case HookState::before_release:
      break;
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
      return settings.stop;
    case HookState::before_active:
      return settings.before_active;
    case HookState::before_release:
      break;
  }
  return settings.before_release;
}

std::optional<Command> take_first(std::list<Command>& commands) {
  if (commands.empty()) return std::nullopt;
  Command first = std::move(commands.front());
  commands.pop_front();
  return first;
}

/// The addresses that a hook gets: a list that is too long ends between two addresses.
std::string first_addresses(const std::string& addresses) {
  if (addresses.size() <= kMostAddressOctets) return addresses;
  return addresses.substr(0, addresses.rfind(' ', kMostAddressOctets));
}

std::size_t count_addresses(const std::string& addresses) {
  return addresses.empty() ? 0 : static_cast<std::size_t>(std::ranges::count(addresses, ' ')) + 1;
}

}  // namespace

HookQueue::HookQueue(NodeHooks& node, HookSubject subject, SharedHooks settings, bool active)
    : node_(node), subject_(std::move(subject)), settings_(std::move(settings)) {
  const auto left = node_.journal().take(subject_);
  if (left && (active || left->state != HookState::active)) queue(*left);
}

void HookQueue::reconfigure(HookSubject subject, SharedHooks settings) {
  subject_ = std::move(subject);
  settings_ = std::move(settings);
}

void HookQueue::push(const HookEvent& event) {
  write_to_fifo(event, notify_word(event.state));
  if (event.state != HookState::active) reassert_.clear();
  queue(event);
}

void HookQueue::queue(const HookEvent& event) {
  Programs programs = programs_for(event);
  if (programs.empty()) return;
  if (!waiting_.empty()) ++coalesced_;
  waiting_ = std::move(programs);
  node_.journal().began(subject_, event);
  start_next();
}

void HookQueue::reassert(const HookEvent& event, bool contested) {
  if (contested) write_to_fifo(event, "MASTER_RX_LOWER_PRI");
  if (settings_->reassert.empty() || !reassert_.empty()) return;
  reassert_.push_back(command(settings_->reassert, event));
  start_next();
}

void HookQueue::ask(const HookEvent& event, Duration timeout) {
  question_ = std::make_unique<Question>(++questions_, command(hook_for(event.state, *settings_), event));
  question_->command.timeout = timeout;
  start_next();
}

bool HookQueue::withdraw_question() {
  const bool started = question_ && question_->started;
  question_.reset();
  return started;
}

HookQueue::Programs HookQueue::programs_for(const HookEvent& event) const {
  Programs programs;
  if (const auto& own = hook_for(event.state, *settings_); !own.empty()) programs.push_back(command(own, event));
  const auto notify = [&](std::vector<std::string> arguments) {
    for (auto& word : notify_words(event)) arguments.push_back(std::move(word));
    programs.push_back(command(arguments, event));
  };
  if (!settings_->any.empty()) notify(settings_->any);
  for (const auto& program : node_.programs()) notify({program});
  return programs;
}

std::vector<std::string> HookQueue::notify_words(const HookEvent& event) const {
  return {subject_.group ? "GROUP" : "INSTANCE", subject_.name, notify_word(event.state),
          std::to_string(event.priority)};
}

/// Writes a line to the FIFO as keepalived does: INSTANCE "web" MASTER 254.
void HookQueue::write_to_fifo(const HookEvent& event, const std::string& word) {
  node_.fifo().write(std::string(subject_.group ? "GROUP" : "INSTANCE") + " \"" + subject_.name + "\" " + word + " " +
                     std::to_string(event.priority) + "\n");
}

Command HookQueue::command(const std::vector<std::string>& arguments, const HookEvent& event) const {
  Command command{
      .label = subject_.name + ": " + arguments.front(),
      .arguments = arguments,
      .environment = {(subject_.group ? "VIPD_GROUP=" : "VIPD_INSTANCE=") + subject_.name,
                      "VIPD_STATE=" + std::string(to_string(event.state)), "VIPD_OLD_STATE=" + event.old_state,
                      "VIPD_REASON=" + event.reason, "VIPD_PRIORITY=" + std::to_string(event.priority),
                      "VIPD_ADDRESSES=" + first_addresses(subject_.addresses),
                      "VIPD_ADDRESSES_COUNT=" + std::to_string(count_addresses(subject_.addresses)),
                      "VIPD_INTERFACE=" + subject_.interface, "VIPD_PEER=" + event.peer,
                      "VIPD_SEQUENCE=" + std::to_string(event.sequence)},
      .timeout = settings_->timeout};
  if (event.again) command.environment.emplace_back("VIPD_AGAIN=1");
  return command;
}

void HookQueue::start_next() {
  if (running_) return;
  const auto next = this->next();
  if (!next) return;
  running_ = next->arguments.front();
  const std::uint64_t question = question_ && question_->started && !question_->answer ? question_->id : 0;
  node_.runner().run(*next, [this, question, label = next->label](const Outcome& outcome) {
    if (!outcome.ok()) log_warning("{}: {}", label, to_string(outcome));
    last_ = std::make_unique<Ended>(*running_, outcome);
    running_.reset();
    if (question_ && question_->id == question) question_->answer = outcome;
    start_next();
  });
}

std::optional<Command> HookQueue::next() {
  if (telling_.empty()) telling_ = std::exchange(waiting_, {});
  if (!telling_.empty()) return take_first(telling_);
  node_.journal().ended(subject_);
  if (question_ && !std::exchange(question_->started, true)) return question_->command;
  return take_first(reassert_);
}

}  // namespace vipd
