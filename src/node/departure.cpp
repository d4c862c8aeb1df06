#include "vipd/node/departure.hpp"

#include <algorithm>

namespace vipd {
namespace {

/// A peer that is not heard is slower than this node by this factor at most, or clients may lose packets.
constexpr int kSlowness = 4;
/// A peer that has announced some of its addresses goes on within this time, however busy it is.
constexpr auto kPeerPause = std::chrono::milliseconds(200);
/// So many announcements in a row may be missed on a busy machine.
constexpr std::size_t kFarthest = 512;
/// Whatever the peer announces, objects go without a pause after this time.
constexpr auto kLongestDeparture = std::chrono::seconds(5);

}  // namespace

Departure::Departure(Duration object_takes, TimePoint now) : ends_(now + kLongestDeparture) {
  each_ = kSlowness * object_takes;
  next_at_ = now + each_ * kPerTurn;
}

TimePoint Departure::due() const { return next_ < taken_ ? TimePoint() : std::min(next_at_, ends_); }

void Departure::note_gone(std::size_t next) {
  next_ = next;
  next_at_ += each_ * kPerTurn;
}

std::pair<std::size_t, std::size_t> Departure::expected(std::size_t count) const {
  if (each_ == Duration::zero()) return {count, count};
  return {taken_, std::min(taken_ + kFarthest, count)};
}

void Departure::note_taken(std::size_t index, TimePoint now) {
  taken_ = index + 1;
  next_at_ = now + kPeerPause;
}

}  // namespace vipd
