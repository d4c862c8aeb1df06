/// Defence: when an Active router announces an address again because another host has announced it.
///
/// Any host can announce that an address is at its MAC: a second host with the same address, or an attacker. Every
/// client that hears it sends its packets there. So the Active router logs that MAC and announces the address again.
///
/// A peer that takes over announces the address, too, and its advert may be read a moment later. So an answer waits for
/// kMoment, and forget() drops it if the router is no longer Active by then. In the first interval after becoming
/// Active, the previous Active router may still announce. Such a claim is answered, but does not count as a contest
/// (`expected`).
///
/// Two hosts that both answer would go on for ever, and a flood would be amplified. So answers are at least a second
/// apart. The pause doubles up to kLongestPause while the claims go on, and is reset after a quiet time.
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
  /// A claim by the same MAC is news again after this time of silence.
  static constexpr Duration kQuiet = std::chrono::minutes(1);

  /// The claims of other hosts so far.
  struct Contest {
    AddressClaim last;
    TimePoint heard;            ///< when the last claim was heard
    std::uint64_t count = 0;    ///< number of claims
    std::uint64_t answers = 0;  ///< number of answers
  };

  struct Answer {
    std::set<IpAddress> addresses;  ///< addresses to announce
    bool is_news = false;           ///< true if contest()->last is to be logged
  };

  /// Another host claims an address of this Active router. `expected`: true if it may be the previous Active router.
  void note(const AddressClaim& claim, bool expected, TimePoint now);
  /// When answer() is to be called; kNever if no claim waits.
  TimePoint due() const { return due_; }
  /// Returns the addresses to announce; the next answer is due after a pause.
  Answer answer(TimePoint now);
  /// Drops the waiting claims, because the router is no longer Active.
  void forget();

  /// The claims of other hosts since the start; nullopt if there were none.
  const std::optional<Contest>& contest() const { return contest_; }

 private:
  std::set<IpAddress> claimed_;  // addresses that were claimed since the last answer
  TimePoint due_ = kNever;
  TimePoint answered_ = TimePoint::min();
  Duration pause_ = kShortestPause;
  std::optional<Contest> contest_;
  bool is_news_ = false;
};

}  // namespace vipd
