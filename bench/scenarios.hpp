/// The scenarios: each runs both programs in turn, round after round, in fresh namespaces, and returns its figures.
#pragma once

#include <vector>

#include "rig.hpp"
#include "support/temporary_directory.hpp"

namespace vipd::bench {

/// A server dies: the time beyond Active_Down_Interval (RFC 9568), counted from the last advert.
std::vector<Figure> failover(int rounds);
/// A server is stopped and returns with the higher priority: the loss of a client.
std::vector<Figure> planned(int rounds);
/// 1, 50 and 255 instances: processor time and memory.
std::vector<Figure> instances(int rounds);
/// 1, 20, 1000 and 5000 addresses: claim and release.
std::vector<Figure> addresses(int rounds);

/// A node loses its link, or its check fails.
std::vector<Figure> fault(int rounds);
/// How evenly adverts arrive: many instances on an idle machine, and a fast one on a busy machine.
std::vector<Figure> rhythm(int rounds);
/// A reload among 255 instances, without a change and with one.
std::vector<Figure> reload(int rounds);
/// From the change of the address to the first instruction of a hook.
std::vector<Figure> hooks(int rounds);
/// 255 instances start, and nobody reads the log.
std::vector<Figure> log(int rounds);
/// Ten thousand packets a second without effect.
std::vector<Figure> floods(int rounds);
/// Up to 2000 instances on several interfaces: their cost, how long they take to move, and how both grow.
std::vector<Figure> many(int rounds);

/// The kernel's own time to add this many addresses to an interface in one batch, and to remove them.
struct AddressFloor {
  Duration adding, removing;
};
AddressFloor address_floor(int count);

/// Processor time for 1000 adverts that are sent by sendmmsg(2) and received by recvmmsg(2), a batch at a time.
struct AdvertFloor {
  Duration sending, receiving;
};
AdvertFloor advert_floor(int at_a_time);

/// The start of a server without a peer: how many of its addresses are there at the end, and when the last one came.
struct Started {
  int addresses = 0;
  Duration last{};  ///< time from the start
};
/// Starts a server, its command after the words `before`, and waits until all addresses are there, up to `patience`.
Started start_alone(Program program, const Shape& shape, Duration patience,
                    const std::vector<std::string>& before = {});

/// On an idle machine: processor time in ms for 1000 adverts that `a` sends and `b` receives, and the memory of `a` in
/// MB. `adverts` is the number of adverts in the time `measured`.
void cost_of_adverts(Program program, const Rig& rig, double adverts, Duration measured, Figure& sending,
                     Figure& hearing, Figure& memory);

/// The times in ms between adverts of the same VRID from a source, for adverts seen at or after `since`.
Samples gaps(lab::Sniffer& sniffer, const std::string& source, lab::WallTime since);
/// The address of `a` on eth0.
inline const std::string kSourceA = "192.0.2.1";

/// A directory for scripts that both programs run, with a script that appends the time of its first instruction to a
/// record. It is not below /tmp, because vipd runs no script from there.
class Stamps {
 public:
  Stamps();
  std::filesystem::path directory() const { return directory_.path(); }
  /// The command for a stamp; it exits with `status`.
  std::string command(int status = 0) const;
  /// The first stamp at or after `since`; nullopt without one.
  std::optional<lab::WallTime> first(lab::WallTime since) const;

 private:
  test::TemporaryDirectory directory_{"/var/lib"};
};

/// When an address came to a node (`added`) or left it, first at or after `since`; throws if it did not.
lab::WallTime moment_of(const lab::AddressMonitor& monitor, bool added, const std::string& address,
                        lab::WallTime since);

/// Runs `round` for each program in turn, `rounds` times: vipd, keepalived, vipd, …
void in_turn(int rounds, const std::function<void(Program)>& round);
inline Samples& of(Figure& figure, Program program) {
  return program == Program::vipd ? figure.vipd : figure.keepalived;
}

}  // namespace vipd::bench
