/// Checker: rules that hold in a cluster, whatever happens to it.
///
/// It examines the world after each event and throws a Violation at the first broken promise. A comment at each bound
/// says why it is not tighter. The promises are those of the README and of docs/architecture.md.
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

/// The time beyond each bound for a node that has just learnt of an event.
inline constexpr Duration kSlack = milliseconds(50);

/// How soon a client is back at the holder after a contender gave way. The holder announces after an interval of
/// silence, and at most once a second, however short the interval is (announcer.cpp).
inline Duration winning_back(Duration interval) { return interval + std::max<Duration>(interval, seconds(1)); }

class Checker {
 public:
  Checker(World& world, const Scenario& scenario, Coverage& coverage);

  /// Examines the world; to be called after each event.
  void look();
  /// Notes a lost or late packet: a node cannot obey an advert that it has not heard.
  void lost(std::size_t from, std::size_t to);
  void hook_started(std::size_t node, const Command& command);
  void hook_ended(std::size_t node, const std::string& who);
  /// Notes a new process of a node, which has none of the old programs.
  void node_started(std::size_t node);
  void advert_sent(std::size_t node, std::size_t lan);
  void announced(std::size_t node, std::span<const std::uint8_t> frame) const;
  /// Notes that the system refused to send an advert.
  void send_failed(std::size_t node);
  void hostile_packet(const Node& node, const Packet& packet, bool over);
  /// Excuses the kernel of a node until then: it refuses or delays changes.
  void excuse_kernel(std::size_t node, TimePoint until);

  /// Requires the right state after all faults have been over for long enough.
  void require_settled() const;
  /// Requires the right hooks, after the hooks have had time to end.
  void require_hooks_told() const;
  /// Requires that nothing is left when no process runs any more.
  void require_nothing_left() const;
  /// The sum of the transitions of all existing instances.
  std::uint64_t transitions() const;
  bool held(std::size_t instance) const;
  /// From now on the clients are judged, too: each fault is clean, so the holder can lead the clients to itself.
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
  std::vector<IpAddress> vips_;  // the first address of each instance
  std::uint64_t seen_changes_ = ~0ULL, seen_transitions_ = 0;
  std::array<std::uint64_t, kMost> transitions_{}, events_{};  // the last seen numbers of each node
  TimePoint next_look_{};
  std::array<std::array<std::array<TimePoint, kMost>, kMost>, 2> together_;  // since when, by instance and pair
  std::array<TimePoint, 2> astray_;  // since when the client of each instance is misled
  std::array<TimePoint, kMost> differs_, duplicate_, unheard_since_, excused_{};
  std::array<std::map<std::string, Subject>, kMost> subjects_;
  std::array<std::array<Rate, 3>, kMost> rates_{};
  Before before_;
};

}  // namespace vipd::sim
