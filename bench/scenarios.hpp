/// The scenarios: each runs both programs in turn, round after round, in fresh namespaces, and returns its figures.
#pragma once

#include <vector>

#include "rig.hpp"
#include "support/temporary_directory.hpp"

namespace vipd::bench {

/// A server dies: from the last advert on, beyond the time that RFC 9568 gives.
std::vector<Figure> failover(int rounds);
/// A server is stopped, and comes back with the higher priority: what a client loses.
std::vector<Figure> planned(int rounds);
/// 1, 50 and 255 instances: processor time and memory.
std::vector<Figure> instances(int rounds);
/// 1, 20, 1000 and 5000 addresses: taking over and letting go.
std::vector<Figure> addresses(int rounds);

/// A node loses its link, or its check fails.
std::vector<Figure> fault(int rounds);
/// How evenly adverts come: many at rest, and a fast one on a busy machine.
std::vector<Figure> rhythm(int rounds);
/// A reload in the midst of 255 instances, without a change and with one.
std::vector<Figure> reload(int rounds);
/// From the address to the first instruction of a hook.
std::vector<Figure> hooks(int rounds);
/// 255 instances start, and nobody reads what they log.
std::vector<Figure> log(int rounds);
/// Ten thousand packets a second that change nothing.
std::vector<Figure> floods(int rounds);
/// Up to 2000 instances on several interfaces: what they cost, how long they take to move, and how that grows.
std::vector<Figure> many(int rounds);

/// How long the kernel takes to add so many addresses to an interface that are handed to it in one batch, and to
/// remove them.
struct AddressFloor {
  Duration adding, removing;
};
AddressFloor address_floor(int count);

/// Processor time for 1000 adverts that are sent and received so many at a time, by sendmmsg(2) and recvmmsg(2).
struct AdvertFloor {
  Duration sending, receiving;
};
AdvertFloor advert_floor(int at_a_time);

/// A server that is alone: how many of its addresses there are in the end, and when the last one came.
struct Started {
  int addresses = 0;
  Duration last{};  ///< from its start
};
/// Starts one behind the words `before`, and waits until all are there, `patience` at most.
Started start_alone(Program program, const Shape& shape, Duration patience,
                    const std::vector<std::string>& before = {});

/// At rest: processor time for 1000 adverts that `a` sends and `b` hears, in ms, if there are so many of them in so
/// long; and the memory of `a`, in MB.
void cost_of_adverts(Program program, const Rig& rig, double adverts, Duration measured, Figure& sending,
                     Figure& hearing, Figure& memory);

/// The times between adverts of the same VRID from a source, of those seen since then, in ms.
Samples gaps(lab::Sniffer& sniffer, const std::string& source, lab::WallTime since);
/// The address of `a` on eth0.
inline const std::string kSourceA = "192.0.2.1";

/// A place for scripts that both programs run, with one that stamps: it appends the time of its first instruction to a
/// record. Not below /tmp: vipd runs no script from there.
class Stamps {
 public:
  Stamps();
  std::filesystem::path directory() const { return directory_.path(); }
  /// What to run for a stamp; ends with `status`.
  std::string command(int status = 0) const;
  /// The first stamp since then.
  std::optional<lab::WallTime> first(lab::WallTime since) const;

 private:
  test::TemporaryDirectory directory_{"/var/lib"};
};

/// When an address came (`added`) to a node or left it, first at or after `since`; throws if it has not.
lab::WallTime moment_of(const lab::AddressMonitor& monitor, bool added, const std::string& address,
                        lab::WallTime since);

/// Runs `round` for each program in turn, `rounds` times: vipd, keepalived, vipd, …
void in_turn(int rounds, const std::function<void(Program)>& round);
inline Samples& of(Figure& figure, Program program) {
  return program == Program::vipd ? figure.vipd : figure.keepalived;
}

}  // namespace vipd::bench
