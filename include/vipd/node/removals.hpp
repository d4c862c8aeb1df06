/// Removals: what goes from the kernel and has not gone yet.
///
/// An object that the kernel refuses to remove is stuck, and is tried again until it is gone. Objects that a new
/// configuration no longer asks for leave in turns, so that adverts get through in between. Packets to addresses that
/// were refused (accept = false) are taken in again behind the last of those.
#pragma once

#include <functional>
#include <vector>

#include "vipd/base/time.hpp"
#include "vipd/os/kernel.hpp"

namespace vipd {

class Removals {
 public:
  /// Says whether the instance holds the object, so that it has to stay.
  using IsHeld = std::function<bool(const KernelObject&)>;

  explicit Removals(Kernel& kernel) : kernel_(kernel) {}

  /// Removes these at once.
  void remove(const std::vector<KernelObject>& objects);
  /// The configuration no longer asks for `objects`; they leave by remove_some(), the first one first. Behind them,
  /// packets to `accepted` are taken in again.
  void leave(const std::vector<KernelObject>& objects, const std::vector<IpAddress>& accepted);
  /// Removes the next `most` of those that leave, unless they are held again by now.
  void remove_some(std::size_t most, const IsHeld& is_held);
  /// Removes `strays`, which are there with vipd's tag and are not to be held, and what is stuck. An object without
  /// vipd's tag is somebody else's by now, and stays.
  void try_again(std::vector<KernelObject> strays, const IsHeld& is_held, TimePoint now);
  /// Takes packets to these addresses in again.
  void accept(const std::vector<IpAddress>& addresses);

  /// The number of objects that leave.
  std::size_t leaving() const { return leaving_.size(); }
  /// The objects that the kernel has refused to remove so far.
  const std::vector<KernelObject>& stuck() const { return stuck_; }
  /// When try_again() is due; kNever if nothing is stuck.
  TimePoint next_try() const { return next_try_; }

 private:
  Kernel& kernel_;
  std::vector<KernelObject> leaving_;  // the next one last
  std::vector<IpAddress> accepted_;    // to which packets are taken in when those have left
  std::vector<KernelObject> stuck_;
  TimePoint next_try_ = kNever;
};

}  // namespace vipd
