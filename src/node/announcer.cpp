#include "vipd/node/announcer.hpp"

#include <algorithm>
#include <utility>

#include "vipd/os/log.hpp"
#include "vipd/vrrp/announcement.hpp"

namespace vipd {
namespace {

/// A turn of announcements takes well below a millisecond.
constexpr std::size_t kFramesPerTurn = 32;
constexpr auto kTurnGap = std::chrono::milliseconds(1);
/// The shortest time between two bursts that another node provokes.
constexpr auto kAnswerGap = std::chrono::seconds(1);

}  // namespace

Announcer::Announcer(Kernel& kernel, Wire& wire, const SharedInstance& config)
    : kernel_(kernel), wire_(wire), config_(config) {}

void Announcer::begin(TimePoint now) {
  claimed_at_ = now;
  second_burst_ = config_->announce.again_after > Duration::zero();
  next_round_ = now + config_->announce.delay;
}

void Announcer::end() {
  is_quiet_ = false;
  next_round_ = next_turn_ = answer_at_ = kNever;
}

bool Announcer::speak(Entries entries, TimePoint now) {
  if (!std::exchange(is_quiet_, false)) return false;
  return now >= next_round_ && start_round(entries, now);
}

bool Announcer::reconfigure(Entries entries, bool has_new, TimePoint now) {
  if (has_new) hurry(now);
  if (config_->announce.again_after == Duration::zero()) second_burst_ = false;
  next_round_ = std::min(next_round_, next_round(entries, now));
  return is_time(now) && start_round(entries, now);
}

void Announcer::hurry(TimePoint now) {
  next_round_ = std::min(next_round_, std::max(now, claimed_at_ + config_->announce.delay));
}

void Announcer::look_for_usable(Entries entries, TimePoint now) {
  bool some = false;
  for (HeldEntry& entry : entries) {
    if (!entry.waits || !is_settled(std::get<AddressObject>(entry.object), kernel_.view())) continue;
    entry.waits = false;
    renew(entry);
    some = true;
  }
  if (some) hurry(now);
}

bool Announcer::contested(Entries entries, Duration quiet, TimePoint now) {
  if (answer_at_ == kNever) contested_at_ = now;
  bool ended = false;
  if (now >= answered_at_ + kAnswerGap) {
    begin_burst(entries, now);
    ended = is_time(now) && start_round(entries, now);
  }
  answer_at_ = std::max(std::min(now + quiet, contested_at_ + kAnswerGap), answered_at_ + kAnswerGap);
  return ended;
}

bool Announcer::announce_again(Entries entries, const std::set<IpAddress>& addresses, TimePoint now) {
  for (HeldEntry& entry : entries)
    if (const auto* held = std::get_if<AddressObject>(&entry.object);
        held != nullptr && addresses.contains(held->prefix.address))
      renew(entry);
  hurry(now);
  return !is_quiet_ && is_time(now) && start_round(entries, now);
}

TimePoint Announcer::deadline() const {
  if (is_quiet_) return kNever;
  return in_round() ? next_turn_ : std::min(next_round_, answer_at_);
}

bool Announcer::on_deadline(Entries entries, TimePoint now) {
  if (now >= answer_at_) {
    answer_at_ = kNever;
    begin_burst(entries, now);
  }
  if (now < next_round_) return false;
  if (!in_burst(entries)) {
    for (HeldEntry& entry : entries) entry.rounds = second_burst_ ? config_->announce.count : 1;
    second_burst_ = false;
  }
  return start_round(entries, now);
}

/// Begins the burst that answers another node.
void Announcer::begin_burst(Entries entries, TimePoint now) {
  answered_at_ = now;
  for (HeldEntry& entry : entries) renew(entry);
  next_round_ = std::max(now, claimed_at_ + config_->announce.delay);
}

/// True if some addresses have announcements of their burst left.
bool Announcer::in_burst(Entries entries) {
  return std::ranges::any_of(entries, [](const HeldEntry& entry) { return entry.rounds > 0; });
}

/// When the round after a round at `now` is due.
TimePoint Announcer::next_round(Entries entries, TimePoint now) const {
  const AnnounceSettings& announce = config_->announce;
  if (in_burst(entries)) return std::max(now + announce.gap, claimed_at_ + announce.delay);
  if (second_burst_) return std::max(now + announce.gap, claimed_at_ + announce.again_after);
  return announce.refresh > Duration::zero() ? now + announce.refresh : kNever;
}

void Announcer::join_round(HeldEntry& entry) {
  entry.due = entry.rounds > 0 && !entry.queued;
  if (entry.due) --entry.rounds;
}

/// Begins a round: each address in its burst is announced once.
bool Announcer::start_round(Entries entries, TimePoint now) {
  for (HeldEntry& entry : entries) join_round(entry);
  next_round_ = next_round(entries, now);
  return go_on(entries, now);
}

bool Announcer::go_on(Entries entries, TimePoint now) { return go_on(entries, kFramesPerTurn, now); }

bool Announcer::go_on(Entries entries, std::size_t most, TimePoint now) {
  std::size_t frames = 0;
  for (HeldEntry& entry : entries) {
    if (!entry.due) continue;
    if (frames >= most) {
      next_turn_ = now + kTurnGap;
      return false;
    }
    entry.due = false;
    const auto* address = std::get_if<AddressObject>(&entry.object);
    entry.waits = address != nullptr && !is_settled(*address, kernel_.view());
    if (!entry.waits) frames += announce(entry);
  }
  next_turn_ = kNever;
  next_round_ = std::max(next_round_, now + kTurnGap);
  forwards_.clear();
  return true;
}

/// Announces an entry. Returns the number of frames: 0 for routes and rules.
unsigned Announcer::announce(const HeldEntry& entry) {
  const auto* held = std::get_if<AddressObject>(&entry.object);
  if (held == nullptr || entry.error != 0) return 0;
  const Interface* interface = kernel_.view().find(held->ifindex);
  if (interface == nullptr || !interface->ethernet) return 0;
  const IpAddress& address = held->prefix.address;
  unsigned frames = 0;
  const auto send = [&](std::span<const std::uint8_t> frame) {
    ++frames;
    if (const auto sent = wire_.announce(interface->index, frame); !sent)
      log(LogLevel::debug, "{}: {}", to_string(*held), sent.error().message);
  };
  if (address.family() == Family::ipv6) {
    const auto [known, is_new] = forwards_.try_emplace(interface->index, false);
    if (is_new) known->second = kernel_.forwards_ipv6(interface->name);
    send(unsolicited_na(interface->mac, address, known->second));
    return frames;
  }
  const AnnounceForm form = config_->announce.form;
  if (form != AnnounceForm::reply) send(gratuitous_arp(interface->mac, address, ArpForm::request));
  if (form != AnnounceForm::request) send(gratuitous_arp(interface->mac, address, ArpForm::reply));
  return frames;
}

}  // namespace vipd
