// No long work between two adverts (docs/decisions/0022). An instance sends an advert every 10 ms while its daemon has
// long work, and each advert is on time. The goal is 10 ms; the assertions leave room for a busy machine.
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "pair.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace {

constexpr Duration kPulse = 10ms;
/// With sanitizers, which are ten times slower, no figure is asserted.
#ifdef VIPD_SANITIZED
constexpr Duration kLate = 600ms;
constexpr int kMany = 1000;
#else
constexpr Duration kLate = 100ms;
constexpr int kMany = 5000;
#endif

std::string pulse(int priority = 254) {
  return "[instance.pulse]\ninterface = \"eth0\"\nvrid = 250\nadvert_interval "
         "= \"10ms\"\npriority = " +
         std::to_string(priority) + "\naddresses = [\"192.0.2.250/32\"]\n";
}

/// An instance with these addresses of 10.0.0.0/8, all on one line of the file.
std::string many(int from, int to, const std::string& more = "") {
  std::string list;
  for (int i = from; i < to; ++i) {
    const std::string address = "10.0." + std::to_string(i / 250) + "." + std::to_string(1 + i % 250);
    list += "{address=\"" + address + "/32\",advertise=" + (i < from + 20 ? "true" : "false") + "},";
  }
  return "[instance.many]\ninterface = \"eth0\"\nvrid = 51\npriority = "
         "254\naddresses = [" +
         list + "]\n" + more;
}

/// One node whose instance "pulse" is Active, and a client that takes the times of its adverts.
struct Clockwork {
  explicit Clockwork(const std::string& more = "")
      : node(lab.add_node("a", 1)), client(lab.add_node("client", 100)), sniffer(client) {
    node.start_vipd(pulse() + more);
    REQUIRE(wait_until(20s, [&] { return pulses() > 100; }));
  }

  std::size_t pulses() { return sniffer.adverts_from("192.0.2.1").size(); }

  /// Waits until `more` further adverts have been sent.
  void run_on(std::size_t more) {
    const std::size_t before = pulses();
    REQUIRE(wait_until(20s, [&] { return pulses() >= before + more; }));
  }

  /// The greatest delay of an advert during `act` and shortly after it.
  Duration late_in(const std::string& what, const std::function<void()>& act, Duration bound = kLate) {
    run_on(20);
    const WallTime since = std::chrono::system_clock::now();
    act();
    run_on(50);
    std::vector<Json> own;
    for (const Json& frame : sniffer.adverts_from("192.0.2.1"))
      if (frame.at("vrid") == 250 && time_of(frame) >= since) own.push_back(frame);
    const Duration late = longest_gap(own) - kPulse;
    measured(what + ": the latest advert is late by", late);
    CHECK(late < bound);
    return late;
  }

  bool holds(int from, int to) const {
    const std::string all = must(node, "ip -o -4 addr show dev eth0");
    std::size_t count = 0;
    for (std::size_t at = 0; (at = all.find(" 10.0.", at + 1)) != std::string::npos;) ++count;
    return count == static_cast<std::size_t>(to - from);
  }

  Lab lab;
  Node &node, &client;
  Sniffer sniffer;
};

/// Makes each fsync(2) of the daemon take four seconds.
class SlowDisk {
 public:
  explicit SlowDisk(Node& node)
      : strace_(node, {"strace", "-f", "-e", "trace=fsync", "-e", "inject=fsync:delay_exit=4000000", "-p",
                       std::to_string(node.vipd().pid())}) {
    REQUIRE(wait_until(10s, [&] { return strace_.errors().find("attached") != std::string::npos; }));
  }
  ~SlowDisk() {
    strace_.signal(SIGTERM);
    strace_.wait_exit(10s);
  }
  SlowDisk(const SlowDisk&) = delete;
  SlowDisk& operator=(const SlowDisk&) = delete;

 private:
  Process strace_;
};

