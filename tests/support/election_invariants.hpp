/// Invariants of Election: the checks of one step, for random and fuzzed events in any order.
///
/// Each check returns the name of the broken invariant, or null. The driver keeps to the contract of Election::step():
/// time does not go back, priorities are 1..255, and an unfit router has priority 1.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "support/election_trace.hpp"

namespace vipd::testing {

/// The state before and after one step.
struct Step {
  Snapshot before, after;
  const Event& event;
  Actions actions;
  TimePoint now;
  /// Election::believed_until(), which an answer to a losing router moves forward
  TimePoint believed_before, believed_after;

  /// Carries out the step.
  static Step of(Election& election, const Event& event, TimePoint now) {
    const Snapshot before = Snapshot::of(election);
    const TimePoint believed = election.believed_until();
    const Actions actions = election.step(event, now);
    return {before, Snapshot::of(election), event, actions, now, believed, election.believed_until()};
  }

  template <typename T>
  const T* find() const {
    for (const Action& action : actions)
      if (const auto* one = std::get_if<T>(&action)) return one;
    return nullptr;
  }
  template <typename T>
  int count() const {
    return static_cast<int>(
        std::ranges::count_if(actions, [](const Action& action) { return std::holds_alternative<T>(action); }));
  }
  template <typename T>
  bool first_is() const {
    return actions.size() > 0 && std::holds_alternative<T>(*actions.begin());
  }
  bool entered(State state) const { return before.state != state && after.state == state; }
  bool left(State state) const { return before.state == state && after.state != state; }
};

namespace detail {

using Claims = std::initializer_list<std::pair<bool, const char*>>;

/// The name of the first claim that does not hold, or null.
inline const char* broken_of(Claims claims) {
  for (const auto& [holds, what] : claims)
    if (!holds) return what;
  return nullptr;
}

inline const char* broken_state(const Step& step, Duration longest_wait) {
  const Snapshot& after = step.after;
  const bool waits = after.state == State::backup && !after.ready;
  const bool speaks = (after.state == State::active && !after.resigning) || after.preparing;
  return broken_of(
      {{(after.deadline == kNever) == (after.state == State::initialize || (after.ready && !after.preparing)),
        "there is a deadline unless it is in Initialize or waits for a word"},
       {!after.preparing || after.ready, "who prepares is ready"},
       {!after.ready || ((after.grouped || after.asks_first || step.before.ready) && after.state == State::backup),
        "only a Backup that waits for a word is ready"},
       {!after.resigning || after.state == State::active, "only an Active router resigns"},
       {after.state == State::backup || !after.active_peer, "only a Backup knows an Active peer"},
       {!waits || after.deadline - step.now <= longest_wait, "a Backup does not wait for ever"},
       {!speaks || after.deadline - step.now <= (after.yielding ? after.interval * 3 / 2 : after.interval),
        "who is Active or prepares for it speaks in time"},
       {!after.yielding || (after.state == State::active && !after.fit), "only an unfit Active router yields"}});
}

/// A router that resumes was Active before, so other nodes see no change.
inline const char* broken_changes(const Step& step) {
  const auto* change = step.find<StateChanged>();
  const auto* advert = step.find<SendAdvert>();
  const bool resumes = std::holds_alternative<Resume>(step.event);
  const bool became = step.entered(State::active) && !resumes;
  return broken_of({{step.count<StateChanged>() == (step.before.state != step.after.state && !resumes),
                     "a change of state is told once"},
                    {!change || (change->from == step.before.state && change->to == step.after.state), "and as it was"},
                    {!change || std::holds_alternative<StateChanged>(*(step.actions.end() - 1)), "and last"},
                    {step.count<Claim>() == became, "addresses are claimed by who becomes Active"},
                    {step.count<Release>() == step.left(State::active), "and released by who is Active no more"},
                    {step.count<Claim>() == 0 || step.first_is<Claim>(), "a claim comes first"},
                    {step.count<Release>() == 0 || step.first_is<Release>(), "a release comes first"},
                    {!became || (advert && advert->priority == step.after.priority), "who becomes Active says so"}});
}

/// True for the last advert of an Active router that yields to an advert. It must lose to that advert.
inline bool is_last_word(const Step& step) {
  return step.left(State::active) && step.after.state == State::backup && std::holds_alternative<Heard>(step.event);
}

inline bool loses(const SendAdvert& word, const Snapshot& speaker, const Heard& to) {
  return word.priority < to.priority || (word.priority == to.priority && speaker.primary < to.source);
}

/// A step sends one advert at most. It has our priority if the router is Active, prepares to be, or yields. It has
/// priority 0 if the router leaves, is about to leave, or is unfit.
inline const char* broken_adverts(const Step& step) {
  const auto* advert = step.find<SendAdvert>();
  if (!advert) return nullptr;
  const bool gave_up = step.before.preparing && step.after.state == State::initialize;
  const bool yields = is_last_word(step);
  const bool leaves = step.left(State::active) && !yields;
  const bool leaving = leaves || gave_up || step.after.resigning || step.after.yielding;
  return broken_of(
      {{step.count<SendAdvert>() == 1, "a step sends one advert at most"},
       {advert->priority == (leaving ? kResignPriority : step.after.priority), "an advert says what is so"},
       {leaving || yields || step.after.state == State::active || step.after.preparing, "a Backup is silent"},
       {!yields || loses(*advert, step.before, std::get<Heard>(step.event)), "nobody yields to a last word"}});
}

/// A deadline that has come moves on, or the loop would spin. A deadline that has not come is ignored.
inline const char* broken_deadline(const Step& step) {
  if (!std::holds_alternative<DeadlinePassed>(step.event)) return nullptr;
  const bool due = step.before.deadline <= step.now;
  return broken_of({{!due || step.after.deadline > step.now, "a deadline that has come is over"},
                    {due || (step.after == step.before && step.actions.size() == 0), "one that has not is ignored"}});
}

/// A resumed process becomes Active from Initialize only, and sends an advert at once. It trusts its peers' timeout no
/// longer than the previous run did.
inline const char* broken_resume(const Step& step) {
  const auto* resume = std::get_if<Resume>(&step.event);
  if (!resume) return nullptr;
  const bool goes_on = step.before.state == State::initialize;
  return broken_of({{step.actions.size() == 0, "who resumes has it all done already"},
                    {goes_on || step.after == step.before, "who takes part does not resume"},
                    {!goes_on || (step.after.state == State::active && !step.after.resigning), "who resumes is Active"},
                    {!goes_on || step.after.deadline == step.now, "who resumes has an advert to send"},
                    {!goes_on || step.believed_after == resume->believed_until, "who resumes is believed as before"}});
}

/// RFC 9568 6.1: peers wait for three intervals at least. Only an advert of a router that is Active, or about to be,
/// makes them wait on. A router that was silent for longer releases the addresses, sends an advert and listens.
inline const char* broken_belief(const Step& step) {
  const auto* advert = step.find<SendAdvert>();
  const bool speaks = advert && ((step.after.state == State::active && !step.after.resigning) || step.after.preparing);
  const bool resumed = std::holds_alternative<Resume>(step.event);
  const bool told = std::holds_alternative<Stalled>(step.event);
  const bool stalled = step.before.state == State::active && !step.before.resigning && step.now >= step.believed_before;
  return broken_of({{!speaks || step.believed_after == step.now + 3 * step.after.interval, "an advert is believed"},
                    {speaks || resumed || step.believed_after == step.believed_before, "silence is not"},
                    {!told || stalled || step.after == step.before, "who did not stall goes on"},
                    {!told || !stalled || (step.after.state == State::backup && step.first_is<Release>() && advert),
                     "who stalled lets go, says so and listens"}});
}

/// RFC 9568 6.4: on priority 0 an Active router sends an advert and stays; a Backup waits for Skew_Time at most.
inline const char* broken_resignation(const Step& step, const Election::Settings& settings) {
  const auto* heard = std::get_if<Heard>(&step.event);
  if (!heard || heard->priority != kResignPriority) return nullptr;
  const bool waits_apart = step.after.grouped || step.after.ready || !step.after.fit;
  const Duration skew = skew_time(settings.priority, step.after.adopted, settings.version);
  const bool beside_active = step.after.active_peer && step.after.active_peer->address != heard->source;
  return broken_of(
      {{step.after.state == step.before.state, "priority 0 changes no state"},
       {step.after.state != State::backup || waits_apart || beside_active || step.after.deadline <= step.now + skew,
        "a Backup waits for Skew_Time after priority 0"}});
}

/// A Backup waits for any router that sends adverts, however old the advert is; with preempt_delay for that time at
/// most.
inline const char* broken_wait(const Step& step, const Election::Settings& settings) {
  const auto* heard = std::get_if<Heard>(&step.event);
  if (!heard || heard->priority == kResignPriority || step.after.state != State::backup) return nullptr;
  const bool waits_anew = step.after.deadline != step.before.deadline && settings.preempt_delay == Duration::zero();
  return broken_of({{!waits_anew || step.after.deadline > step.now + 2 * step.after.adopted,
                     "an old advert leaves more than two intervals"}});
}

/// An unfit router takes over only if no other router is there.
inline const char* broken_health(const Step& step) {
  const auto* change = step.find<StateChanged>();
  if (!change || change->to != State::active || step.after.fit) return nullptr;
  const Why why = change->reason.why;
  return broken_of({{why == Why::silence || why == Why::owner, "an unfit router takes nobody's place"}});
}

/// The settings change only by a change of settings.
inline const char* broken_settings(const Step& step) {
  const auto* standing = std::get_if<SetStanding>(&step.event);
  const auto* primary = std::get_if<SetPrimary>(&step.event);
  const auto* wanted = std::get_if<Reconfigure>(&step.event);
  const std::uint8_t priority = standing ? standing->priority
                                : wanted ? wanted->settings.priority
                                         : step.before.priority;
  const Duration interval = wanted ? wanted->settings.interval : step.before.interval;
  const bool preempt = wanted ? wanted->settings.preempt : step.before.preempt;
  return broken_of({{step.after.priority == priority, "the priority is as it was set"},
                    {step.after.fit == (standing ? standing->fit : step.before.fit), "so is the health"},
                    {step.after.primary == (primary ? primary->address : step.before.primary), "and the address"},
                    {step.after.interval == interval && step.after.preempt == preempt, "and the rest"}});
}

}  // namespace detail

/// The invariant that `step` broke, or null. `settings` are those after the step. A Backup waits for `longest_wait` at
/// most from then.
inline const char* broken_invariant(const Step& step, const Election::Settings& settings, Duration longest_wait) {
  for (const char* broken :
       {detail::broken_state(step, longest_wait), detail::broken_changes(step), detail::broken_adverts(step),
        detail::broken_deadline(step), detail::broken_resume(step), detail::broken_belief(step),
        detail::broken_resignation(step, settings), detail::broken_wait(step, settings), detail::broken_health(step),
        detail::broken_settings(step)})
    if (broken) return broken;
  return nullptr;
}

}  // namespace vipd::testing
