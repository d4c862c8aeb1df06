/// The addresses that the kernel holds in a namespace: a dump, and a monitor that notes changes.
///
/// They are read over rtnetlink(7) and not from `ip`. The `ip` of Debian 12 does not show IFA_PROTO. A test that asks
/// every two milliseconds should not start a process each time.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/lab/process.hpp"

namespace vipd::lab {

/// One address of an interface.
struct Held {
  std::string prefix;     ///< "192.0.2.10/24"
  unsigned flags = 0;     ///< IFA_F_…
  unsigned protocol = 0;  ///< IFA_PROTO, 0 if there is none
};

/// All addresses of all interfaces in a namespace.
std::vector<Held> addresses(const Netns& netns);

/// One notification of the kernel.
struct AddressEvent {
  std::chrono::system_clock::time_point time;  ///< when the notification was read, which is a little after the change.
  bool added = false;
  std::string prefix;
};

/// Notes every address that is added or removed in a namespace during its life. A change of an address (lifetime,
/// flags) counts as an addition.
class AddressMonitor {
 public:
  explicit AddressMonitor(const Netns& netns);
  ~AddressMonitor();
  AddressMonitor(const AddressMonitor&) = delete;
  AddressMonitor& operator=(const AddressMonitor&) = delete;

  /// The events so far, oldest first. The result is a copy, and new events wait while it is made.
  std::vector<AddressEvent> events() const;
  /// The number of events so far.
  std::size_t count() const;

 private:
  void read_until_stopped();

  Fd netlink_, stop_;
  mutable std::mutex mutex_;
  std::vector<AddressEvent> events_;
  std::thread reader_;
};

}  // namespace vipd::lab
