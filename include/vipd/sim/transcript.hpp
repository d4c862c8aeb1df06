/// Transcript: a scenario in virtual time as a text that an operator reads.
///
/// The text says which nodes there are, with their configurations, what happens to them and when, and the timeline that
/// follows. docs/transcripts.md explains each word. read_transcript() makes values of the text, play() (play.hpp) runs
/// them in a World and writes the timeline. Text goes in and text comes out: the caller reads and writes the files.
///
/// A scenario of its own has `node` blocks. A caller may also hand the nodes in, with configurations from elsewhere.
/// Nothing in a text can end the program: what is wrong becomes an Error that names the line and the remedy.
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

/// What one line of a scenario does to the world.
using Deed = std::function<void(Stage&)>;

/// One line `at` or `every` of a scenario. Times count from the start of the run.
struct Happening {
  Duration at{};      ///< when it happens first
  Duration period{};  ///< from one time to the next; zero if it happens once
  Duration last{};    ///< no later than this
  std::string words;  ///< as the text has them: "lb1 link eth0 down"
  Deed deed;
  int line = 0;  ///< of the text, from 1
};

/// One node of a scenario.
struct ScenarioNode {
  std::string name;
  bool off = false;                       ///< true if it does not run at first
  Config config;                          ///< that it starts with
  std::vector<InstanceConfig> ever = {};  ///< of all its configurations: their interfaces are there from the beginning
};

/// A scenario and the timeline that its author expects.
struct Transcript {
  std::uint64_t seed = 1;
  std::vector<ScenarioNode> nodes;
  std::vector<Happening> happenings;  ///< by time
  Duration length{};                  ///< of the run
  bool shows_announcements = false;   ///< the timeline has the announcements of addresses, too
  bool may_overlap = false;           ///< two nodes that hear each other may hold an address for long
  bool may_split = false;             ///< members of a sync group may differ
  bool has_no_gap = false;            ///< an address that was held once is always held
  std::string scenario;               ///< the text up to and with the line "expect"
  std::string expected;               ///< the text behind it
};

/// A node that the caller hands in.
struct NodeFile {
  std::string name;  ///< by which the scenario names it
  std::string toml;  ///< its configuration, as in vipd.toml(5)
};

inline constexpr std::size_t kMostScenarioNodes = 8;                    ///< their addresses end in 1 to 8
inline constexpr Duration kLongestScenario = std::chrono::hours(24);    ///< in virtual time
inline constexpr std::size_t kMostHappenings = 10'000;                  ///< each repetition counts
inline constexpr Duration kLeastPeriod = std::chrono::milliseconds(1);  ///< of `every`

/// Reads a transcript. The error says "line 7: ...", and what to write instead. Nodes that are `given` come before
/// those of the text.
Result<Transcript> read_transcript(std::string_view text, std::span<const NodeFile> given = {});

/// "250ms", "10.3s", "2m", "1h", "50us": zero to kLongestScenario. nullopt for anything else.
std::optional<Duration> parse_scenario_time(std::string_view text);

/// The lines by which `now` differs from `before`, each file with its name, as `diff -u` shows them; empty if the texts
/// are the same.
std::string unified_diff(std::string_view before, std::string_view now, const std::string& before_name,
                         const std::string& now_name);

}  // namespace vipd::sim
