/// Defence: when an Active router announces an address again because another host says that it has it.
///
/// Anybody on the network can say that an address is at another MAC (a second host with the address, an attacker), and
/// every client that hears it goes there. So the Active router names that MAC and announces the address again.
///
/// A peer that takes over announces the address as well, and its advert may be read a moment later. So an answer waits
/// for kMoment, and forget() drops it when the router is not Active any more by then. For the first interval of being
/// Active the old holder may still announce: that is answered, and it is no contest (`expected`).
///
/// Two hosts that both answer would go on for ever, and a flood would be amplified. So a second lies between two
/// answers. While they go on that pause doubles up to kLongestPause, and begins anew after a quiet time. Pure: callers
/// are VirtualRouter and the tests.
#pragma once

#include <cstdint>
#include <optional>
#include <set>

#include "vipd/base/time.hpp"
#include "vipd/vrrp/announcement.hpp"

namespace vipd {

class Defence {
 public:
  static constexpr Duration kMoment = std::chrono::milliseconds(50);
  static constexpr Duration kShortestPause = std::chrono::seconds(1);
  static constexpr Duration kLongestPause = std::chrono::seconds(8);
  /// The same MAC is news again when it was silent for so long.
  static constexpr Duration kQuiet = std::chrono::minutes(1);

  /// What other hosts have said so far.
  struct Contest {
    AddressClaim last;
    TimePoint heard;            ///< when that was
    std::uint64_t count = 0;    ///< of claims
    std::uint64_t answers = 0;  ///< times that addresses were announced again
  };

  struct Answer {
    std::set<IpAddress> addresses;  ///< to be announced
    bool is_news = false;           ///< true when contest()->last is to be told
  };

  /// Another host claims an address of this router, which is Active. `expected`: it may be the old holder still.
  void note(const AddressClaim& claim, bool expected, TimePoint now);
  /// When answer() is to be called; kNever if nothing was claimed.
  TimePoint due() const { return due_; }
  /// Takes what is to be announced; the next answer is due after a pause.
  Answer answer(TimePoint now);
  /// The router is not Active any more: nothing is answered.
  void forget();

  /// nullopt if no other host has claimed anything since the start.
  const std::optional<Contest>& contest() const { return contest_; }

 private:
  std::set<IpAddress> claimed_;  // since the last answer
  TimePoint due_ = kNever;
  TimePoint answered_ = TimePoint::min();
  Duration pause_ = kShortestPause;
  std::optional<Contest> contest_;
  bool is_news_ = false;
};

}  // namespace vipd
