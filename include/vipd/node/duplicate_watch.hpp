/// DuplicateWatch: what to do about an address that another host has, by duplicate address detection.
///
/// That host may be the old holder, which lets go within a few advert intervals, however its last words were lost.
/// Until then the address is added again once an interval, since the kernel looks for another host only then. An
/// address that another host still has later is a failure of the claim.
#pragma once

#include <cstdint>
#include <vector>

#include "vipd/base/time.hpp"
#include "vipd/node/held_objects.hpp"

namespace vipd {

class DuplicateWatch {
 public:
  enum class Verdict : std::uint8_t {
    wait,          ///< the view may be as before
    detect_again,  ///< add the addresses again
    give_up,       ///< another host keeps them
  };

  /// A claim begins.
  void begin(TimePoint now);
  /// Nothing is to be judged any more, or all is to be judged anew.
  void forget() { next_ = kNever; }
  /// There are duplicates; `interval` is the Advertisement_Interval.
  Verdict judge(Duration interval, TimePoint now);
  /// When duplicates are judged again; kNever if there are none.
  TimePoint next() const { return next_; }

 private:
  TimePoint claimed_at_{};
  TimePoint detected_again_ = TimePoint::min();  // when duplicates were added again last, since the claim
  TimePoint next_ = kNever;
};

/// The entries whose address another host has, the kernel has found. ARP detects nothing.
std::vector<HeldEntry*> duplicates_among(std::vector<HeldEntry>& entries, const NetworkView& view);

}  // namespace vipd
