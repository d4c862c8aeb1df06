/// vipd-traffic: what the lab measures with, and the demo shows.
///
/// Four small programs in one: `serve` answers datagrams, `watch` asks every millisecond and finds the longest hole in
/// the answers, `sniff` prints the adverts and announcements of a segment with the kernel's time, `ask`
/// finds out which hardware addresses answer for an address. It shares no code with the daemon: the ruler must not be
/// cut from the cloth. Callers: tests/lab through tests/support/lab.hpp, `./dev demo`, the benchmark.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "vipd/base/time.hpp"
#include "vipd/os/fd.hpp"

namespace vipd::traffic {

/// When a program ends: on SIGINT or SIGTERM, or after a time if one is given. Make it before anything else.
class Until {
 public:
  /// Blocks both signals. Throws std::system_error if the system refuses.
  explicit Until(std::optional<Duration> limit);

  /// Readable for poll(2) as soon as it is time to end.
  int fd() const { return either_.get(); }

 private:
  Fd signals_, timer_, either_;
};

struct ServeOptions {
  std::string port;
  std::string name;  ///< goes into the answers
};

struct WatchOptions {
  std::string address;  ///< numeric; "fe80::10%eth0" for link-local ones
  std::string port;
  Duration interval = std::chrono::milliseconds(1);
  bool json = false;
};

/// Answers each datagram from the address it was sent to, with the datagram and the name, until it is time to end.
int serve(const ServeOptions& options, const Until& until);

/// Sends a numbered datagram each interval until it is time to end, waits half a second for late answers, prints the
/// report. Standard error says "watching" when the first is due within an interval.
int watch(const WatchOptions& options, const Until& until);

struct AskOptions {
  std::string interface, address;
  std::string from;  ///< who asks; of the same family, but it need not be ours
};

/// Asks for `address` by ARP or neighbour solicitation until it is time to end, then prints who answered, as JSON.
int ask(const AskOptions& options, const Until& until);

/// Prints one line of JSON for each advert, announcement and ARP packet that `interface` sees, the first line says that
/// it listens.
int sniff(const std::string& interface, const Until& until);

/// Throws std::system_error for errno.
[[noreturn]] void throw_errno(const std::string& what);

/// Passes `result` on, or throws for errno if it is negative.
inline int checked(int result, const char* what) {
  if (result < 0) throw_errno(what);
  return result;
}

}  // namespace vipd::traffic
