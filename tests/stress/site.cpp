#include "site.hpp"

#include <fmt/format.h>
#include <net/if.h>
#include <sys/mount.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <sstream>

namespace vipd::stress {
namespace {

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

/// Longer than any command takes, however busy the machine is.
constexpr Duration kPatience = 1min;

/// The number of a server, as add_server() gives it.
int number_of(int rank) { return rank + 1; }

std::string mac_of(const lab::Node& node, const std::string& interface) {
  return Json::parse(lab::must(node, "ip -j link show dev " + interface)).at(0).at("address");
}

unsigned index_of(const lab::Node& node, const std::string& interface) {
  const lab::Inside inside(node);
  return ::if_nametoindex(interface.c_str());
}

}  // namespace

SmallDisk::SmallDisk(std::filesystem::path at) : at_(std::move(at)) {
  if (::mount("tmpfs", at_.c_str(), "tmpfs", 0, "size=1m") != 0) throw Broken("cannot mount a small disk");
}

SmallDisk::~SmallDisk() { ::umount2(at_.c_str(), MNT_DETACH); }

void SmallDisk::fill() const {
  std::ofstream(at_ / "filler", std::ios::binary) << std::string(2 << 20, 'x') << std::flush;
}

void SmallDisk::make_room() const {
  std::error_code ignored;
  std::filesystem::remove(at_ / "filler", ignored);
}

Site::Site(const Scene& scene)
    : scene_(scene), client_(lab_.add_node("client", 100)), stranger_(lab_.add_node("stranger", 66)) {
  for (const auto& node : {&client_, &stranger_}) {
    if (scene_.second) furnish(*node, node == &client_ ? 100 : 66);
    lab::must(*node, "ip addr add 203.0.113." + std::string(node == &client_ ? "100" : "66") + "/24 dev eth0");
  }
  for (int rank = 0; rank < scene_.servers; ++rank) add_server(rank);
}

/// Gives a server its second interface.
void Site::furnish(lab::Node& node, int number) {
  lab_.wire(node, "eth1");
  lab::must(node, "ip link set eth1 up");
  lab::must(node, fmt::format("ip addr add 198.18.1.{}/24 dev eth1", number));
  lab::must(node, fmt::format("ip addr add 2001:db8:1::{}/64 dev eth1", number));
}

void Site::add_server(int rank) {
  Server& server = servers_.emplace_back();
  server.node = &lab_.add_node(std::string(1, static_cast<char>('a' + rank)), number_of(rank));
  server.rank = rank;
  lab::Node& node = *server.node;
  if (scene_.second) furnish(node, number_of(rank));
  for (const std::string interface : {"eth0", "eth1"})
    if (interface == "eth0" || scene_.second) restore(rank, interface);
  lab::must(node, "ip route add blackhole 10.99.0.0/16");
  lab::must(node, "ip rule add from 203.0.113.1 table 10 priority 99");
  lab::must(node, "nft add table inet others");
  lab::must(node, "nft add chain inet others out { type filter hook output priority 0; }");
  at_switch(fmt::format("nft add chain bridge lab {} {{ type filter hook forward priority 1; }}", node.name()));
  server.disk = std::make_unique<SmallDisk>(node.directory() / "state");
  server.echo = std::make_unique<lab::Process>(
      node, std::vector<std::string>{lab::program("vipd-traffic"), "serve", "7", "--name", node.name()});
  std::ofstream(service_file(node)) << "\n";
}

/// Arguments of `ip` that restore the objects of others on an interface.
std::vector<std::string> Site::own_things(int index, const std::string& interface) {
  const int number = number_of(index);
  if (interface == "eth1")
    return {fmt::format("addr replace 198.18.1.{}/24 dev eth1", number),
            fmt::format("addr replace 2001:db8:1::{}/64 dev eth1", number)};
  std::vector<std::string> things = {fmt::format("addr replace 192.0.2.{}/24 dev eth0", number),
                                     fmt::format("addr replace 203.0.113.{}/24 dev eth0", number),
                                     fmt::format("addr replace 2001:db8::{}/64 dev eth0", number),
                                     "route replace 10.98.0.0/16 via 203.0.113.100 dev eth0",
                                     "route replace 2001:db8:98::/48 via 2001:db8::100 dev eth0",
                                     "neigh replace 192.0.2.200 lladdr 02:00:00:00:02:00 dev eth0 nud permanent"};
  for (const auto& prefix : server(index).arrived) things.push_back("addr replace " + prefix + " dev eth0");
  return things;
}

void Site::restore(int index, const std::string& interface) {
  sh(node(index), "ip link set " + interface + " up");
  for (const auto& thing : own_things(index, interface)) sh(node(index), "ip " + thing);
}

void Site::arrive(int index, const std::string& prefix) {
  lab::Node& at = node(index);
  at.changes([&] { sh(at, "ip addr replace " + prefix + " dev eth0"); }, lab::Depth::without_settings);
  if (std::ranges::count(server(index).arrived, prefix) == 0) server(index).arrived.push_back(prefix);
}

void Site::take_away(int index, const std::string& prefix, const std::string& device) {
  const auto present = [this, index](const std::string& thing) {
    std::istringstream words(thing);
    std::string address, verb, its_prefix;
    words >> address >> verb >> its_prefix;
    return address == "addr" && std::ranges::count(lab::addresses(node(index)), its_prefix, &lab::Held::prefix) > 0;
  };
  std::vector<std::string> before;
  std::ranges::copy_if(own_things(index, device), std::back_inserter(before), present);
  sh(node(index), "ip addr del " + prefix + " dev " + device);
  for (const auto& thing : before)
    if (!present(thing)) sh(node(index), "ip " + thing);
}

void Site::recreate(int index, const std::string& interface, bool same_number) {
  lab::Node& at = node(index);
  const std::string mac = mac_of(at, interface);
  const unsigned number = index_of(at, interface);
  const auto act = [&] {
    sh(at, "ip link del " + interface);
    lab_.wire_as(at, interface, same_number ? number : number + 100, mac);
    restore(index, interface);
  };
  if (same_number)
    act();
  else
    at.changes(act, lab::Depth::without_settings);
}

std::string Site::port(int index, const std::string& interface) {
  return node(index).name() + (interface == "eth0" ? "" : "-" + interface);
}

void Site::note(const std::string& line) {
  const double at = lab::in_ms(std::chrono::steady_clock::now() - begun_) / 1000;
  const auto wall = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  diary_.push_back(fmt::format("{:8.3f} s ({}) {}", at, format_rfc3339(wall), line));
}

void Site::sh(const lab::Node& node, const std::string& line) {
  lab::Process command(node, words_of(line));
  const auto status = command.wait_exit(kPatience);
  if (!status) throw Broken("does not end: " + line);
  if (*status != 0) note(fmt::format("  {}: '{}' fails: {}", node.name(), line, first_line(command.errors())));
}

void Site::at_switch(const std::string& line) {
  try {
    lab_.at_switch(line);
  } catch (const std::exception& error) {
    note("  switch: " + first_line(error.what()));
  }
}

bool Site::runs(int index) { return server(index).started && node(index).vipd().running(); }

void Site::write_config(int index, Change change) {
  server(index).change = change;
  std::ofstream(node(index).directory() / "vipd.toml")
      << config_of(scene_, node(index), Scene::priority(server(index).rank), change);
}

void Site::start(int index) {
  if (runs(index)) return;
  Server& at = server(index);
  at.started = true;
  at.change = Change::none;
  at.node->start_vipd(config_of(scene_, *at.node, Scene::priority(at.rank), Change::none),
                      scene_.silent_log && index == 0 ? stuck_.words() : std::vector<std::string>{});
}

bool Site::stop(int index, Duration bound) {
  if (!server(index).started) return true;
  signal(index, SIGTERM);
  const bool ended = node(index).vipd().wait_exit(bound).has_value();
  server(index).started = !ended;
  return ended;
}

void Site::kill(int index) {
  if (!server(index).started) return;
  signal(index, SIGKILL);
  node(index).vipd().wait_exit(5s);
  server(index).started = false;
}

void Site::last_will(int index) {
  std::vector<std::string> command = node(index).vipd_command();
  command.emplace_back("--last-will");
  lab::run(node(index), command);
}

void Site::reload(int index, Change change) {
  write_config(index, change);
  signal(index, SIGHUP);
}

void Site::vipctl(int index, const std::vector<std::string>& words) {
  std::vector<std::string> command = {lab::program("vipctl"), "--runtime-dir", node(index).runtime_dir()};
  command.insert(command.end(), words.begin(), words.end());
  const lab::Finished finished = lab::run(node(index), command);
  if (finished.status != 0)
    note(fmt::format("  {}: vipctl {}: status {}: {}", node(index).name(), words[0], finished.status,
                     first_line(finished.errors)));
}

void Site::signal(int index, int number) {
  if (runs(index)) node(index).vipd().signal(number);
}

}  // namespace vipd::stress
