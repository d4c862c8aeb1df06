#include "scene.hpp"

#include <algorithm>

namespace vipd::stress {
namespace {

std::string quoted(const std::string& text) { return '"' + text + '"'; }

std::string list_of(const std::vector<std::string>& entries) {
  std::string text;
  for (const auto& entry : entries) text += (text.empty() ? "" : ", ") + entry;
  return "[" + text + "]";
}

std::string addresses_of(const Scene& scene, const std::string& instance) {
  std::vector<std::string> entries;
  const std::string own = instance == "wan" ? "eth1" : "eth0";
  for (const Virtual& each : scene.virtuals(instance))
    entries.push_back(each.interface == own
                          ? quoted(each.prefix)
                          : "{address = " + quoted(each.prefix) + ", interface = " + quoted(each.interface) + "}");
  return list_of(entries);
}

/// The lines for unicast: adverts go to each of the other servers.
std::string unicast_lines(const Scene& scene, const lab::Node& node) {
  std::vector<std::string> peers;
  const std::string own = node.unicast(scene.family), subnet = own.substr(0, own.find_last_of(".:") + 1);
  for (int number = 1; number <= scene.servers; ++number)
    if (const std::string peer = subnet + std::to_string(number); peer != own) peers.push_back(quoted(peer));
  return "source = " + quoted(own) + "\npeers = " + list_of(peers) + "\n";
}

std::string instance_text(const Scene& scene, const lab::Node& node, const std::string& name, int priority) {
  const bool wan = name == "wan";
  std::string text = "[instance." + name + "]\ninterface = " + quoted(wan ? "eth1" : "eth0") +
                     "\nvrid = " + (wan ? "52" : "51") + "\npriority = " + std::to_string(priority) +
                     "\nversion = " + std::to_string(scene.version) +
                     "\nadvert_interval = " + quoted(format_duration(scene.interval)) +
                     "\npreempt = " + (scene.preempt ? "true" : "false") +
                     "\npreempt_delay = " + quoted(format_duration(scene.preempt_delay)) +
                     "\nlink_hold = " + quoted(format_duration(scene.link_hold)) +
                     "\nstartup_delay = " + quoted(format_duration(scene.startup_delay)) +
                     "\naddresses = " + addresses_of(scene, name) + "\n";
  if (scene.virtual_mac) text += "virtual_mac = true\n";
  if (!scene.accept) text += "accept = false\n";
  if (wan) return text;
  if (scene.unicast) text += unicast_lines(scene, node);
  if (scene.check) text += "checks = [\"service\"]\n";
  if (scene.routes)
    text +=
        "routes = [{to = \"10.1.0.0/16\", via = \"192.0.2.100\", table = 10}, {to = \"10.2.0.0/16\", type = "
        "\"blackhole\"}]\nrules = [{from = \"192.0.2.10/32\", table = 10, priority = 100}]\n";
  if (scene.hook) text += "hooks.any = [\"/bin/sh\", \"-c\", \"sleep 0.1\"]\nhooks.timeout = \"5s\"\n";
  return text;
}

std::string check_text(const Scene& scene, const lab::Node& node, Change change) {
  const std::string file = service_file(node), interval = change == Change::other_check ? "150ms" : "100ms";
  return "[check.service]\ncommand = [\"/usr/bin/test\", \"-e\", " + quoted(file) +
         "]\ninterval = " + quoted(interval) + "\ntimeout = \"2s\"\nrise = 2\nfall = 2\non_fail = " + scene.on_fail +
         "\n";
}

}  // namespace

Duration Scene::quiet() const {
  const Duration wait = active_down();  // a starting Backup waits once, and the better node once more
  return startup_delay + preempt_delay + link_hold + 3 * wait + (check ? 2s : 0s) + (hook ? 1s : 0s) + 3s + kSanitizer;
}

std::vector<std::string> Scene::instances() const {
  return group ? std::vector<std::string>{"web", "wan"} : std::vector<std::string>{"web"};
}

std::vector<Virtual> Scene::virtuals(const std::string& instance) const {
  const bool v4 = family == Family::ipv4;
  if (instance == "wan")
    return v4 ? std::vector<Virtual>{{"198.18.1.10", "198.18.1.10/24", "eth1"}}
              : std::vector<Virtual>{{"fe80::52", "fe80::52/64", "eth1"},
                                     {"2001:db8:1::10", "2001:db8:1::10/64", "eth1"}};
  std::vector<Virtual> all;
  if (!v4) all.push_back({"fe80::51", "fe80::51/64", "eth0"});
  for (int i = 0; i < addresses; ++i) {
    const std::string address = (v4 ? "192.0.2." : "2001:db8::") + std::to_string(10 + i);
    all.push_back({address, address + (v4 ? "/24" : "/64"), "eth0"});
  }
  if (addresses > 1 && v4) all.push_back({"203.0.113.10", "203.0.113.10/24", "eth0"});
  if (second && !group) all.push_back({"198.18.1.10", "198.18.1.10/24", "eth1"});
  return all;
}

Scene draw_scene(Draw& draw) {
  Scene scene;
  scene.servers = draw.chance(35) ? 3 : 2;
  scene.family = draw.chance(35) ? Family::ipv6 : Family::ipv4;
  scene.version = scene.family == Family::ipv4 && draw.chance(15) ? 2 : 3;
  scene.interval = scene.version == 2 ? Duration(1s) : draw.one_of<Duration>({100ms, 100ms, 200ms, 500ms, 1s});
  scene.unicast = draw.chance(30);
  scene.preempt = draw.chance(70);
  if (scene.preempt && draw.chance(25)) scene.preempt_delay = 500ms;
  if (draw.chance(20)) scene.link_hold = 300ms;
  if (draw.chance(20)) scene.startup_delay = 500ms;
  scene.second = draw.chance(35);
  scene.group = scene.second && !scene.unicast && draw.chance(50);
  scene.virtual_mac = !scene.unicast && (!scene.second || scene.group) && draw.chance(25);
  scene.accept = !draw.chance(15);
  scene.routes = scene.family == Family::ipv4 && draw.chance(40);
  scene.check = draw.chance(50);
  if (draw.chance(40)) scene.on_fail = "\"fault\"";
  scene.hook = draw.chance(40);
  scene.silent_log = draw.chance(10);
  scene.addresses = draw.one_of<int>({1, 1, 3, 20});
  return scene;
}

std::string describe(const Scene& scene) {
  std::string text = std::to_string(scene.servers) + " servers, VRRPv" + std::to_string(scene.version) + ", " +
                     std::string(to_string(scene.family)) + (scene.unicast ? " unicast" : " multicast") + ", every " +
                     format_duration(scene.interval) + (scene.preempt ? "" : ", no preempt");
  if (scene.preempt_delay > 0s) text += ", preempt_delay";
  if (scene.link_hold > 0s) text += ", link_hold";
  if (scene.startup_delay > 0s) text += ", startup_delay";
  if (scene.virtual_mac) text += ", virtual MAC";
  if (!scene.accept) text += ", accept = false";
  if (scene.second) text += scene.group ? ", sync group over eth0 and eth1" : ", an address on eth1";
  if (scene.routes) text += ", routes";
  if (scene.check) text += ", a check with on_fail = " + scene.on_fail;
  if (scene.hook) text += ", a hook";
  if (scene.silent_log) text += ", a log that nobody reads";
  return text + ", " + std::to_string(scene.virtuals("web").size()) + " addresses";
}

std::string config_of(const Scene& scene, const lab::Node& node, int priority, Change change) {
  std::string text;
  for (const auto& name : scene.instances()) text += instance_text(scene, node, name, priority);
  if (change == Change::harmless) text += "[node]\nname = \"renamed\"\n";
  if (change == Change::one_more)
    text +=
        "[instance.more]\ninterface = \"eth0\"\nvrid = 99\nadvert_interval = \"1s\"\naddresses = "
        "[\"192.0.2.77/24\"]\n";
  if (change == Change::broken) text += "nonsense = \n";
  if (scene.group) text += "[sync_group.edge]\ninstances = [\"web\", \"wan\"]\n";
  if (scene.check) text += check_text(scene, node, change);
  return text;
}

std::filesystem::path service_file(const lab::Node& node) { return node.directory() / "service"; }

}  // namespace vipd::stress
