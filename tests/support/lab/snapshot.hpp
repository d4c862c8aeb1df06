/// Snapshot: the content of a network namespace, a line of text for each object. Others: what a test expects there.
///
/// vipd may not change an address, route, rule, neighbour entry, link or setting of others. So the lab takes a snapshot
/// of a node before vipd starts there, and another one when vipd has gone. The two must be the same, except for the
/// test's own changes. These are recorded by a snapshot before and after each of them. vipd's own objects carry its tag
/// (protocol 112, its alias, its table) and are kept apart. None of them may be left at the end.
///
/// A snapshot is read over netlink; settings that netlink lacks are read from /proc/sys. It takes some milliseconds.
///
/// Left out are changes by the kernel itself and queueing disciplines. The former are neighbours that are not
/// permanent, the table `local`, multicast routes, routes of redirects and router advertisements, counters, and
/// lifetimes. Not good yet: a change by vipd in the milliseconds of a test's own change counts as the test's.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "support/lab/process.hpp"

namespace vipd::lab {

/// The content of a namespace at one moment.
struct Snapshot {
  std::set<std::string> others;    ///< "address eth0 192.0.2.1/24 …", one line for each thing
  std::set<std::string> settings;  ///< "setting 2 ipv4 19 = 0": a sysctl of interface 2; "setting ipv4/conf/all/…"
  std::set<std::string> vipds;     ///< objects that carry the tag of vipd
};

/// The depth of a snapshot.
enum class Depth { with_settings, without_settings };

/// Takes a snapshot of a namespace. Throws std::runtime_error if the kernel does not answer.
Snapshot take_snapshot(const Netns& netns, Depth depth = Depth::with_settings);

/// The objects of others in a namespace, as far as the test knows.
class Others {
 public:
  /// `before` is a snapshot from before the first vipd.
  explicit Others(Snapshot before) : expected_(std::move(before)) {}

  /// Records a change of the test, between these two snapshots.
  void take_change(const Snapshot& before, const Snapshot& after, Depth depth);
  /// One line for each object that is gone, new, or left behind by vipd: "gone: address eth0 192.0.2.1/24 …".
  std::vector<std::string> differences(const Snapshot& now) const;

 private:
  Snapshot expected_;
};

}  // namespace vipd::lab
