/// Contender: another node that is Active while this router is Active.
///
/// The router learns of a contender by adverts that lose, by the last advert of a contender that yields, and by
/// priority 0. A contender that hears this node gives way. After two intervals of its silence, this node announces the
/// addresses again, to correct the contender's announcements.
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
    bool is_told_now = true;  ///< false if the log had such a line within the last minute
  };

  /// Notes an advert of the contender. Returns a warning once, if it has not given way for three intervals.
  std::optional<std::string> heard(const Peer& peer, Duration interval, TimePoint now);
  /// When the contender will have been silent for two intervals; kNever without a contender. Forged adverts cause at
  /// most one such moment in five seconds.
  TimePoint gone_at(Duration interval) const;
  /// Forgets the contender, which has gone.
  Gone take(TimePoint now);
  /// Forgets the contender silently: the state of this router has changed.
  void forget() { seen_.reset(); }

 private:
  struct Seen {
    Peer peer;
    TimePoint first, last;  // when it was heard for the first and the last time
    bool told = false;      // true once the warning of heard() was returned
    std::string to_string() const;
  };

  std::optional<Seen> seen_;
  TimePoint taken_ = TimePoint::min();
  LogLimit log_;
};

}  // namespace vipd
