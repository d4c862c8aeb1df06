#include "judge.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <fstream>

#include "vipd/os/process_tree.hpp"

namespace vipd::stress {
namespace {

void append(Complaints& all, const Complaints& more) { all.insert(all.end(), more.begin(), more.end()); }

const Json* instance_of(const Json& status, const std::string& name) {
  if (status.is_null()) return nullptr;
  for (const Json& instance : status.at("instances"))
    if (instance.at("name") == name) return &instance;
  return nullptr;
}

/// The name in the answer to a datagram; "" without an answer within 200 ms.
std::string answer(const lab::Node& client, const Virtual& target) {
  const lab::Inside inside(client);
  sockaddr_in6 to6{};
  sockaddr_in to4{};
  to6.sin6_family = AF_INET6;
  to4.sin_family = AF_INET;
  to6.sin6_port = to4.sin_port = htons(7);
  if (target.address.starts_with("fe80:")) to6.sin6_scope_id = ::if_nametoindex(target.interface.c_str());
  const bool v4 = ::inet_pton(AF_INET, target.address.c_str(), &to4.sin_addr) == 1;
  if (!v4) ::inet_pton(AF_INET6, target.address.c_str(), &to6.sin6_addr);
  const Fd fd(::socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto* to = v4 ? reinterpret_cast<const sockaddr*>(&to4) : reinterpret_cast<const sockaddr*>(&to6);
  if (::connect(fd.get(), to, v4 ? sizeof to4 : sizeof to6) < 0 || ::send(fd.get(), "who:", 4, 0) != 4) return "";
  pollfd event{fd.get(), POLLIN, 0};
  std::array<char, 64> text{};
  if (::poll(&event, 1, 200) != 1) return "";
  const ssize_t size = ::recv(fd.get(), text.data(), text.size(), 0);
  return size > 4 ? std::string(text.data() + 4, static_cast<std::size_t>(size) - 4) : "";
}

std::string mac_text(const lab::Node& node, const std::string& interface) {
  return Json::parse(lab::must(node, "ip -j link show dev " + interface)).at(0).at("address");
}

std::string process_state(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string text;
  std::getline(file, text);
  const auto end = text.rfind(')');
  return end == std::string::npos || end + 2 >= text.size() ? "" : text.substr(end + 2, 1);
}

std::size_t descriptors_of(pid_t pid) {
  std::error_code ignored;
  std::filesystem::directory_iterator files(fmt::format("/proc/{}/fd", pid), ignored);
  return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

/// True for the two settings that vipd makes while a virtual MAC is Active on an interface (IPV4_DEVCONF_ARP_…,
/// linux/ip.h).
bool is_of_virtual_mac(const std::string& line) {
  return line.find(" ipv4 19 = ") != std::string::npos || line.find(" ipv4 18 = ") != std::string::npos;
}

}  // namespace

Complaints Judge::look() {
  for (const auto question : {&Judge::states, &Judge::kernels, &Judge::others, &Judge::processes, &Judge::reach})
    if (Complaints wrong = (this->*question)(); !wrong.empty()) return wrong;
  return {};
}

Complaints Judge::states() {
  Complaints wrong;
  statuses_.clear();
  holders_.clear();
  for (const Server& server : site_.servers()) {
    if (!site_.runs(server.rank)) return {server.node->name() + ": vipd does not run"};
    statuses_.push_back(server.node->status());
    if (statuses_.back().is_null()) return {server.node->name() + ": vipctl status gets no answer"};
  }
  for (const auto& name : site_.scene().instances()) {
    int active = 0;
    for (const Server& server : site_.servers()) {
      const Json* instance = instance_of(statuses_[static_cast<std::size_t>(server.rank)], name);
      const std::string state = instance == nullptr ? "missing" : instance->at("state");
      if (state == "active" && ++active == 1) holders_[name] = server.node;
      if (state != "active" && state != "backup")
        wrong.push_back(fmt::format("{}: {} is {}: {}", server.node->name(), name, state,
                                    instance == nullptr ? "" : instance->at("fault").dump()));
    }
    if (active != 1) wrong.push_back(fmt::format("{} of the servers are Active for {}", active, name));
  }
  if (wrong.empty() && site_.scene().preempt)
    for (const auto& [name, holder] : holders_)
      if (holder != &site_.node(0)) wrong.push_back(fmt::format("{} is at {}, not at the best", name, holder->name()));
  if (wrong.empty() && holders_.begin()->second != holders_.rbegin()->second)
    wrong.emplace_back("the members of the sync group are Active in different places");
  return wrong;
}

Complaints Judge::kernels() {
  Complaints wrong;
  for (const Server& server : site_.servers())
    for (const auto& name : site_.scene().instances()) {
      const bool holds = holders_.at(name) == server.node;
      for (const Virtual& each : site_.scene().virtuals(name))
        if (server.node->has(each.address) != holds)
          wrong.push_back(
              fmt::format("{}: the kernel {} {}", server.node->name(), holds ? "lacks" : "has", each.prefix));
      const Json* instance = instance_of(statuses_[static_cast<std::size_t>(server.rank)], name);
      for (const char* kind : {"addresses", "routes", "rules"})
        for (const Json& entry : instance->at(kind))
          if (entry.at("present") != holds) wrong.push_back(server.node->name() + ": status says of " + entry.dump());
    }
  return wrong;
}

Complaints Judge::others() {
  Complaints wrong;
  for (const Server& server : site_.servers())
    for (const auto& line : server.node->differences())
      if (!line.starts_with("left behind") && !(site_.scene().virtual_mac && is_of_virtual_mac(line)))
        wrong.push_back(server.node->name() + ": others: " + line);
  return wrong;
}

Complaints Judge::processes() {
  Complaints wrong;
  for (const Server& server : site_.servers())
    for (const pid_t pid : descendants(server.node->vipd().pid()))
      if (!lab::wait_until(1s, [&] { return process_state(pid) != "Z"; }))  // the parent may be about to reap it
        wrong.push_back(fmt::format("{}: process {} is a zombie", server.node->name(), pid));
  return wrong;
}

Complaints Judge::reach() {
  Complaints wrong;
  for (const auto& [name, holder] : holders_) {
    const auto all = site_.scene().virtuals(name);
    for (const std::size_t i : {std::size_t{0}, all.size() / 2, all.size() - 1})
      append(wrong, reach_of(all[i], name, *holder));
    if (!wrong.empty()) return wrong;
  }
  return wrong;
}

Complaints Judge::reach_of(const Virtual& target, const std::string& instance, const lab::Node& holder) {
  const Scene& scene = site_.scene();
  if (scene.accept)
    if (const std::string by = answer(site_.client(), target); by != holder.name())
      return {fmt::format("the client asks {}: {} answers, not {}", target.address, by.empty() ? "nobody" : by,
                          holder.name())};
  const bool v4 = target.address.find(':') == std::string::npos;
  const std::string from =
      v4 ? (target.interface == "eth1" ? "198.18.1.100" : "192.0.2.100") : site_.client().source(Family::ipv6);
  const std::string said = lab::must(
      site_.client(),
      fmt::format("{} ask {} {} {} --for 60ms", lab::program("vipd-traffic"), target.interface, target.address, from));
  const std::string mac = scene.virtual_mac ? fmt::format("00:00:5e:00:0{}:{}", scene.family == Family::ipv4 ? 1 : 2,
                                                          instance == "wan" ? "34" : "33")
                                            : mac_text(holder, target.interface);
  const Json macs = Json::parse(said).at("macs");
  if (macs == Json::array({mac})) return {};
  return {fmt::format("{} answer for {}, not {}", macs.dump(), target.address, mac)};
}

Complaints Judge::growth() {
  Complaints wrong;
  for (const Server& server : site_.servers()) {
    const pid_t vipd = server.node->vipd().pid();
    append(wrong, growth_of(server.node->name() + ": vipd", vipd));
    const auto below = descendants(vipd);
    if (!below.empty()) append(wrong, growth_of(server.node->name() + ": vipd-runner", below.front()));
  }
  return wrong;
}

/// The growth of a process. A few descriptors may belong to clients that have just gone. Memory may grow by caches, the
/// event log, and freed memory in AddressSanitizer's quarantine.
Complaints Judge::growth_of(const std::string& who, pid_t pid) {
  constexpr std::size_t kDescriptors = 8;
#ifdef VIPD_SANITIZED
  constexpr int kKilobytes = 300 << 10;
#else
  constexpr int kKilobytes = 8 << 10;
#endif
  const Use now{descriptors_of(pid), lab::memory_of(pid)};
  const Use before = first_.emplace(pid, now).first->second;
  Complaints wrong;
  if (now.descriptors > before.descriptors + kDescriptors)
    wrong.push_back(fmt::format("{} has {} descriptors, {} before", who, now.descriptors, before.descriptors));
  if (now.kilobytes > before.kilobytes + kKilobytes)
    wrong.push_back(fmt::format("{} has {} kB, {} before", who, now.kilobytes, before.kilobytes));
  return wrong;
}

Complaints Judge::stop_all(Draw& draw) {
  Complaints wrong;
  const Duration bound = site_.scene().active_down() + (site_.scene().hook ? 1s : 0s) + 4s + kSanitizer;
  const bool together = draw.chance(50);
  for (const Server& server : site_.servers())
    if (together) site_.signal(server.rank, SIGTERM);
  for (const Server& server : site_.servers()) {
    if (!site_.stop(server.rank, bound)) {
      wrong.push_back(fmt::format("{}: vipd does not stop within {}", server.node->name(), format_duration(bound)));
      continue;
    }
    if (const int status = *server.node->vipd().wait_exit(0s); status != 0)
      wrong.push_back(fmt::format("{}: vipd ends with status {}", server.node->name(), status));
    std::vector<std::string> left;
    lab::wait_until(1s, [&] { return (left = server.node->differences()).empty(); });
    for (const auto& line : left) wrong.push_back(server.node->name() + ": after the stop: " + line);
  }
  return wrong;
}

}  // namespace vipd::stress
