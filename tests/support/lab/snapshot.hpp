/// Snapshot: what a network namespace has, each thing a line of text; and Others: what a test expects of it.
///
/// vipd may not change an address, route, rule, neighbour entry, link or setting of anybody else. So the lab takes a
/// snapshot of a node before vipd starts there, and another one when all of vipd has gone: the two are the same, but
/// for the test's own changes. Those are taken over while they happen, by a snapshot before and one after each of them.
/// What vipd has made carries its tag (protocol 112, its alias, its table) and is kept apart: it is no part of what
/// others have, and nothing of it may be left at the end.
///
/// Read over netlink, and from /proc/sys what netlink does not tell: some milliseconds for each snapshot.
///
/// Left out: what the kernel changes by itself (neighbours that are not permanent, the table `local`, multicast routes,
/// routes of redirects and router advertisements, counters, lifetimes), and queueing disciplines. Not good yet: what
/// vipd does in the milliseconds in which the test changes something counts as the test's doing.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "support/lab/process.hpp"

namespace vipd::lab {

/// What is there at one moment.
struct Snapshot {
  std::set<std::string> others;    ///< "address eth0 192.0.2.1/24 …", one line for each thing
  std::set<std::string> settings;  ///< "setting 2 ipv4 19 = 0": a sysctl of interface 2; "setting ipv4/conf/all/…"
  std::set<std::string> vipds;     ///< what carries the tag of vipd
};

/// How much is asked.
enum class Depth { with_settings, without_settings };

/// What a namespace has now. Throws std::runtime_error if the kernel does not tell.
Snapshot take_snapshot(const Netns& netns, Depth depth = Depth::with_settings);

/// What others have in a namespace, by what the test knows.
class Others {
 public:
  /// No vipd has been started there.
  explicit Others(Snapshot before) : expected_(std::move(before)) {}

  /// Between these two, the test has changed something.
  void take_change(const Snapshot& before, const Snapshot& after, Depth depth);
  /// One line for each thing that is gone, new, or left behind by vipd: "gone: address eth0 192.0.2.1/24 …".
  std::vector<std::string> differences(const Snapshot& now) const;

 private:
  Snapshot expected_;
};

}  // namespace vipd::lab