/// Sends a request on a connection of its own, as this user, and never reads.
Fd ask_and_never_read(const Node& node, uid_t user, const std::string& request) {
  using std::filesystem::perms;
  for (const std::filesystem::path runtime = node.runtime_dir(); const auto& each : {runtime, runtime.parent_path()})
    std::filesystem::permissions(each, perms(0755));
  struct stat socket{};
  REQUIRE(::stat((node.runtime_dir() + "/control.sock").c_str(), &socket) == 0);
  const gid_t group = ::getegid();
  REQUIRE(::setegid(socket.st_gid) == 0);
  REQUIRE(::seteuid(user) == 0);
  Fd fd = connect_to(node);
  REQUIRE(::seteuid(0) == 0);
  REQUIRE(::setegid(group) == 0);
  REQUIRE(::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) == std::ssize(request));
  return fd;
}

}  // namespace

TEST_CASE("lab: a reload of 5000 addresses delays no advert", "[lab]") {
  Clockwork clockwork(many(0, kMany));
  Node& node = clockwork.node;
  REQUIRE(wait_until(20s, [&] { return clockwork.holds(0, kMany); }));
  const auto reload = [&](const std::string& text) {
    write_config(node, text);
    const Finished done = vipctl(node, {"reload"});
    CAPTURE(done.errors);
    REQUIRE(done.status == 0);
  };
  clockwork.late_in("nothing is asked", [] {});
  clockwork.late_in("a reload of 5000 addresses without a change",
                    [&] { reload("# new\n" + pulse() + many(0, kMany)); });
  clockwork.late_in("a reload that adds one address to 5000", [&] {
    reload(pulse() + many(0, kMany + 1));
    REQUIRE(wait_until(20s, [&] { return clockwork.holds(0, kMany + 1); }));
  });
  clockwork.late_in("a reload that turns the order of 5000 addresses", [&] {
    std::string text = many(0, kMany);
    const std::size_t open = text.find('[', text.find("addresses"));
    std::string list;
    for (int i = kMany; i-- > 0;)
      list += "{address=\"10.0." + std::to_string(i / 250) + "." + std::to_string(1 + i % 250) +
              "/32\",advertise=" + (i < 20 ? "true" : "false") + "},";
    reload(pulse() + text.substr(0, open + 1) + list + "]\n");
    REQUIRE(wait_until(20s, [&] { return clockwork.holds(0, kMany); }));
  });
  clockwork.late_in("a reload that replaces 5000 addresses by others", [&] {
    reload(pulse() + many(2 * kMany, 3 * kMany));
    REQUIRE(wait_until(20s, [&] { return clockwork.holds(2 * kMany, 3 * kMany); }));
  });
  clockwork.late_in("a reload that makes another virtual router of one with 5000 addresses", [&] {
    std::string text = many(2 * kMany, 3 * kMany);
    reload(pulse() + text.replace(text.find("vrid = 51"), 9, "vrid = 52"));
    REQUIRE(wait_until(
        20s, [&] { return clockwork.holds(2 * kMany, 3 * kMany) && node.status().at("instances").size() == 2; }));
  });
  clockwork.late_in("`status` of 5000 addresses", [&] { node.status(); });
  clockwork.late_in("a reload that removes 5000 addresses with their instance", [&] {
    reload(pulse());
    REQUIRE(wait_until(20s, [&] { return clockwork.holds(0, 0); }));
  });
}

TEST_CASE("lab: a disk whose fsync takes 4 s delays no advert of a trial", "[lab]") {
  constexpr Duration kTraced = 10 * kLate;  // strace(1) stops the daemon at each call
  Clockwork clockwork;
  Node& node = clockwork.node;
  const SlowDisk disk(node);
  clockwork.late_in("nothing is asked of a daemon that is traced", [] {}, kTraced);
  write_config(node, pulse(250));
  const auto begin = [&] {
    REQUIRE(vipctl(node, {"reload", "--confirm", "60s"}).status == 0);
    CHECK(node.instance().at("priority").at("base") == 250);
  };
  clockwork.late_in("`reload --confirm` while fsync takes 4 s", begin, kTraced);
  const auto confirm = [&] { REQUIRE(vipctl(node, {"confirm"}).status == 0); };
  clockwork.late_in("`confirm` while fsync takes 4 s", confirm, kTraced);
}

