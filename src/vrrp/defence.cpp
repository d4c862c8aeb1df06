#include "vipd/vrrp/defence.hpp"

#include <algorithm>
#include <utility>

namespace vipd {

void Defence::note(const AddressClaim& claim, bool expected, TimePoint now) {
  claimed_.insert(claim.address);
  if (due_ == kNever)
    due_ = answered_ == TimePoint::min() ? now + kMoment : std::max(now + kMoment, answered_ + pause_);
  if (expected) return;
  if (!contest_ || contest_->last.mac != claim.mac || now >= contest_->heard + kQuiet) is_news_ = true;
  if (!contest_) contest_ = Contest{.last = claim, .heard = now};
  contest_->last = claim;
  contest_->heard = now;
  ++contest_->count;
}

Defence::Answer Defence::answer(TimePoint now) {
  const bool goes_on = answered_ != TimePoint::min() && now < answered_ + 4 * pause_;
  pause_ = goes_on ? std::min<Duration>(2 * pause_, kLongestPause) : kShortestPause;
  answered_ = now;
  due_ = kNever;
  if (contest_) ++contest_->answers;
  return {.addresses = std::exchange(claimed_, {}), .is_news = std::exchange(is_news_, false)};
}

void Defence::forget() {
  claimed_.clear();
  due_ = kNever;
  is_news_ = false;
}

}  // namespace vipd
