/// Transcript: a scenario in virtual time as a text that an operator reads.
///
/// The text has the nodes with their configurations, the events with their times, and the expected timeline.
/// docs/transcripts.md explains each word. read_transcript() makes values of the text. play() (play.hpp) runs them in a
/// World and writes the timeline. The caller reads and writes the files.
///
/// A complete scenario has `node` blocks. A caller may also give the nodes, with configurations from elsewhere. No text
/// can end the program: a fault becomes an Error that names the line and the remedy.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vipd/base/result.hpp"
#include "vipd/base/time.hpp"
#include "vipd/config/config.hpp"

namespace vipd::sim {

class Stage;

/// The action of one line of a scenario.
using Deed = std::function<void(Stage&)>;

/// One line `at` or `every` of a scenario. Times count from the start of the run.
struct Happening {
  Duration at{};      ///< when it happens for the first time
  Duration period{};  ///< the time between repetitions; zero if it happens once
  Duration last{};    ///< the latest time of a repetition
  std::string words;  ///< the words of the text: "lb1 link eth0 down"
  Deed deed;
  int line = 0;  ///< the line of the text, from 1
};

/// One node of a scenario.
struct ScenarioNode {
  std::string name;
  bool off = false;                       ///< true if vipd does not run at first
  Config config;                          ///< the configuration with which it starts
  std::vector<InstanceConfig> ever = {};  ///< all its instances ever; their interfaces exist from the start
};

/// A scenario and the timeline that its author expects.
struct Transcript {
  std::uint64_t seed = 1;
  std::vector<ScenarioNode> nodes;
  std::vector<Happening> happenings;  ///< the happenings in the order of their times
  Duration length{};                  ///< the length of the run
  bool shows_announcements = false;   ///< true if the timeline has announcements, too
  bool may_overlap = false;           ///< true if two nodes that hear each other may hold an address for long
  bool may_split = false;             ///< true if the members of a sync group may differ
  bool has_no_gap = false;            ///< true if an address that was held once must always be held
  std::string scenario;               ///< the text up to the line "expect", with that line
  std::string expected;               ///< the text behind that line
};

/// A node that the caller gives.
struct NodeFile {
  std::string name;  ///< its name in the scenario
  std::string toml;  ///< its configuration, as in vipd.toml(5)
};

inline constexpr std::size_t kMostScenarioNodes = 8;                    ///< most nodes; their addresses end in 1 to 8
inline constexpr Duration kLongestScenario = std::chrono::hours(24);    ///< the longest run, in virtual time
inline constexpr std::size_t kMostHappenings = 10'000;                  ///< most happenings; each repetition counts
inline constexpr Duration kLeastPeriod = std::chrono::milliseconds(1);  ///< the shortest period of `every`

/// Reads a transcript. The error names the line ("line 7: ...") and the remedy. The `given` nodes come before those of
/// the text.
Result<Transcript> read_transcript(std::string_view text, std::span<const NodeFile> given = {});

/// Parses "250ms", "10.3s", "2m", "1h" or "50us", zero to kLongestScenario; nullopt for other texts.
std::optional<Duration> parse_scenario_time(std::string_view text);

/// The differences between two texts as `diff -u` shows them, with the names of both files; empty if the texts are
/// equal.
std::string unified_diff(std::string_view before, std::string_view now, const std::string& before_name,
                         const std::string& now_name);

}  // namespace vipd::sim
