/// Pair: the two servers of most lab tests, a client that listens, and the vocabulary of the tests.
///
/// `a` has the higher priority and the smaller address. Adverts come every 100 ms, so that three missed ones are a
/// third of a second. Bounds are generous: the machine may be busy with other tests. Measured times are printed.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/lab/lab.hpp"

namespace vipd::lab {

using namespace std::chrono_literals;

inline constexpr Duration kInterval = 100ms;
/// The time that a busy machine may add to a bound.
inline constexpr Duration kSlack = 250ms;

/// Further time for the end of a process: a sanitizer looks for leaks then.
#ifdef VIPD_SANITIZED
inline constexpr Duration kLeakCheck = 5s;
#else
inline constexpr Duration kLeakCheck = 0s;
#endif

/// True with VIPD_LONG=1: tests run as many rounds as a figure needs. Otherwise they run enough to show a fault.
inline bool is_long() { return std::getenv("VIPD_LONG") != nullptr; }
inline int rounds(int usual, int if_long) { return is_long() ? if_long : usual; }

inline const std::string& virtual_address(Family family) {
  static const std::string ipv4 = "192.0.2.10", ipv6 = "2001:db8::10";
  return family == Family::ipv4 ? ipv4 : ipv6;
}

/// The list of addresses of the instance, as it stands in the file. The first one of IPv6 is link-local (RFC 9568
/// 5.2.9).
inline std::string address_list(Family family) {
  return family == Family::ipv4 ? R"(["192.0.2.10/24"])" : R"(["fe80::10/64", "2001:db8::10/64"])";
}

/// A whole configuration: instance "web", VRID 51, on eth0; `more` is further lines of the instance.
inline std::string web(Family family, int priority, const std::string& more = "") {
  return "[instance.web]\ninterface = \"eth0\"\nvrid = 51\nadvert_interval = \"100ms\"\npriority = " +
         std::to_string(priority) + "\naddresses = " + address_list(family) + "\n" + more + "\n";
}

/// Runs the rest of the test once for each family.
inline Family each_family() { return GENERATE(Family::ipv4, Family::ipv6); }

inline void measured(const std::string& what, Duration duration) {
  std::cout << "measured: " << what << ": " << in_ms(duration) << " ms" << std::endl;
}

/// The hardware address of eth0, "02:00:…".
inline std::string mac_of(const Node& node) {
  return Json::parse(must(node, "ip -j link show dev eth0")).at(0).at("address");
}

struct Pair {
  explicit Pair(Family its_family)
      : family(its_family),
        vip(virtual_address(its_family)),
        a(lab.add_node("a", 1)),
        b(lab.add_node("b", 2)),
        client(lab.add_node("client", 100)),
        source_a(a.source(its_family)),
        source_b(b.source(its_family)),
        sniffer(client) {}

  /// Starts both, `a` first, so that no address moves; returns when a is Active and b Backup.
  void start(const std::string& more = "") {
    a.start_vipd(web(family, 254, more));
    REQUIRE(a.wait_state("active"));
    b.start_vipd(web(family, 253, more));
    REQUIRE(b.wait_state("backup"));
    REQUIRE(wait_until(5s, [&] { return b.instance().at("counters").at("adverts_received").get<int>() > 0; }));
    REQUIRE(a.has(vip));
    REQUIRE_FALSE(b.has(vip));
  }

  /// Waits until a node has sent `more` further adverts.
  void await_adverts(const std::string& source, std::size_t more) {
    const std::size_t before = sniffer.adverts_from(source).size();
    REQUIRE(
        wait_until(10s + 2 * kInterval * more, [&] { return sniffer.adverts_from(source).size() >= before + more; }));
  }

  Lab lab;
  Family family;
  std::string vip;
  Node &a, &b, &client;
  std::string source_a, source_b;
  Sniffer sniffer;
};

/// Runs vipctl with these words for the daemon of a node.
inline Finished vipctl(const Node& node, std::vector<std::string> words) {
  words.insert(words.begin(), {program("vipctl"), "--runtime-dir", node.runtime_dir()});
  return run(node, words);
}

/// Writes the file; the daemon is not told.
inline void write_config(const Node& node, const std::string& text) {
  std::ofstream(node.directory() / "vipd.toml", std::ios::trunc) << text;
}

/// A program of /bin/sh.
inline std::string write_script(const std::filesystem::path& path, const std::string& body) {
  std::ofstream(path) << "#!/bin/sh\n" << body << "\n";
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  return path;
}

/// The lines of a file so far.
inline std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

/// True if a server on `to` answers `from` on this address.
inline bool reaches(const Node& from, const Node& to, const std::string& address) {
  const Process server(to, {program("vipd-traffic"), "serve", "7"});
  return wait_until(
      2s, [&] { return run(from, {program("vipd-traffic"), "watch", address, "7", "--for", "50ms"}).status == 0; });
}

/// The hardware addresses that answer the client for an address. `from` is the source address of its questions.
inline Json answering(const Pair& pair, const std::string& address, const std::string& from) {
  return Json::parse(must(pair.client, program("vipd-traffic") + " ask eth0 " + address + " " + from + " --for 300ms"))
      .at("macs");
}
inline Json answering(const Pair& pair, const std::string& address) {
  return answering(pair, address, pair.client.source(pair.family));
}

/// The longest time between two of these frames, from the given one on.
inline Duration longest_gap(const std::vector<Json>& frames, std::size_t from = 0) {
  Duration longest{};
  for (std::size_t i = from + 1; i < frames.size(); ++i)
    longest = std::max<Duration>(longest, time_of(frames[i]) - time_of(frames[i - 1]));
  return longest;
}

/// The deviation of the gaps between adverts from the interval.
struct Jitter {
  Duration median{}, worst{};
};
inline Jitter jitter(const std::vector<Json>& frames, std::size_t from = 0) {
  std::vector<Duration> off;
  for (std::size_t i = from + 1; i < frames.size(); ++i)
    off.push_back(std::chrono::abs(time_of(frames[i]) - time_of(frames[i - 1]) - kInterval));
  std::ranges::sort(off);
  return off.empty() ? Jitter{} : Jitter{.median = off[off.size() / 2], .worst = off.back()};
}

/// When an address first came or went at or after `since`; waits for that.
inline WallTime moment_of(const AddressMonitor& monitor, const std::string& address, bool added, WallTime since) {
  WallTime moment{};
  REQUIRE(wait_until(10s, [&] {
    for (const auto& event : monitor.events())
      if (event.added == added && event.time >= since && event.prefix.starts_with(address + "/")) {
        moment = event.time;
        return true;
      }
    return false;
  }));
  return moment;
}

/// Why the node's first instance is in fault; "" if it is not.
inline std::string fault_of(const Node& node) {
  const Json fault = node.instance().value("fault", Json());
  return fault.is_string() ? fault.get<std::string>() : "";
}

}  // namespace vipd::lab
