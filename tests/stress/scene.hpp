/// Scene: the servers of one life, and what their files say. Drawn from a seed.
#pragma once

#include <string>
#include <vector>

#include "draw.hpp"
#include "support/lab/lab.hpp"

namespace vipd::stress {

using namespace std::chrono_literals;

/// What the end of a process takes beyond its own: a sanitizer looks for leaks then.
#ifdef VIPD_SANITIZED
inline constexpr Duration kSanitizer = 8s;
#else
inline constexpr Duration kSanitizer = 0s;
#endif

/// What a reload may change in a file for a while.
enum class Change { none, harmless, one_more, other_check, broken };

/// One virtual address, and where it is.
struct Virtual {
  std::string address;  ///< without its length
  std::string prefix;   ///< with it
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
  bool second = false;  ///< the servers have an eth1, too
  bool group = false;   ///< with an instance of its own there, in one sync group with the first one
  bool routes = false, check = false, hook = false, silent_log = false;
  std::string on_fail = "\"yield\"";
  int addresses = 1;  ///< of the first instance, in the subnet of the servers

  /// By the number of the server: 0 is the best.
  static int priority(int rank) { return 240 - 10 * rank; }
  /// The longest that a Backup waits for an Active node that is silent.
  Duration active_down() const { return 4 * interval + (version == 2 ? 1s : 0s); }
  /// By then all is as it should be, after the last fault has ended.
  Duration quiet() const;
  /// All virtual addresses of an instance ("web", or "wan" of the group).
  std::vector<Virtual> virtuals(const std::string& instance) const;
  std::vector<std::string> instances() const;
};

/// A life's scene.
Scene draw_scene(Draw& draw);
/// One line.
std::string describe(const Scene& scene);

/// The file of a server, or of a stranger that has another priority than the servers.
std::string config_of(const Scene& scene, const lab::Node& node, int priority, Change change);
/// While this file is there, the check passes.
std::filesystem::path service_file(const lab::Node& node);

}  // namespace vipd::stress
