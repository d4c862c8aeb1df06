/// Contender: another node that is Active while this router is Active.
///
/// The router learns of it by adverts that lose, by its last word when it yields, and by its priority 0. A contender
/// that hears this node gives way. When it has been silent for two intervals, what it has told others about the
/// addresses has to be put right.
#pragma once

#include <optional>
#include <string>

#include "vipd/base/log_limit.hpp"
#include "vipd/base/time.hpp"
#include "vipd/vrrp/advert.hpp"
#include "vipd/vrrp/election.hpp"

namespace vipd {

class Contender {
 public:
  /// A contender that has gone.
  struct Gone {
    Peer peer;
    std::string sentence;     ///< "192.0.2.2 (priority 100) was Active, too, for 3.2s"
    bool is_told_now = true;  ///< false when the log has such a line of the last minute
  };

  /// Notes its advert. Returns a warning when it has not given way for three intervals, once.
  std::optional<std::string> heard(const Peer& peer, Duration interval, TimePoint now);
  /// When it will not have been heard for two intervals; kNever if there is none. Forged adverts make no more of these
  /// than one in five seconds.
  TimePoint gone_at(Duration interval) const;
  /// Forgets the contender, which has gone.
  Gone take(TimePoint now);
  /// Forgets it without a word: this router's state has changed.
  void forget() { seen_.reset(); }

 private:
  struct Seen {
    Peer peer;
    TimePoint first, last;  // heard
    bool told = false;      // true once the warning of heard() was returned
    std::string to_string() const;
  };

  std::optional<Seen> seen_;
  TimePoint taken_ = TimePoint::min();
  LogLimit log_;
};

}  // namespace vipd
