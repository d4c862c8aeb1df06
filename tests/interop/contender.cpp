#include "contender.hpp"

#include <pwd.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace vipd::lab {
namespace {

constexpr auto kStopBound = 10s;

bool covers(const Spells& spells, WallTime time) {
  return std::ranges::any_of(spells,
                             [&](const Spell& spell) { return spell.from <= time && (!spell.to || time < *spell.to); });
}

void stop_process(Process& process, const char* name) {
  process.signal(SIGTERM);
  expect(process.wait_exit(kStopBound).has_value(), std::string(name) + " does not stop");
}

/// Notes the beginning or the end of a spell; an open spell does not begin again.
void note(Spells& spells, bool begins, WallTime time) {
  const bool open = !spells.empty() && !spells.back().to;
  if (begins && !open) spells.push_back({time, std::nullopt});
  if (!begins && open) spells.back().to = time;
}

}  // namespace

void expect(bool condition, const std::string& what) {
  if (!condition) throw std::runtime_error(what);
}

Shares shares(const Spells& a, const Spells& b, WallTime from, WallTime to) {
  std::vector<WallTime> edges{from, to};
  for (const auto* spells : {&a, &b})
    for (const Spell& spell : *spells)
      for (const WallTime edge : {spell.from, spell.to.value_or(to)})
        if (from < edge && edge < to) edges.push_back(edge);
  std::ranges::sort(edges);
  Shares result;
  for (std::size_t i = 1; i < edges.size(); ++i) {
    const bool in_a = covers(a, edges[i - 1]), in_b = covers(b, edges[i - 1]);
    if (!in_a && !in_b) result.nobody += edges[i] - edges[i - 1];
    if (in_a && in_b) result.both += edges[i] - edges[i - 1];
  }
  return result;
}

Contender::Contender(Node& node, const Node& peer, const Terms& terms, int priority)
    : node_(node), peer_(peer), terms_(terms), priority_(priority), monitor_(node) {}

void Contender::kill() {
  killed_ = std::chrono::system_clock::now();
  kill_processes();
}

Spells Contender::observed() const {
  Spells result;
  for (const auto& event : monitor_.events())
    if (event.prefix.starts_with(terms_.vip() + "/")) note(result, event.added, event.time);
  return result;
}

Spells Contender::spells() const {
  Spells result = observed();
  if (killed_ && !result.empty() && !result.back().to) result.back().to = killed_;
  return result;
}

bool Contender::holds() const {
  const Spells all = spells();
  return !all.empty() && !all.back().to;
}

// --- vipd

/// keepalived 2.2.7 sends IPv6 unicast with the hop limit of any other packet.
void Vipd::start() {
  std::string more = terms_.preempt ? "" : "preempt = false\n";
  if (terms_.version != 3) more += "version = " + std::to_string(terms_.version) + "\n";
  if (terms_.unicast)
    more += "source = \"" + node_.unicast(terms_.family) + "\"\npeers = [{address = \"" + peer_.unicast(terms_.family) +
            "\"" + (terms_.family == Family::ipv6 ? ", min_hop_limit = 64" : "") + "}]\n";
  std::string config = web(terms_.family, priority_, more);
  config.replace(config.find("100ms"), 5, format_duration(terms_.interval));
  node_.start_vipd(config);
}

void Vipd::stop() { stop_process(node_.vipd(), "vipd"); }

void Vipd::kill_processes() {
  node_.vipd().signal(SIGKILL);
  node_.vipd().wait_exit(kStopBound);
}

/// Removes the leftovers as the systemd unit does.
void Vipd::clear_leftovers() {
  std::vector<std::string> last_will = node_.vipd_command();
  last_will.emplace_back("--last-will");
  expect(run(node_, last_will).status == 0, "the last will fails");
  expect(!node_.has(terms_.vip()), "the last will leaves the address");
}

std::string Vipd::log() const { return node_.vipd().output() + node_.vipd().errors(); }

bool Vipd::listens() const { return log().find("-> backup") != std::string::npos; }

// --- keepalived

Keepalived::~Keepalived() {
  if (keepalived_) kill_processes();
}

void Keepalived::write_config() const {
  std::ofstream file(node_.directory() / "keepalived.conf");
  file << "global_defs {\n  vrrp_version " << terms_.version << "\n}\nvrrp_instance web {\n  state BACKUP\n"
       << "  interface eth0\n  virtual_router_id 51\n  priority " << priority_ << "\n  advert_int "
       << in_ms(terms_.interval) / 1000 << "\n"
       << (terms_.preempt ? "" : "  nopreempt\n");
  if (terms_.unicast)
    file << "  unicast_src_ip " << node_.unicast(terms_.family) << "\n  unicast_peer {\n    "
         << peer_.unicast(terms_.family) << "\n  }\n";
  file << "  virtual_ipaddress {\n"
       << (terms_.family == Family::ipv4 ? "    192.0.2.10/24\n" : "    fe80::10/64\n    2001:db8::10/64\n")
       << "  }\n}\n";
}

