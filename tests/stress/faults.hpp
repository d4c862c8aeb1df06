/// Kinds of faults: events around the servers, each with a beginning and an end.
///
/// A kind draws its steps in advance, so that a seed repeats them. If a fault removes objects of others, it restores
/// them itself. Two faults of one round never touch the same part of one server.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "site.hpp"

namespace vipd::stress {

struct Step {
  Duration at;  ///< since the round began
  std::function<void(Site&)> act;
};

/// The part of a server (or of the network) that a fault works on.
enum class Part { link, objects, traffic, process, runner, check, client, lan, disk, socket, load };

/// One fault while its steps are drawn.
struct Plan {
  const Scene& scene;
  Draw& draw;
  int index;              ///< index of the server
  std::string interface;  ///< "eth0" or "eth1"
  Duration from, to;
  std::vector<Step> steps = {};
  Duration extra{};         ///< additional time that the quiet period may take
  std::string detail = {};  ///< "its length is 1s"

  void at(Duration time, std::function<void(Site&)> act) { steps.push_back({time, std::move(act)}); }
  void begin(std::function<void(Site&)> act) { at(from, std::move(act)); }
  void end(std::function<void(Site&)> act) { at(to, std::move(act)); }
};

struct Kind {
  std::string_view name;
  Part part;
  void (*plan)(Plan&);
  bool (*fits)(const Scene&) = [](const Scene&) { return true; };
};

/// Faults of interfaces, addresses, routes, rules, settings, nf_tables.
std::vector<Kind> network_kinds();
/// Faults on the way: adverts lost, forged or misdirected.
std::vector<Kind> traffic_kinds();
/// Faults of the daemon, its runner, its files and its clients.
std::vector<Kind> process_kinds();

/// A fault of a round.
struct Fault {
  std::string_view kind;
  std::string text;
  std::vector<Step> steps;
  Duration extra;
};

/// Draws the faults of a round.
std::vector<Fault> draw_round(const std::vector<Kind>& kinds, const Scene& scene, Draw& draw);

}  // namespace vipd::stress
