#include "support/lab/lab.hpp"

#include <linux/if_addr.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>

#include "support/late_failure.hpp"

namespace vipd::lab {
namespace {

std::filesystem::path make_directory(const std::string& where) {
  std::string path = where + "/vipd-lab-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) throw std::runtime_error("cannot make a directory for the lab");
  return path;
}

std::string without_length(const std::string& prefix) { return prefix.substr(0, prefix.find('/')); }

std::string switch_of(const std::string& interface) { return interface == "eth0" ? "switch" : "switch-" + interface; }

std::string port_of(const Node& node, const std::string& interface) {
  return interface == "eth0" ? node.name() : node.name() + "-" + interface;
}

/// True for a command that may change the objects of a node.
bool may_change(const std::string& line) {
  static const std::set<std::string> kVerbs = {"-batch", "add",   "append", "change", "create",  "del",
                                               "delete", "flush", "insert", "netns",  "replace", "set"};
  std::istringstream words(line);
  for (std::string word; words >> word;)
    if (kVerbs.contains(word)) return true;
  return false;
}

/// Drops differences on interfaces that came or went meanwhile, such as those of containers on this machine.
std::vector<std::string> on_lasting_links(std::vector<std::string> differences) {
  std::vector<std::string> passing;
  for (const auto& line : differences)
    if (const auto link = line.find(": link "); link != std::string::npos)
      passing.push_back(line.substr(link + 6, line.find(' ', link + 7) - link - 5));
  std::erase_if(differences, [&](const std::string& line) {
    return std::ranges::any_of(passing, [&](const std::string& name) { return line.find(name) != std::string::npos; });
  });
  return differences;
}

void complain(const std::string& where, const std::vector<std::string>& differences) {
  for (const auto& line : differences) fail_late(where + ": " + line);
}

}  // namespace

std::string program(const std::string& name) { return std::string(VIPD_BIN_DIR) + "/" + name; }

Node::Node(std::string name, int number, std::filesystem::path directory, std::filesystem::path runtime_dir)
    : name_(std::move(name)), number_(number), directory_(std::move(directory)), runtime_dir_(std::move(runtime_dir)) {
  std::filesystem::create_directories(directory_ / "state");
  std::filesystem::create_directories(runtime_dir_);
  for (const char* scope : {"all", "default"}) {
    write_sysctl(std::string("ipv6/conf/") + scope + "/accept_dad", "0");
    write_sysctl(std::string("ipv6/conf/") + scope + "/router_solicitations", "0");
  }
  must(*this, "ip link set lo up");
}

std::string Node::source(Family family) const {
  if (family == Family::ipv4) return unicast(family);
  for (const auto& held : addresses(*this))
    if (held.prefix.starts_with("fe80:") && held.protocol != kVrrpProtocol) return without_length(held.prefix);
  return "";
}

std::string Node::unicast(Family family) const {
  return (family == Family::ipv4 ? "192.0.2." : "2001:db8::") + std::to_string(number_);
}

void Node::configure_interface() const {
  must(*this, "ip link set eth0 up");
  must(*this, "ip addr add " + unicast(Family::ipv4) + "/24 dev eth0");
  must(*this, "ip addr add " + unicast(Family::ipv6) + "/64 dev eth0");
  if (!wait_until(std::chrono::seconds(5), [&] { return !source(Family::ipv6).empty(); }))
    throw std::runtime_error("eth0 gets no link-local address");
}

std::vector<std::string> Node::vipd_command() const {
  if (!others_) others_.emplace(take_snapshot(*this));
  return {program("vipd"), "--config",    directory_ / "vipd.toml", "--runtime-dir",
          runtime_dir(),   "--state-dir", directory_ / "state"};
}

Process& Node::start_vipd(const std::string& config, const std::vector<std::string>& before) {
  std::ofstream(directory_ / "vipd.toml") << config;
  std::vector<std::string> words = before;
  std::ranges::copy(vipd_command(), std::back_inserter(words));
  vipds_.push_back(std::make_unique<Process>(*this, words));
  return vipd();
}

Json Node::status() const {
  const Finished finished = run(*this, {program("vipctl"), "--runtime-dir", runtime_dir(), "status", "--json"});
  return finished.status == 0 ? Json::parse(finished.output) : Json();
}

Json Node::instance() const {
  const Json document = status();
  return document.is_null() ? Json::object() : document.at("instances").at(0);
}

std::string Node::state() const { return instance().value("state", ""); }

bool Node::wait_state(const std::string& state, Duration bound) const {
  return wait_until(bound, [&] { return this->state() == state; });
}

bool Node::has(const std::string& address) const {
  return std::ranges::any_of(addresses(*this),
                             [&](const Held& held) { return without_length(held.prefix) == address; });
}

void Node::print_logs() const {
  for (std::size_t i = 0; i < vipds_.size(); ++i)
    std::cerr << "--- vipd " << i + 1 << " of node " << name_ << " ---\n"
              << vipds_[i]->output() << vipds_[i]->errors() << std::flush;
}

void Node::changes(const std::function<void()>& act, Depth depth) const {
  if (!others_) return act();
  const Snapshot before = take_snapshot(*this, depth);
  act();
  others_->take_change(before, take_snapshot(*this, depth), depth);
}

void Node::write_sysctl(const std::string& name, const std::string& value) const {
  changes([&] { Netns::write_sysctl(name, value); });
}

void Node::kill_vipds() {
  for (const auto& vipd : vipds_) {
    vipd->signal(SIGKILL);
    vipd->wait_exit(std::chrono::seconds(5));
  }
}

std::vector<std::string> Node::end_of_vipd(Duration patience) const {
  if (!others_) return {};
  std::vector<std::string> last_will = vipd_command(), differences;
  last_will.emplace_back("--last-will");
  const Finished finished = run(*this, last_will);
  const auto same = [&] { return (differences = this->differences()).empty(); };
  if (!wait_until(patience, same)) std::cerr << finished.errors;
  return differences;
}

std::vector<std::string> Node::differences() const {
  return others_ ? others_->differences(take_snapshot(*this)) : std::vector<std::string>();
}

std::string must(const Node& node, const std::string& line) {
  std::string output;
  const auto act = [&] { output = must(static_cast<const Netns&>(node), line); };
  if (may_change(line))
    node.changes(act, Depth::without_settings);
  else
    act();
  return output;
}

Fd connect_to(const Node& node) {
  const std::string path = node.runtime_dir() + "/control.sock";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw std::runtime_error(path + " is too long");
  std::memcpy(address.sun_path, path.data(), path.size());
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
    throw std::runtime_error("cannot connect to " + path + ": " + std::strerror(errno));
  return fd;
}

Lab::Lab()
    : directory_(make_directory("/var/lib")),
      in_memory_(make_directory("/dev/shm")),
      exceptions_before_(std::uncaught_exceptions()),
      machine_(take_snapshot(Netns::current())) {
  switch_.write_sysctl("ipv6/conf/default/disable_ipv6", "1");
  add_switch("eth0");  // before the table: a rule matches nothing if its chain is older than the bridge
  must(switch_, "nft add table bridge lab");
  must(switch_, "nft add chain bridge lab forward { type filter hook forward priority 0; }");
}

Lab::~Lab() {
  if (std::uncaught_exceptions() > exceptions_before_)
    for (const auto& node : nodes_) node->print_logs();
  else
    compare();
  nodes_.clear();
  std::error_code ignored;
  for (const auto& directory : {directory_, in_memory_}) std::filesystem::remove_all(directory, ignored);
}

/// Compares all nodes. The destructor calls this, so nothing may be thrown.
void Lab::compare() {
  try {
    for (const auto& node : nodes_) node->kill_vipds();
    for (const auto& node : nodes_) complain("node " + node->name(), node->end_of_vipd());
    complain("this machine", on_lasting_links(machine_.differences(take_snapshot(Netns::current()))));
  } catch (const std::exception& error) {
    fail_late(std::string("what others have cannot be compared: ") + error.what());
  }
}

Node& Lab::add_node(const std::string& name, int number) {
  Node& node = add_bare_node(name, number);
  wire(node);
  node.configure_interface();
  return node;
}

Node& Lab::add_bare_node(const std::string& name, int number) {
  nodes_.push_back(std::make_unique<Node>(name, number, directory_ / name, in_memory_ / name));
  return *nodes_.back();
}

void Lab::add_switch(const std::string& interface) {
  if (!switches_.insert(interface).second) return;
  must(switch_, "ip link add " + switch_of(interface) + " type bridge mcast_snooping 0 stp_state 0");
  must(switch_, "ip link set " + switch_of(interface) + " up");
}

void Lab::wire(const Node& node, const std::string& interface) {
  add_switch(interface);
  const std::string port = port_of(node, interface);
  node.changes([&] {
    must(switch_, "ip link add name " + port + " type veth peer name " + interface + " netns " + node.path());
  });
  must(switch_, "ip link set dev " + port + " master " + switch_of(interface) + " up");
}

void Lab::wire_as(const Node& node, const std::string& interface, unsigned number, const std::string& mac) {
  const std::string port = port_of(node, interface);
  must(static_cast<const Netns&>(node), "ip link add name " + interface + " index " + std::to_string(number) +
                                            " address " + mac + " type veth peer name " + port + " netns " +
                                            switch_.path());
  must(switch_, "ip link set dev " + port + " master " + switch_of(interface) + " up");
}

void Lab::set_port(const Node& node, bool up, const std::string& interface) {
  const Inside inside(switch_);
  const Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const std::string port = port_of(node, interface);
  ifreq request{};
  port.copy(request.ifr_name, sizeof request.ifr_name - 1);
  if (::ioctl(fd.get(), SIOCGIFFLAGS, &request) < 0) throw std::runtime_error("there is no port " + port);
  const int flags = request.ifr_flags;
  request.ifr_flags = static_cast<short>(up ? flags | IFF_UP : flags & ~IFF_UP);
  if (::ioctl(fd.get(), SIOCSIFFLAGS, &request) < 0) throw std::runtime_error("cannot change port " + port);
}

void Lab::set_member(const Node& node, bool member) const {
  must(switch_, "ip link set dev " + port_of(node, "eth0") + (member ? " master switch" : " nomaster"));
}

void Lab::drop(const std::string& match) { must(switch_, "nft add rule bridge lab forward " + match + " drop"); }

void Lab::drop_nothing() { must(switch_, "nft flush chain bridge lab forward"); }

Sniffer::Sniffer(const Node& node, const std::string& interface)
    : process_(node, {program("vipd-traffic"), "sniff", interface}) {
  if (!wait_until(std::chrono::seconds(10), [&] { return !frames().empty(); }))
    throw std::runtime_error("vipd-traffic sniff does not listen: " + process_.errors());
}

const std::vector<Json>& Sniffer::frames() {
  const std::string text = process_.output(read_);
  std::size_t begin = 0;
  for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    frames_.push_back(Json::parse(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  read_ += begin;
  return frames_;
}

std::vector<Json> Sniffer::of_kind(const std::string& kind) {
  std::vector<Json> result;
  std::ranges::copy_if(frames(), std::back_inserter(result),
                       [&](const Json& frame) { return frame.at("kind") == kind; });
  return result;
}

std::vector<Json> Sniffer::adverts_from(const std::string& source) {
  std::vector<Json> result = of_kind("advert");
  std::erase_if(result, [&](const Json& frame) { return frame.at("source") != source; });
  return result;
}

WallTime time_of(const Json& frame) {
  return WallTime(std::chrono::nanoseconds(frame.at("time_ns").get<std::int64_t>()));
}

Watch::Watch(const Node& client, const std::string& address)
    : process_(client, {program("vipd-traffic"), "watch", address, "7", "--json"}) {
  if (!wait_until(std::chrono::seconds(10), [&] { return !process_.errors().empty(); }))
    throw std::runtime_error("vipd-traffic watch does not begin");
}

Json Watch::finish() {
  process_.signal(SIGTERM);
  if (!process_.wait_exit(std::chrono::seconds(10))) throw std::runtime_error("vipd-traffic watch does not end");
  return Json::parse(process_.output());
}

double in_ms(Duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

}  // namespace vipd::lab