void Keepalived::start() {
  write_config();
  start_as_configured();
}

void Keepalived::start_as_configured() {
  keepalived_ = std::make_unique<KeepalivedProcess>(node_, std::vector<std::string>{"--log-detail"});
}

void Keepalived::stop() { stop_process(keepalived_->process(), "keepalived"); }

void Keepalived::clear_leftovers() { must(node_, "ip addr flush dev eth0 to " + terms_.vip()); }

std::string Keepalived::log() const { return keepalived_->process().output() + keepalived_->process().errors(); }

bool Keepalived::listens() const { return log().find("Entering BACKUP STATE") != std::string::npos; }

// --- FRR

Frr::Frr(Node& node, const Node& peer, const Terms& terms, int priority)
    : Contender(node, peer, terms, priority), device_(terms.family == Family::ipv4 ? "vrrp4-51" : "vrrp6-51") {
  make_device();
  namespace fs = std::filesystem;
  fs::permissions(node.directory().parent_path(), fs::perms::others_exec, fs::perm_options::add);
  const passwd* user = getpwnam("frr");  // its daemons run as this user and make their sockets and pid files here
  expect(user != nullptr && chown(node.directory().c_str(), user->pw_uid, user->pw_gid) == 0, "no user frr");
}

void Frr::make_device() const {
  const bool ipv4 = terms_.family == Family::ipv4;
  node_.write_sysctl("ipv6/conf/default/addr_gen_mode", "1");  // no link-local address but the virtual one
  must(node_, "ip link add link eth0 name " + device_ + " address 00:00:5e:00:0" + (ipv4 ? "1" : "2") +
                  ":33 type macvlan mode bridge");
  must(node_, "ip addr add " + terms_.vip() + (ipv4 ? "/24" : "/64") + " dev " + device_);
  if (!ipv4) must(node_, "ip addr add fe80::10/64 dev " + device_);
  must(node_, "ip link set " + device_ + " up");
}

void Frr::write_config() const {
  const bool ipv4 = terms_.family == Family::ipv4;
  std::ofstream(node_.directory() / "zebra.conf") << "log stdout\n";
  std::ofstream file(node_.directory() / "vrrpd.conf");
  file << "log timestamp precision 3\ninterface eth0\n vrrp 51 version 3\n vrrp 51 priority " << priority_
       << "\n vrrp 51 advertisement-interval " << terms_.interval / 1ms << "\n"
       << (terms_.preempt ? "" : " no vrrp 51 preempt\n")
       << (ipv4 ? " vrrp 51 ip 192.0.2.10\n" : " vrrp 51 ipv6 fe80::10\n vrrp 51 ipv6 2001:db8::10\n");
}

std::vector<std::string> Frr::command(const std::string& daemon) const {
  const std::string prefix = (node_.directory() / daemon).string();
  return {"/usr/lib/frr/" + daemon,
          "--vty_socket",
          node_.directory(),
          "--vty_port",
          "0",
          "--log",
          "stdout",
          "--config_file",
          prefix + ".conf",
          "--pid_file",
          prefix + ".pid",
          "--socket",
          node_.directory() / "zserv"};
}

void Frr::start() {
  write_config();
  if (vrrpd_) earlier_logs_ += log();
  if (!zebra_) zebra_ = std::make_unique<Process>(node_, command("zebra"));
  expect(wait_until(10s, [&] { return std::filesystem::exists(node_.directory() / "zserv"); }), "zebra does not start");
  vrrpd_ = std::make_unique<Process>(node_, command("vrrpd"));
}

void Frr::stop() { stop_process(*vrrpd_, "vrrpd"); }

void Frr::kill_processes() {
  vrrpd_->signal(SIGKILL);
  vrrpd_->wait_exit(kStopBound);
}

void Frr::clear_leftovers() { must(node_, "ip link del " + device_); }

std::string Frr::log() const { return vrrpd_ ? vrrpd_->output() : ""; }

bool Frr::listens() const { return log().find("-> Backup") != std::string::npos; }

/// "2026/11/25 15:41:35.123 VRRP: […] [VRID 51] [IPv6] Backup -> Master", in local time.
Spells Frr::observed() const {
  Spells result;
  std::istringstream lines(earlier_logs_ + log());
  for (std::string line; std::getline(lines, line);) {
    if (line.find(" -> ") == std::string::npos || line.size() < 24) continue;
    std::tm date{};
    if (strptime(line.c_str(), "%Y/%m/%d %H:%M:%S", &date) == nullptr) continue;
    date.tm_isdst = -1;
    const auto time = std::chrono::system_clock::from_time_t(std::mktime(&date)) +
                      std::chrono::milliseconds(std::stoi(line.substr(20, 3)));
    note(result, line.ends_with("-> Master"), time);
  }
  return result;
}

}  // namespace vipd::lab
