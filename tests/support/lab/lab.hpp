/// Lab: servers on a switch, in network namespaces.
///
/// A bridge in a namespace of its own is the switch. Each Node is a namespace with one interface, eth0, whose other end
/// is a port of the switch with the node's name. A node may be wired to further switches, by an interface for each.
/// Faults of the network happen at the switch (a port goes down, a rule drops adverts), so a node notices them as a
/// server would. Node N has 192.0.2.N/24 and a link-local address. The real programs run, with their files in a
/// directory below /var/lib: vipd runs no hook from /tmp. The Lab removes everything at its end. If the test has failed
/// by then, the logs of every vipd are printed first.
///
/// At its end the Lab kills each vipd, runs the last will in its node and compares. The addresses, routes, rules,
/// neighbours, links and settings of others must be those from before the first vipd (see snapshot.hpp). Changes that
/// the test made by must(), write_sysctl(), wire() or changes() are allowed. Any other difference fails the test
/// program.
///
/// Duplicate address detection is off in the nodes, because it would cost each test two seconds. Needs root, iproute2,
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

/// The path of a program of this build: "vipd", "vipctl", "vipd-traffic".
std::string program(const std::string& name);

class Node : public Netns {
 public:
  Node(std::string name, int number, std::filesystem::path directory, std::filesystem::path runtime_dir);

  const std::string& name() const { return name_; }
  /// The source of the node's adverts: 192.0.2.N, or the present link-local address of eth0 ("" without one).
  std::string source(Family family) const;
  /// An address of 2001:db8::/64 or 192.0.2.0/24, by this node's number.
  std::string unicast(Family family) const;
  /// The directory of vipd.toml and of the state directory.
  const std::filesystem::path& directory() const { return directory_; }
  /// The runtime directory, in memory as /run is.
  std::string runtime_dir() const { return runtime_dir_; }

  /// Sets eth0 up and gives it its addresses.
  void configure_interface() const;

  /// Writes the configuration and starts vipd with it, its command after the words `before`. The previous vipd must
  /// have ended.
  Process& start_vipd(const std::string& config, const std::vector<std::string>& before = {});
  /// The vipd that was started last.
  Process& vipd() { return *vipds_.back(); }
  /// The arguments of start_vipd(), for a vipd that the test starts itself.
  std::vector<std::string> vipd_command() const;

  /// The document of `vipctl status --json`; null if that fails.
  Json status() const;
  /// The first instance of the status; an empty object without an answer.
  Json instance() const;
  /// The state of the first instance: "active", "backup", "initialize", or "" without an answer.
  std::string state() const;
  bool wait_state(const std::string& state, Duration bound = std::chrono::seconds(5)) const;
  /// True if the kernel has this address ("192.0.2.10") on any interface.
  bool has(const std::string& address) const;

  /// Prints the log of each vipd of this node.
  void print_logs() const;

  /// Runs `act`; changes of this node meanwhile count as the test's own. must() includes this.
  void changes(const std::function<void()>& act, Depth depth = Depth::with_settings) const;
  /// As Netns::write_sysctl(), as a change of the test.
  void write_sysctl(const std::string& name, const std::string& value) const;

  /// Kills all vipds that start_vipd() has started.
  void kill_vipds();
  /// Runs the last will if a vipd ran here. Returns the losses and gains of others, and vipd's leftovers. The kernel
  /// gets `patience` for consequences of a change (link-local addresses, a carrier).
  std::vector<std::string> end_of_vipd(Duration patience = std::chrono::seconds(1)) const;
  /// The same comparison while vipd runs, or without a last will.
  std::vector<std::string> differences() const;

 private:
  std::string name_;
  int number_;
  std::filesystem::path directory_, runtime_dir_;
  std::vector<std::unique_ptr<Process>> vipds_;
  mutable std::optional<Others> others_;  ///< set by the first vipd_command()
};

/// Runs a command at a node; the changes that it makes count as the test's own.
std::string must(const Node& node, const std::string& line);

/// Connects a client to a vipd's control socket, without waiting.
Fd connect_to(const Node& node);

class Lab {
 public:
  Lab();
  ~Lab();
  Lab(const Lab&) = delete;
  Lab& operator=(const Lab&) = delete;

  /// Adds a server, wired and with addresses; `number` is 1..254.
  Node& add_node(const std::string& name, int number);
  /// Adds a server without an interface.
  Node& add_bare_node(const std::string& name, int number);
  /// Gives a node its eth0, for the first time or again. Other interfaces are wired to a switch of the interface's
  /// name.
  void wire(const Node& node, const std::string& interface = "eth0");
  /// As wire(), with this index and hardware address: a deleted interface comes back.
  void wire_as(const Node& node, const std::string& interface, unsigned number, const std::string& mac);

  /// Takes the carrier from a node's port or gives it back, by one system call, so the change has one moment.
  void set_port(const Node& node, bool up, const std::string& interface = "eth0");
  /// Takes a node's port out of the switch or puts it back. The node keeps its carrier and notices nothing.
  void set_member(const Node& node, bool member) const;
  /// Makes the switch drop matching packets, in the syntax of nft(8): "ip protocol 112".
  void drop(const std::string& match);
  /// Ends all drops.
  void drop_nothing();

  /// The output of a command at the switch: "bridge fdb show br switch".
  std::string at_switch(const std::string& command) const { return must(switch_, command); }

  /// A directory that lives as long as the lab.
  const std::filesystem::path& directory() const { return directory_; }

 private:
  void add_switch(const std::string& interface);
  void compare();

  std::filesystem::path directory_, in_memory_;
  Netns switch_;                    ///< the namespace of all switches
  std::set<std::string> switches_;  ///< names of the interfaces that have a switch
  std::vector<std::unique_ptr<Node>> nodes_;
  int exceptions_before_;
  Others machine_;  ///< the namespace of this program, which no test may change
};

/// `vipd-traffic sniff` on an interface of a node.
class Sniffer {
 public:
  /// Returns when `sniff` listens.
  explicit Sniffer(const Node& node, const std::string& interface = "eth0");

  /// All lines so far, oldest first.
  const std::vector<Json>& frames();
  /// The lines of one kind ("advert", "garp", "na").
  std::vector<Json> of_kind(const std::string& kind);
  /// The adverts from this source.
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
  /// Returns when `watch` asks.
  Watch(const Node& client, const std::string& address);
  /// Ends `watch` and returns its report.
  Json finish();

 private:
  Process process_;
};

/// Milliseconds with a fraction, for messages.
double in_ms(Duration duration);

}  // namespace vipd::lab