TEST_CASE("lab: a file that is long to read delays no advert", "[lab]") {
  Clockwork clockwork;
  Node& node = clockwork.node;
  std::string keys, list;
  while (keys.size() < 1'000'000) keys += "k" + std::to_string(keys.size()) + " = 1\n";
  while (list.size() < 1'000'000) list += "\"192.0.2.300/24\", ";
  const std::vector<std::pair<std::string, std::string>> files = {
      {"a line of 1 MiB", pulse() + "[check.app]\nfile = \"" + std::string(1'000'000, 'x') + "\"\n"},
      {"a list of 1 MiB on one line", pulse() + "[instance.b]\naddresses = [" + list + "]\n"},
      {"80,000 unknown keys", pulse() + keys},
      {"many addresses", pulse() + many(0, 15'000)}};
  for (const auto& [what, text] : files) {
    CAPTURE(what);
    write_config(node, text);
    const auto since = std::chrono::steady_clock::now();
    clockwork.late_in("`diff` of " + what, [&] { vipctl(node, {"diff"}); });
    clockwork.late_in("SIGHUP with " + what, [&] {
      node.vipd().signal(SIGHUP);
      vipctl(node, {"diff"});
    });
    measured("all of that with " + what, std::chrono::steady_clock::now() - since);
  }
}

namespace {

/// Backups whose one check decides over all of them; they hold no address.
std::string crowd_of_backups(int segments, int each, const std::string& health) {
  std::string text =
      "[check.app]\nfile = \"" + health + "\"\ninterval = \"100ms\"\nfall = 1\nrise = 1\non_fail = \"fault\"\n";
  for (int i = 0; i < segments; ++i)
    for (int vrid = 1; vrid <= each; ++vrid) {
      const std::string number = std::to_string(i) + "." + std::to_string(vrid);
      text += "[instance.\"n" + number + "\"]\ninterface = \"more" + std::to_string(i) +
              "\"\nvrid = " + std::to_string(vrid) + "\nadvert_interval = \"40s\"\nchecks = [\"app\"]\n" +
              "addresses = [\"10.1." + number + "/32\"]\n";
    }
  return text;
}

}  // namespace

TEST_CASE("lab: 64 clients that never read delay no advert beside 2000 instances", "[lab]") {
  constexpr int kSegments = 8, kEach = kMany / 20;
  Clockwork clockwork;
  Node& node = clockwork.node;
  for (int i = 0; i < kSegments; ++i) {
    const std::string interface = "more" + std::to_string(i);
    clockwork.lab.wire(node, interface);
    must(node, "ip link set " + interface + " up");
    must(node, "ip addr add 10.2." + std::to_string(i) + ".1/24 dev " + interface);
  }
  const std::string health = node.directory() / "fit";
  std::ofstream(health) << "1\n";
  write_config(node, pulse() + crowd_of_backups(kSegments, kEach, health));
  const auto all_show = [&](const std::string& state) {
    const Json status = node.status();
    return !status.is_null() && std::ranges::all_of(status.at("instances"), [&](const Json& each) {
      return each.at("name") == "pulse" || each.at("state") == state;
    });
  };
  clockwork.late_in("a reload that brings 2000 instances", [&] {
    REQUIRE(vipctl(node, {"reload"}).status == 0);
    REQUIRE(wait_until(20s, [&] { return all_show("backup"); }));
  });
  clockwork.late_in("`status` of 2000 instances", [&] { REQUIRE(all_show("backup")); });
  std::vector<Fd> clients;
  clockwork.late_in("64 who begin to follow", [&] {
    for (const uid_t user : {1001u, 1002u, 1003u, 0u})
      for (int i = 0; i < 16; ++i)
        clients.push_back(ask_and_never_read(node, user, "{\"verb\":\"events\",\"follow\":true}\n"));
  });
  for (const bool fit : {false, true, false, true})
    clockwork.late_in(fit ? "2000 instances are fit again" : "2000 instances fail, and 64 follow", [&] {
      if (fit)
        std::ofstream(health) << "1\n";
      else
        std::filesystem::remove(health);
      clockwork.run_on(60);
    });
  clients.clear();
  clockwork.late_in("64 who ask for the status of 2000 instances", [&] {
    for (const uid_t user : {1001u, 1002u, 1003u, 0u})
      for (int i = 0; i < 16; ++i) clients.push_back(ask_and_never_read(node, user, "{\"verb\":\"status\"}\n"));
    clockwork.run_on(100);
  });
  clients.clear();
  REQUIRE(wait_until(20s, [&] { return all_show("backup"); }));
}
