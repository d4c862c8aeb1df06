/// Checker: what must hold in a cluster, whatever befalls it.
///
/// Looks after each event of the world and throws a Violation at the first thing that is not as promised. Each bound
/// stands beside the reason why it is not tighter; the promises are those of the README and of docs/architecture.md.
/// Callers: Cluster.
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "coverage.hpp"
#include "scenario.hpp"

namespace vipd::sim {

struct Violation {
  std::string what;
};

[[noreturn]] inline void violated(const std::string& what) { throw Violation{what}; }

/// What is left to a node that has only just been told, beyond each bound.
inline constexpr Duration kSlack = milliseconds(50);

/// How soon a client is back at the holder when another Active node has given way: this node says so after an interval
/// of silence, and no more often than once a second (address_owner.cpp), however short the interval is.
inline Duration winning_back(Duration interval) { return interval + std::max<Duration>(interval, seconds(1)); }

class Checker {
 public:
  Checker(World& world, const Scenario& scenario, Coverage& coverage);

  /// After each event.
  void look();
  /// A packet did not arrive, or late: who cannot be heard cannot be obeyed.
  void lost(std::size_t from, std::size_t to);
  void hook_started(std::size_t node, const Command& command);
  void hook_ended(std::size_t node, const std::string& who);
  /// A new process has its programs to itself.
  void node_started(std::size_t node);
  void advert_sent(std::size_t node, std::size_t lan);
  void announced(std::size_t node, std::span<const std::uint8_t> frame) const;
  /// The system refused to send one.
  void send_failed(std::size_t node);
  void hostile_packet(const Node& node, const Packet& packet, bool over);
  /// The kernel of the node does not do what it is told until then.
  void excuse_kernel(std::size_t node, TimePoint until);

  /// All faults are over for long enough.
  void require_settled() const;
  /// And the hooks had the time to end.
  void require_hooks_told() const;
  /// Nobody runs any more.
  void require_nothing_left() const;
  /// Sum over all instances that are there.
  std::uint64_t transitions() const;
  bool held(std::size_t instance) const;
  /// From now on faults are clean ones, after each of which the holder can lead the clients to itself.
  void judge_clients() { judges_clients_ = true; }

 private:
  static constexpr std::size_t kMost = 8;
  struct Subject {
    bool running = false;
    std::uint64_t told = 0;
  };
  struct Rate {
    TimePoint began{};
    unsigned sent = 0;
    std::uint64_t transitions = 0;
  };
  struct Before {
    TimePoint deadline{};
    std::uint64_t sent = 0, received = 0, transitions = 0, changes = 0;
    std::array<std::uint64_t, kRefusalKinds> refused{};
  };

  std::uint64_t count_transitions();
  void note_transition();
  void look_at_pairs();
  void look_at_pair(std::size_t a, std::size_t b, std::size_t instance, bool both_hold);
  void look_at_kernel(std::size_t node);
  void look_at_duplicates(std::size_t node);
  std::optional<std::string> duplicate_of(const Node& node) const;
  std::optional<std::string> deafness_of(const Node& node, const VirtualRouter& router) const;
  static Duration longest_interval(const Node& node);
  void look_at_client(std::size_t instance);
  const Node* sole_holder(std::size_t instance) const;
  std::optional<std::string> difference(const Node& node) const;
  std::optional<std::string> lack_of(const Node& node, const AddressObject& address) const;
  Duration departure(const Node& node) const;
  bool contend(const Node& a, const Node& b, std::size_t instance) const;
  bool holds(const Node& node, std::size_t instance) const;
  void not_heard(std::size_t node);
  bool unheard(const Node& node) const { return unheard_since_[node.index] != kNever; }
  bool hears(const Node& from, const Node& to, const VirtualRouter& speaker, const VirtualRouter& listener) const;
  void require_hooks_told(const Node& node) const;
  void due(TimePoint when) { next_look_ = std::min(next_look_, when); }

  bool judges_clients_ = false;
  World& world_;
  const Scenario& scenario_;
  Coverage& coverage_;
  std::vector<IpAddress> vips_;  // the first of each instance
  std::uint64_t seen_changes_ = ~0ULL, seen_transitions_ = 0;
  std::array<std::uint64_t, kMost> transitions_{}, events_{};  // as they were seen last, of each node
  TimePoint next_look_{};
  std::array<std::array<std::array<TimePoint, kMost>, kMost>, 2> together_;  // by instance and pair, since when
  std::array<TimePoint, 2> astray_;                                          // the client of each instance, since when
  std::array<TimePoint, kMost> differs_, duplicate_, unheard_since_, excused_{};
  std::array<std::map<std::string, Subject>, kMost> subjects_;
  std::array<std::array<Rate, 3>, kMost> rates_{};
  Before before_;
};

}  // namespace vipd::sim
