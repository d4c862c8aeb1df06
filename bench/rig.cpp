#include "rig.hpp"

#include <fstream>
#include <stdexcept>
#include <thread>

#include "vipd/vrrp/election.hpp"

namespace vipd::bench {
namespace {

std::string interface_of(int instance) { return "eth" + std::to_string(instance / 255); }
int vrid_of(int instance) { return instance % 255 + 1; }

std::string vipd_config(const Shape& shape, int priority) {
  std::string text = shape.beside;
  for (int i = 0; i < shape.instances; ++i) {
    text += "[instance.i" + std::to_string(i) + "]\ninterface = \"" + interface_of(i) +
            "\"\nvrid = " + std::to_string(vrid_of(i)) + "\npriority = " + std::to_string(priority) +
            "\nadvert_interval = \"" + format_duration(shape.interval) + "\"\naddresses = [";
    for (int k = 0; k < shape.addresses; ++k)
      text += "\n  {address = \"" + address_of(i, k) + "/32\", advertise = " + (k < 20 ? "true" : "false") + "},";
    text += "\n]\n" + shape.in_instance;
  }
  return text;
}

std::string keepalived_config(const Shape& shape, int priority) {
  std::string text = "global_defs {\n  vrrp_version 3\n  script_user root\n}\n" + shape.beside;
  for (int i = 0; i < shape.instances; ++i) {
    text += "vrrp_instance i" + std::to_string(i) + " {\n  state BACKUP\n  interface " + interface_of(i) +
            "\n  virtual_router_id " + std::to_string(vrid_of(i)) + "\n  priority " + std::to_string(priority) +
            "\n  advert_int " + std::to_string(lab::in_ms(shape.interval) / 1000) + "\n  virtual_ipaddress {\n";
    for (int k = 0; k < shape.addresses; ++k) {
      if (k == 20) text += "  }\n  virtual_ipaddress_excluded {\n";
      text += "    " + address_of(i, k) + "/32\n";
    }
    text += "  }\n" + shape.in_instance + "}\n";
  }
  return text;
}

std::vector<pid_t> children_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/task/" + std::to_string(pid) + "/children");
  std::vector<pid_t> children;
  for (pid_t child = 0; file >> child;) children.push_back(child);
  return children;
}

Duration processor_time_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/schedstat");
  std::int64_t nanoseconds = 0;
  file >> nanoseconds;
  return Duration(nanoseconds);
}

}  // namespace

std::string address_of(int instance, int number) {
  if (instance == 0 && number == 0) return kVip;
  return "10." + std::to_string(instance / 250 + 10 * (number / 250)) + "." + std::to_string(instance % 250) + "." +
         std::to_string(1 + number % 250);
}

std::string to_string(Program program) { return program == Program::vipd ? "vipd" : "keepalived"; }

void await(const std::string& what, Duration bound, const std::function<bool()>& is_true) {
  if (!lab::wait_until(bound, is_true)) throw std::runtime_error("in vain waited for: " + what);
}

lab::Node& add_server(lab::Lab& lab, const std::string& name, int number, int interfaces) {
  lab::Node& node = lab.add_node(name, number);
  for (int i = 1; i < interfaces; ++i) {
    const std::string eth = "eth" + std::to_string(i);
    lab.wire(node, eth);
    lab::must(node, "ip link set " + eth + " up");
    lab::must(node, "ip addr add 198.18." + std::to_string(i) + "." + std::to_string(number) + "/24 dev " + eth);
  }
  return node;
}

Duration skew(Duration interval) { return theory(interval) - 3 * interval; }

Duration theory(Duration interval) { return active_down_interval(kPriorityB, interval); }

Server::Server(lab::Node& node, Program program, const Shape& shape, int priority)
    : node_(node), program_(program), shape_(shape), priority_(priority) {}

Server::~Server() {
  if (keepalived_) keepalived_->kill();
}

void Server::write_config() const {
  if (program_ == Program::vipd)
    std::ofstream(node_.directory() / "vipd.toml") << vipd_config(shape_, priority_);
  else
    std::ofstream(node_.directory() / "keepalived.conf") << keepalived_config(shape_, priority_);
}

void Server::start(const std::vector<std::string>& before) {
  if (program_ == Program::vipd) {
    node_.start_vipd(vipd_config(shape_, priority_), before);
    return;
  }
  write_config();
  keepalived_ = std::make_unique<lab::KeepalivedProcess>(node_, std::vector<std::string>{}, before);
}

void Server::reload(const Shape& shape) {
  shape_ = shape;
  write_config();
  process().signal(SIGHUP);
}

lab::Process& Server::process() const { return keepalived_ ? keepalived_->process() : node_.vipd(); }

bool Server::wait_end(Duration bound) const { return process().wait_exit(bound).has_value(); }

bool Server::holds_all() const {
  return node_.has(kVip) && node_.has(address_of(shape_.instances - 1, shape_.addresses - 1));
}

bool Server::holds_none() const {
  return !node_.has(kVip) && !node_.has(address_of(shape_.instances - 1, shape_.addresses - 1));
}

std::vector<pid_t> Server::all_processes() const {
  std::vector<pid_t> all = {process().pid()};
  for (std::size_t i = 0; i < all.size(); ++i)
    for (const pid_t child : children_of(all[i])) all.push_back(child);
  return all;
}

Duration Server::processor_time() const {
  return processor_time_of(keepalived_ ? keepalived_->speaker() : process().pid());
}

Duration Server::processor_time_of_all() const {
  Duration sum{};
  for (const pid_t pid : all_processes()) sum += processor_time_of(pid);
  return sum;
}

double Server::memory() const {
  double sum = 0;
  for (const pid_t pid : all_processes()) sum += lab::memory_of(pid);
  return sum;
}

Rig::Rig(Program program, const Shape& shape_a, const Shape& shape_b, const std::vector<std::string>& before)
    : node_a(add_server(lab, "a", 1, interfaces_of(shape_a))),
      node_b(add_server(lab, "b", 2, interfaces_of(shape_a))),
      client(add_server(lab, "client", 100, interfaces_of(shape_a))),
      a(node_a, program, shape_a, kPriorityA),
      b(node_b, program, shape_b, kPriorityB) {
  a.start(before);
  await(to_string(program) + " holds everything", 60s + 4 * shape_a.interval, [&] { return a.holds_all(); });
  b.start(before);
  std::this_thread::sleep_for(3 * shape_a.interval + 500ms);  // a Backup shows no sign of being ready
}

}  // namespace vipd::bench
