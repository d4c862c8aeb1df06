#include "vipd/node/duplicate_watch.hpp"

namespace vipd {
namespace {

/// Advert intervals after a claim in which an old holder lets go of its addresses, however its last words were lost.
constexpr int kDuplicatePatience = 4;

}  // namespace

void DuplicateWatch::begin(TimePoint now) {
  claimed_at_ = now;
  detected_again_ = TimePoint::min();
}

DuplicateWatch::Verdict DuplicateWatch::judge(Duration interval, TimePoint now) {
  next_ = detected_again_ + interval;
  if (now < next_) return Verdict::wait;
  next_ = now + interval;
  if (now >= claimed_at_ + kDuplicatePatience * interval) return Verdict::give_up;
  detected_again_ = now;
  return Verdict::detect_again;
}

std::vector<HeldEntry*> duplicates_among(std::vector<HeldEntry>& entries, const NetworkView& view) {
  std::vector<HeldEntry*> duplicates;
  for (HeldEntry& entry : entries) {
    const auto* address = std::get_if<AddressObject>(&entry.object);
    if (address == nullptr || address->prefix.address.family() == Family::ipv4) continue;
    if (const AddressState* state = state_of(entry.object, view); state != nullptr && state->duplicate)
      duplicates.push_back(&entry);
  }
  return duplicates;
}

}  // namespace vipd
