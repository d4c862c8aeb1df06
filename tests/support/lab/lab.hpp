/// Lab: servers on a switch, in network namespaces.
///
/// A bridge in a namespace of its own is the switch; each Node is a namespace with one interface, eth0, whose other end
/// is a port of the switch with the node's name. A node may be wired to further switches, by an interface for each.
/// What is done to the network is done at the switch (a port goes down, a rule drops adverts), so the node finds it out
/// as a server would. Node N has 192.0.2.N/24 and a link-local address. The real programs run, with their files in a
/// directory of their own below /var/lib: vipd runs no hook from /tmp. All is gone when the Lab is; if the test failed
/// by then, the logs of every vipd are printed first.
///
/// At its end the Lab kills each vipd, runs the last will in its node and compares: others' addresses, routes, rules,
/// neighbours, links and settings are those from before the first vipd (see snapshot.hpp), but for what the test itself
/// changed by must(), write_sysctl(), wire() or changes(). A difference fails the test program.
///
/// Duplicate address detection is off in the nodes, it would cost each test two seconds. Needs root, iproute2,
/// nftables.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "support/lab/addresses.hpp"
#include "support/lab/process.hpp"
#include "support/lab/snapshot.hpp"
#include "vipd/base/ip.hpp"
#include "vipd/os/fd.hpp"
#include "vipd/os/json.hpp"

namespace vipd::lab {

using WallTime = std::chrono::system_clock::time_point;

/// A program of this build: "vipd", "vipctl", "vipd-traffic".
std::string program(const std::string& name);

class Node : public Netns {
 public:
  Node(std::string name, int number, std::filesystem::path directory, std::filesystem::path runtime_dir);

  const std::string& name() const { return name_; }
  /// 192.0.2.N, or the link-local address that eth0 has now ("" if none): what adverts come from.
  std::string source(Family family) const;
  /// An address of 2001:db8::/64 or 192.0.2.0/24, by this node's number.
  std::string unicast(Family family) const;
  /// Where vipd.toml and the state directory are.
  const std::filesystem::path& directory() const { return directory_; }
  /// In memory, as /run is.
  std::string runtime_dir() const { return runtime_dir_; }

  /// Sets eth0 up and gives it its addresses.
  void configure_interface() const;

  /// Writes the configuration and starts vipd with it, its command behind the words `before`; the one before must have
  /// ended.
  Process& start_vipd(const std::string& config, const std::vector<std::string>& before = {});
  /// The last one started.
  Process& vipd() { return *vipds_.back(); }
  /// The arguments that start_vipd() uses, for a vipd that is started by hand.
  std::vector<std::string> vipd_command() const;

  /// `vipctl status --json`; null if that fails.
  Json status() const;
  /// Its first instance; an empty object if there is no answer.
  Json instance() const;
  /// Of the first instance: "active", "backup", "initialize", or "" if there is no answer.
  std::string state() const;
  bool wait_state(const std::string& state, Duration bound = std::chrono::seconds(5)) const;
  /// The kernel has this address ("192.0.2.10") on any interface.
  bool has(const std::string& address) const;

  /// Prints what each vipd of this node has logged.
  void print_logs() const;

  /// What happens to this node meanwhile is the test's own doing, not vipd's. must() needs it not.
  void changes(const std::function<void()>& act, Depth depth = Depth::with_settings) const;
  /// As Netns::write_sysctl(), by the test.
  void write_sysctl(const std::string& name, const std::string& value) const;

  /// Kills what start_vipd() has started.
  void kill_vipds();
  /// Runs the last will, if a vipd was ever here; returns what others have lost or got, and what vipd left behind. The
  /// kernel has `patience` for what follows from a change (link-local addresses, a carrier).
  std::vector<std::string> end_of_vipd(Duration patience = std::chrono::seconds(1)) const;
  /// The same while vipd runs, or without a last will.
  std::vector<std::string> differences() const;

 private:
  std::string name_;
  int number_;
  std::filesystem::path directory_, runtime_dir_;
  std::vector<std::unique_ptr<Process>> vipds_;
  mutable std::optional<Others> others_;  ///< since the first vipd_command()
};

/// The same for a node, where what a command changes is the test's own doing.
std::string must(const Node& node, const std::string& line);

/// A client of a vipd's control socket, which waits for nothing.
Fd connect_to(const Node& node);

class Lab {
 public:
  Lab();
  ~Lab();
  Lab(const Lab&) = delete;
  Lab& operator=(const Lab&) = delete;

  /// A server, wired and with addresses; `number` is 1..254.
  Node& add_node(const std::string& name, int number);
  /// A server without an interface.
  Node& add_bare_node(const std::string& name, int number);
  /// Gives a node its eth0, first or again; or another interface, at the switch to which all of that name are wired.
  void wire(const Node& node, const std::string& interface = "eth0");
  /// As wire(), with this number and hardware address: an interface that was deleted comes back.
  void wire_as(const Node& node, const std::string& interface, unsigned number, const std::string& mac);

  /// The port of a node loses or gets its carrier, by one system call: before it nothing has happened, after it all.
  void set_port(const Node& node, bool up, const std::string& interface = "eth0");
  /// The port of a node leaves the switch or joins it again. The node keeps its carrier and notices nothing.
  void set_member(const Node& node, bool member) const;
  /// From now on the switch drops what matches, in the words of nft(8): "ip protocol 112".
  void drop(const std::string& match);
  /// Ends all drop().
  void drop_nothing();

  /// What a command says at the switch: "bridge fdb show br switch".
  std::string at_switch(const std::string& command) const { return must(switch_, command); }

  /// A directory that lives as long as the lab.
  const std::filesystem::path& directory() const { return directory_; }

 private:
  void add_switch(const std::string& interface);
  void compare();

  std::filesystem::path directory_, in_memory_;
  Netns switch_;                    ///< where all of them are
  std::set<std::string> switches_;  ///< by the interfaces that are wired to them
  std::vector<std::unique_ptr<Node>> nodes_;
  int exceptions_before_;
  Others machine_;  ///< the namespace of this program, which no test touches
};

/// `vipd-traffic sniff` on an interface of a node.
class Sniffer {
 public:
  /// Returns when it listens.
  explicit Sniffer(const Node& node, const std::string& interface = "eth0");

  /// All lines so far, oldest first.
  const std::vector<Json>& frames();
  /// Those of one kind ("advert", "garp", "na").
  std::vector<Json> of_kind(const std::string& kind);
  /// Adverts from this source.
  std::vector<Json> adverts_from(const std::string& source);

 private:
  Process process_;
  std::size_t read_ = 0;
  std::vector<Json> frames_;
};

/// When the kernel saw a frame of a Sniffer.
WallTime time_of(const Json& frame);

/// `vipd-traffic watch` of an address, port 7, once a millisecond.
class Watch {
 public:
  /// Returns when it asks.
  Watch(const Node& client, const std::string& address);
  /// Ends it and returns its report.
  Json finish();

 private:
  Process process_;
};

/// Milliseconds with a fraction, for messages.
double in_ms(Duration duration);

}  // namespace vipd::lab
