/// Rig: two servers and a client on a switch, and either program on the servers.
///
/// `a` has the higher priority. Both programs get the same shape: a number of instances, and a number of addresses in
/// each. The instances are on eth0; if they are more than an interface can have, they continue on eth1 and so on.
///
/// keepalived logs to a pipe that is read (`-l -G`). Its VRRP child counts for processor time, and all its processes
/// count for memory. The same holds for vipd and its runner.
#pragma once

#include <csignal>
#include <functional>
#include <memory>
#include <optional>

#include "figure.hpp"
#include "support/lab/keepalived.hpp"

namespace vipd::bench {

using namespace std::chrono_literals;

enum class Program : std::uint8_t { vipd, keepalived };
std::string to_string(Program program);

struct Shape {
  int instances = 1;
  /// of each instance; all in 10.0.0.0/8, but the first address of the first instance is 192.0.2.10
  int addresses = 1;
  Duration interval = 1s;
  std::string in_instance = {};  ///< further lines of each instance, in the syntax of the program
  std::string beside = {};       ///< further lines of the whole file, in the syntax of the program
};

constexpr int kPriorityA = 254, kPriorityB = 253;

/// The number of interfaces that the instances need.
inline int interfaces_of(const Shape& shape) { return (shape.instances + 254) / 255; }

/// The first address of all.
inline const std::string kVip = "192.0.2.10";

/// The address `number` of the instance `instance`, both counted from 0.
std::string address_of(int instance, int number);

class Server {
 public:
  Server(lab::Node& node, Program program, const Shape& shape, int priority);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Starts the program; its command follows the words `before`.
  void start(const std::vector<std::string>& before = {});
  void terminate() const { process().signal(SIGTERM); }
  /// Reloads the program with this shape.
  void reload(const Shape& shape);
  /// Waits for the end, up to `bound`. Returns false if the program still runs.
  bool wait_end(Duration bound) const;
  /// True if the server holds the first address of all and the last one.
  bool holds_all() const;
  bool holds_none() const;

  /// Processor time so far of the process that speaks VRRP (/proc/PID/schedstat).
  Duration processor_time() const;
  /// Processor time so far of all processes of the program.
  Duration processor_time_of_all() const;
  /// Memory of all processes of the program, in kB (PSS).
  double memory() const;

  lab::Node& node() const { return node_; }

 private:
  void write_config() const;
  lab::Process& process() const;
  std::vector<pid_t> all_processes() const;

  lab::Node& node_;
  Program program_;
  Shape shape_;
  int priority_;
  std::unique_ptr<lab::KeepalivedProcess> keepalived_;
};

/// A fresh lab with both servers running, `a` Active in everything and `b` Backup.
class Rig {
 public:
  Rig(Program program, const Shape& shape) : Rig(program, shape, shape) {}
  /// `a` and `b` may differ in anything but the number of objects. The commands of both follow the words `before`.
  Rig(Program program, const Shape& shape_a, const Shape& shape_b, const std::vector<std::string>& before = {});

  lab::Lab lab;
  lab::Node &node_a, &node_b, &client;
  Server a, b;
};

/// Polls until `is_true` holds; throws after `bound`.
void await(const std::string& what, Duration bound, const std::function<bool()>& is_true);

/// Adds a server with its interfaces; eth0 has 192.0.2.`number`.
lab::Node& add_server(lab::Lab& lab, const std::string& name, int number, int interfaces);

/// The time that `b` waits when `a` resigns (RFC 9568 6.1).
Duration skew(Duration interval);
/// Three intervals and the skew time of `b`.
Duration theory(Duration interval);

}  // namespace vipd::bench
