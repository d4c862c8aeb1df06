#include "vipd/node/contender.hpp"

#include <algorithm>

namespace vipd {
namespace {

constexpr auto kGap = std::chrono::seconds(5);
/// The number of intervals in which a contender that hears our adverts gives way.
constexpr int kPatience = 3;

}  // namespace

std::optional<std::string> Contender::heard(const Peer& peer, Duration interval, TimePoint now) {
  if (!seen_) seen_ = Seen{.peer = peer, .first = now, .last = now};
  const bool is_known = seen_->peer.address == peer.address;
  if (!is_known || peer.priority != kResignPriority) seen_->peer = peer;
  seen_->last = now;
  const Duration beside = now - seen_->first;
  if (seen_->told || beside <= kPatience * interval) return std::nullopt;
  seen_->told = true;
  return seen_->peer.address.to_string() + " (priority " + std::to_string(seen_->peer.priority) +
         ") is Active, too, for " + format_duration(beside) +
         ", and does not give way: it does not hear this node, or refuses what it hears";
}

TimePoint Contender::gone_at(Duration interval) const {
  if (!seen_) return kNever;
  return std::max(seen_->last + 2 * interval, taken_ + kGap);
}

Contender::Gone Contender::take(TimePoint now) {
  Gone gone{.peer = seen_->peer, .sentence = seen_->to_string(), .is_told_now = log_.passes(now)};
  taken_ = now;
  seen_.reset();
  return gone;
}

std::string Contender::Seen::to_string() const {
  const std::string who = peer.address.to_string();
  if (peer.priority == kResignPriority) return who + " was Active, too, and has resigned (priority 0)";
  return who + " (priority " + std::to_string(peer.priority) + ") was Active, too" +
         (last > first ? ", for " + format_duration(last - first) : "");
}

}  // namespace vipd
