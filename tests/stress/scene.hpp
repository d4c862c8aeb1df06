/// Scene: the servers of one life and the content of their files, drawn from a seed.
#pragma once

#include <string>
#include <vector>

#include "draw.hpp"
#include "support/lab/lab.hpp"

namespace vipd::stress {

using namespace std::chrono_literals;

/// Additional time for the end of a process: a sanitizer looks for leaks then.
#ifdef VIPD_SANITIZED
inline constexpr Duration kSanitizer = 8s;
#else
inline constexpr Duration kSanitizer = 0s;
#endif

/// The change that a reload makes in a file for a while.
enum class Change { none, harmless, one_more, other_check, broken };

/// One virtual address and its interface.
struct Virtual {
  std::string address;  ///< without the prefix length
  std::string prefix;   ///< with the prefix length
  std::string interface;
};

struct Scene {
  int servers = 2;
  int version = 3;
  Family family = Family::ipv4;
  bool unicast = false;
  Duration interval = 100ms;
  bool preempt = true;
  Duration preempt_delay{}, link_hold{}, startup_delay{};
  bool virtual_mac = false, accept = true;
  bool second = false;  ///< true if the servers also have an eth1
  bool group = false;   ///< true if eth1 has an instance of its own, in one sync group with the first instance
  bool routes = false, check = false, hook = false, silent_log = false;
  std::string on_fail = "\"yield\"";
  int addresses = 1;  ///< number of addresses of the first instance, in the subnet of the servers

  /// The priority of a server by its number; 0 has the highest.
  static int priority(int rank) { return 240 - 10 * rank; }
  /// The longest time that a Backup waits for a silent Active node.
  Duration active_down() const { return 4 * interval + (version == 2 ? 1s : 0s); }
  /// The time after the last fault's end by which all must be well.
  Duration quiet() const;
  /// All virtual addresses of an instance: "web", or "wan" in the group.
  std::vector<Virtual> virtuals(const std::string& instance) const;
  std::vector<std::string> instances() const;
};

/// Draws the scene of a life.
Scene draw_scene(Draw& draw);
/// The scene in one line.
std::string describe(const Scene& scene);

/// The file of a server, or of a stranger with another priority than the servers.
std::string config_of(const Scene& scene, const lab::Node& node, int priority, Change change);
/// The file that the check tests: while it exists, the check passes.
std::filesystem::path service_file(const lab::Node& node);

}  // namespace vipd::stress
