/// play: runs a scenario in a World and writes its timeline.
///
/// A Stage is the World of one run, with the behaviour of its programs: how long they take and how they end. The deeds
/// of the phrases act on the Stage. Each run of a text is the same, since the seed is a part of the text.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "vipd/sim/promises.hpp"
#include "vipd/sim/timeline.hpp"
#include "vipd/sim/transcript.hpp"
#include "vipd/sim/world.hpp"

namespace vipd::sim {

/// How long a program takes unless the scenario says otherwise.
inline constexpr Duration kProgramTakes = std::chrono::milliseconds(10);

/// How one program of a node behaves.
struct Behaviour {
  bool fails = false;              ///< true if the program ends with status 1
  bool hangs = false;              ///< true if the program runs until its timeout
  Duration takes = kProgramTakes;  ///< how long the program runs
};

class Stage {
 public:
  explicit Stage(const Transcript& transcript);

  World& world() { return world_; }
  Timeline& timeline() { return timeline_; }
  Node& node(std::size_t index) { return *world_.nodes[index]; }

  /// Starts vipd on a node on which it does not run. `files`, if given, is its configuration from now on.
  void start(std::size_t node, const std::shared_ptr<const Config>& files = {});
  /// Kills vipd on a node. The addresses stay.
  void crash(std::size_t node);
  void power_off(std::size_t node);
  /// Another program takes the process over (`vipctl reexec`).
  void reexec(std::size_t node);
  /// The files of a node have this configuration from now on; a running vipd reloads them.
  void reload(std::size_t node, const Config& files);
  void remove_link(std::size_t node, const std::string& interface);
  void bring_link_back(std::size_t node, const std::string& interface);
  /// Sets the behaviour of the check of this name, or of the hooks that run this program, from now on.
  void behave(std::size_t node, const std::string& program, const Behaviour& behaviour);
  /// The runner of a node stops answering, or answers again.
  void silence_runner(std::size_t node, bool silent) { parts_[node].silent = silent; }

  /// Runs the scenario.
  void run(const Transcript& transcript);
  const Promises& promises() const { return promises_; }

 private:
  struct Part {
    std::map<std::string, Behaviour> programs;  ///< by name of the check ("check app") or by path of the program
    bool silent = false;                        ///< true while the runner does not answer
    std::map<std::string, Interface> removed;   ///< removed interfaces, by name
    std::vector<InstanceConfig> ran_last = {};  ///< the instances of the last vipd
  };

  void watch();
  void attend(Node& node);
  Outcome fate(std::size_t node, const Command& command) const;

  World world_;
  std::vector<Part> parts_;
  Timeline timeline_;
  Promises promises_;
};

/// The result of a scenario.
struct Played {
  std::string timeline;
  std::vector<std::string> broken;  ///< the broken promises, a sentence each; see promises.hpp
};

/// Runs a transcript from its beginning to its end.
Played play(const Transcript& transcript);

}  // namespace vipd::sim
