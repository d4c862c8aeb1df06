/// vipd-traffic: the measuring program of the lab and of the demo.
///
/// It has four verbs. `serve` answers datagrams. `watch` asks every millisecond and finds the longest hole in the
/// answers. `sniff` prints the adverts and announcements of a segment with the kernel's time. `ask` finds the hardware
/// addresses that answer for an address. It shares no code with the daemon, so that an error cannot hide in both.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "vipd/base/time.hpp"
#include "vipd/os/fd.hpp"

namespace vipd::traffic {

/// The end of a verb: SIGINT, SIGTERM, or a time limit if one is given. To be made before anything else.
class Until {
 public:
  /// Blocks both signals. Throws std::system_error if a system call fails.
  explicit Until(std::optional<Duration> limit);

  /// A descriptor that is readable for poll(2) as soon as it is time to end.
  int fd() const { return either_.get(); }

 private:
  Fd signals_, timer_, either_;
};

struct ServeOptions {
  std::string port;
  std::string name;  ///< text that is added to the answers
};

struct WatchOptions {
  std::string address;  ///< numeric; "fe80::10%eth0" for link-local ones
  std::string port;
  Duration interval = std::chrono::milliseconds(1);
  bool json = false;
};

/// Answers each datagram from its destination address, with the datagram and the name, until it is time to end.
int serve(const ServeOptions& options, const Until& until);

/// Sends a numbered datagram each interval until it is time to end. Then waits half a second for late answers and
/// prints the report. Standard error says "watching" when the first datagram is due within an interval.
int watch(const WatchOptions& options, const Until& until);

struct AskOptions {
  std::string interface, address;
  std::string from;  ///< source of the question; of the same family, but not necessarily an address of this host
};

/// Asks for `address` by ARP or neighbour solicitation until it is time to end. Then prints the answers as JSON.
int ask(const AskOptions& options, const Until& until);

/// Prints one line of JSON for each advert, announcement and ARP packet on `interface`. The first line says that it
/// listens.
int sniff(const std::string& interface, const Until& until);

/// Throws std::system_error with errno and `what`.
[[noreturn]] void throw_errno(const std::string& what);

/// Returns `result`, or throws for errno if it is negative.
inline int checked(int result, const char* what) {
  if (result < 0) throw_errno(what);
  return result;
}

}  // namespace vipd::traffic
