/// Departure: the pace at which many objects go while a peer adds them (docs/decisions/0016).
///
/// The peer announces its addresses in the order in which they go here. An object goes when the peer has announced it,
/// or an address behind it. Of a peer that is not heard, objects go by time: several times as slowly as this node adds
/// them itself. After some seconds they go without a pause. So they do where no peer takes over.
///
/// Entries are numbers here, in the order in which they go. Pure: the caller removes them and says so.
#pragma once

#include <cstddef>
#include <utility>

#include "vipd/base/time.hpp"

namespace vipd {

class Departure {
 public:
  /// So many objects go in a turn, so that nobody's adverts wait for long: the kernel takes up to 200 µs for one, and
  /// more while others change their interfaces.
  static constexpr std::size_t kPerTurn = 16;

  /// A departure without a peer: the objects go in turns without a pause.
  Departure() = default;
  /// A departure to a peer; this node takes `object_takes` to add and announce one object.
  Departure(Duration object_takes, TimePoint now);

  /// The entry that goes next.
  std::size_t next() const { return next_; }
  /// When the next few are due; TimePoint() if they are at once.
  TimePoint due() const;
  /// The entries before `next` are gone: those of a turn, and those that were not to go.
  void note_gone(std::size_t next);
  /// Of `count` entries, those [first, second) that the peer may announce next. Further on it would add them in another
  /// order.
  std::pair<std::size_t, std::size_t> expected(std::size_t count) const;
  /// The peer has announced the address of entry `index`: it has those before it, too.
  void note_taken(std::size_t index, TimePoint now);
  /// The entries are others: they begin to go again from the first one on.
  void begin_again() { next_ = taken_ = 0; }

 private:
  TimePoint next_at_{};    // when the next few go, though the peer has not announced them
  TimePoint ends_{};       // when all go that are left
  Duration each_{};        // time for one object of a peer that is not heard; zero: there is no peer
  std::size_t next_ = 0;   // the entry that goes next
  std::size_t taken_ = 0;  // number of entries, from the first on, that the peer has by what it announced
};

}  // namespace vipd
