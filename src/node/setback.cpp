#include "vipd/node/setback.hpp"

#include <algorithm>
#include <utility>

namespace vipd {
namespace {

/// How long an instance that could not be Active leaves an Active peer alone, unless the kernel has news.
constexpr auto kPatience = std::chrono::seconds(30);
/// An instance that fails again and again while it is Active is tried at least this often. Less than kPatience by what
/// a takeover takes.
constexpr auto kLongestPause = std::chrono::seconds(25);

}  // namespace

Setback::Setback(FaultCause cause, unsigned tries, World world, TimePoint now)
    : cause_(cause),
      tries_(tries),
      since_(now),
      judged_(now),
      seen_(std::move(world.surroundings)),
      departures_(world.departures) {}

bool Setback::is_patient(TimePoint now) const { return cause_ == FaultCause::sending || now < since_ + kPatience; }

/// Longer each time that a claim has failed while the router was Active.
Duration Setback::pause(const Pace& pace) const {
  Duration wait = pace.pause;
  for (unsigned i = 1; i < tries_ && wait < kLongestPause; ++i) wait *= 2;
  return std::max(pace.pause, std::min<Duration>(wait, kLongestPause));
}

/// When a claim that may preempt again has been tried, if there was an Active peer to preempt.
TimePoint Setback::ends(const Pace& pace) const { return since_ + kPatience + pace.pause + pace.preempting; }

/// The times at which something changes: news that came before the first one, the return to the election, the end of
/// the patience, the end of it all. Of adverts that cannot be sent: the next try.
TimePoint Setback::due(const Pace& pace, std::uint64_t departures) const {
  if (cause_ == FaultCause::sending) return departures != departures_ ? TimePoint() : judged_ + pace.interval;
  for (const TimePoint time : {since_ + pace.interval, since_ + pause(pace), since_ + kPatience, ends(pace)})
    if (time > judged_) return time;
  return kNever;
}

Setback::Verdict Setback::judge(const Pace& pace, const World& world, TimePoint now) {
  if (cause_ == FaultCause::sending) return judge_sending(pace, world.departures, now);
  judged_ = now;
  has_news_ = has_news_ || world.surroundings != seen_;
  if (on_trial_) return world.settled ? Verdict::over : Verdict::stays;
  if ((has_news_ && now >= since_ + pace.interval) || now >= ends(pace)) return Verdict::over;
  return now >= since_ + pause(pace) ? Verdict::tolerated : Verdict::stays;
}

/// The peers are still owed a priority 0. The first that leaves shows that the others would, too.
Setback::Verdict Setback::judge_sending(const Pace& pace, std::uint64_t departures, TimePoint now) {
  if (departures != departures_) return Verdict::over;
  if (now < judged_ + pace.interval) return Verdict::stays;
  judged_ = now;
  return now >= since_ + pace.pause ? Verdict::tolerated_speak : Verdict::speak;
}

}  // namespace vipd
