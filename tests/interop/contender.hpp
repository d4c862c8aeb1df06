/// Contender: one of the two programs that compete for the address in an interop test: ours, keepalived, or FRR's
/// vrrpd.
///
/// Each runs in the foreground in its Node's namespace, with its files in the node's directory, is ended by its own
/// pid, and logs when it becomes Backup. The tests ask three questions: does it hold the address, when did it hold the
/// address (spells()), and what did it log? The tests name leader and follower, and do not know which program is which.
///
/// An address that a killed program has left in the kernel counts as nobody's, since no server answers behind it.
/// keepalived and FRR leave the address for ever; for vipd, systemd runs the last will.
///
/// Not good yet: FRR's daemons change their user, which clears the death signal that Process asks for, so they survive
/// a test program that is killed by SIGKILL.
#pragma once

#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lab/pair.hpp"
#include "support/lab/keepalived.hpp"

namespace vipd::lab {

/// The settings of both sides.
struct Terms {
  int version = 3;
  Family family = Family::ipv4;
  bool unicast = false;
  bool preempt = true;
  Duration interval = kInterval;  ///< version 2 knows whole seconds only

  const std::string& vip() const { return virtual_address(family); }
};

/// A time in which an address was held; it has no end while the address is held.
struct Spell {
  WallTime from;
  std::optional<WallTime> to;
};
using Spells = std::vector<Spell>;

/// How much of a time no node held the address, and how much of it both did.
struct Shares {
  Duration nobody{}, both{};
};
Shares shares(const Spells& a, const Spells& b, WallTime from, WallTime to);

class Contender {
 public:
  /// `peer` is the node of the other contender.
  Contender(Node& node, const Node& peer, const Terms& terms, int priority);
  virtual ~Contender() = default;
  Contender(const Contender&) = delete;
  Contender& operator=(const Contender&) = delete;

  virtual void start() = 0;
  /// Stops the program as a service manager does. Returns when it has ended; throws if it does not end.
  virtual void stop() = 0;
  /// Kills the program, so it cannot resign.
  void kill();
  /// Removes the leftovers of the killed program.
  virtual void clear_leftovers() = 0;
  /// The log since the last start.
  virtual std::string log() const = 0;
  /// True once the program has listened and is Backup.
  virtual bool listens() const = 0;
  /// The process that speaks VRRP.
  virtual pid_t pid() const = 0;
  /// The times in which the program held the address, the oldest first.
  Spells spells() const;
  bool holds() const;

 protected:
  virtual void kill_processes() = 0;
  /// The spells, apart from a kill: by default the times in which the kernel had the address.
  virtual Spells observed() const;

  Node& node_;
  const Node& peer_;
  Terms terms_;
  int priority_;

 private:
  AddressMonitor monitor_;
  std::optional<WallTime> killed_;
};

class Vipd : public Contender {
 public:
  using Contender::Contender;
  void start() override;
  void stop() override;
  void clear_leftovers() override;
  std::string log() const override;
  bool listens() const override;
  pid_t pid() const override { return node_.vipd().pid(); }

 private:
  void kill_processes() override;
};

class Keepalived : public Contender {
 public:
  using Contender::Contender;
  ~Keepalived() override;
  void start() override;
  /// Starts with the keepalived.conf in the node's directory.
  void start_as_configured();
  /// Makes it read its keepalived.conf anew.
  void reload() const { keepalived_->process().signal(SIGHUP); }
  void stop() override;
  void clear_leftovers() override;
  std::string log() const override;
  bool listens() const override;
  pid_t pid() const override { return keepalived_->speaker(); }

 private:
  void kill_processes() override { keepalived_->kill(); }
  void write_config() const;
  std::unique_ptr<KeepalivedProcess> keepalived_;
};

/// zebra and vrrpd. The address stays on a macvlan with the virtual MAC for ever; FRR holds it while that device is up.
class Frr : public Contender {
 public:
  Frr(Node& node, const Node& peer, const Terms& terms, int priority);
  void start() override;
  void stop() override;
  void clear_leftovers() override;
  std::string log() const override;
  bool listens() const override;
  pid_t pid() const override { return vrrpd_->pid(); }

 private:
  /// The spells in the log of vrrpd.
  Spells observed() const override;
  void kill_processes() override;
  void make_device() const;
  void write_config() const;
  std::vector<std::string> command(const std::string& daemon) const;
  std::string device_;
  std::unique_ptr<Process> zebra_, vrrpd_;
  std::string earlier_logs_;
};

/// Throws with this text unless `condition` holds: the cells run in threads, where Catch2 may not be called.
void expect(bool condition, const std::string& what);

}  // namespace vipd::lab
