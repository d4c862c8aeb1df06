/// Rig: two servers and a client on a switch, and either program on the servers.
///
/// `a` has the higher priority. Both programs get the same shape: so many instances, so many addresses in each. The
/// instances are on eth0; if they are more than an interface can have, on eth1 and so on, too.
/// keepalived logs to a pipe that is read (`-l -G`); its speaking child counts for processor time, and all its
/// processes for memory, as vipd and its runner do. Callers: the scenarios.
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
  int addresses = 1;  ///< of each instance, all in 10.0.0.0/8 but for the first one of the first, 192.0.2.10
  Duration interval = 1s;
  std::string in_instance = {};  ///< further lines of each instance, in the words of the program
  std::string beside = {};       ///< and of the whole file
};

constexpr int kPriorityA = 254, kPriorityB = 253;

/// How many interfaces it takes.
inline int interfaces_of(const Shape& shape) { return (shape.instances + 254) / 255; }

/// The first address of all.
inline const std::string kVip = "192.0.2.10";

/// Of instance and address, both from 0.
std::string address_of(int instance, int number);

class Server {
 public:
  Server(lab::Node& node, Program program, const Shape& shape, int priority);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Its command behind the words `before`.
  void start(const std::vector<std::string>& before = {});
  void terminate() const { process().signal(SIGTERM); }
  /// From now on it is to be in this shape.
  void reload(const Shape& shape);
  /// How long it takes until it has ended.
  bool wait_end(Duration bound) const;
  /// Has the first address of all and the last one.
  bool holds_all() const;
  bool holds_none() const;

  /// Processor time of what speaks VRRP, so far (/proc/PID/schedstat).
  Duration processor_time() const;
  /// The same of all its processes that are there.
  Duration processor_time_of_all() const;
  /// Memory of all its processes, in kB (PSS).
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
  /// `a` is to be different in what is not the number of things; the commands of both are behind the words `before`.
  Rig(Program program, const Shape& shape_a, const Shape& shape_b, const std::vector<std::string>& before = {});

  lab::Lab lab;
  lab::Node &node_a, &node_b, &client;
  Server a, b;
};

/// Does it until it is true; throws after `bound`.
void await(const std::string& what, Duration bound, const std::function<bool()>& is_true);

/// A server with its interfaces, 192.0.2.`number` on eth0.
lab::Node& add_server(lab::Lab& lab, const std::string& name, int number, int interfaces);

/// How long `b` waits when `a` resigns (RFC 9568 6.1).
Duration skew(Duration interval);
/// 3 intervals and the skew of `b`.
Duration theory(Duration interval);

}  // namespace vipd::bench
