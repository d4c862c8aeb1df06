/// play: runs a scenario in a World and writes its timeline.
///
/// A Stage is the World of one run with what a scenario says of its programs: how long they take and how they end. The
/// deeds of the phrases act on it. The run is the same each time: its seed is a part of the text.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "vipd/sim/promises.hpp"
#include "vipd/sim/timeline.hpp"
#include "vipd/sim/transcript.hpp"
#include "vipd/sim/world.hpp"

namespace vipd::sim {

/// How programs run unless the scenario says more of them.
inline constexpr Duration kProgramTakes = std::chrono::milliseconds(10);

/// How one program of a node behaves.
struct Behaviour {
  bool fails = false;  ///< it ends with status 1
  bool hangs = false;  ///< it runs until its time is over
  Duration takes = kProgramTakes;
};

class Stage {
 public:
  explicit Stage(const Transcript& transcript);

  World& world() { return world_; }
  Timeline& timeline() { return timeline_; }
  Node& node(std::size_t index) { return *world_.nodes[index]; }

  /// Starts vipd on a node where it does not run. With `files` the configuration is another one from now on.
  void start(std::size_t node, const std::shared_ptr<const Config>& files = {});
  /// Kills vipd on a node. The addresses stay.
  void crash(std::size_t node);
  void power_off(std::size_t node);
  /// Another program takes the process over (`vipctl reexec`).
  void reexec(std::size_t node);
  /// The files of a node say this from now on; a vipd that runs takes it.
  void reload(std::size_t node, const Config& files);
  void remove_link(std::size_t node, const std::string& interface);
  void bring_link_back(std::size_t node, const std::string& interface);
  /// How the check of this name, or the hooks that run this program, behave from now on.
  void behave(std::size_t node, const std::string& program, const Behaviour& behaviour);
  /// The runner of a node answers no more, or again.
  void silence_runner(std::size_t node, bool silent) { parts_[node].silent = silent; }

  /// Runs the scenario.
  void run(const Transcript& transcript);
  const Promises& promises() const { return promises_; }

 private:
  struct Part {
    std::map<std::string, Behaviour> programs;  ///< by name of the check ("check app") or path of the program
    bool silent = false;
    std::map<std::string, Interface> removed;   ///< interfaces, by name
    std::vector<InstanceConfig> ran_last = {};  ///< what the last vipd had
  };

  void watch();
  void attend(Node& node);
  Outcome fate(std::size_t node, const Command& command) const;
  void do_all_until(const Transcript& transcript);

  World world_;
  std::vector<Part> parts_;
  Timeline timeline_;
  Promises promises_;
};

/// What comes of a scenario.
struct Played {
  std::string timeline;
  std::vector<std::string> broken;  ///< promises, a sentence each; see promises.hpp
};

/// Runs a transcript from its beginning to its end.
Played play(const Transcript& transcript);

}  // namespace vipd::sim
