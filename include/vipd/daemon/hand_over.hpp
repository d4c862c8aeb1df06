/// HandOver: the descriptors that a program leaves to its successor in the same process (`vipctl reexec`).
///
/// execve(2) keeps the process and every descriptor without close-on-exec; the environment names four of them. The lock
/// of the runtime directory stays locked, so no other vipd can begin meanwhile. Clients wait at the control socket. The
/// configuration in force makes the new program independent of the files and of every disk. It lies in sealed memory
/// (memfd_create(2)), so nobody can change it on the way. The previous program is the way back: a new program that
/// refuses the configuration gives the process back, and nothing has changed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "vipd/base/result.hpp"
#include "vipd/os/fd.hpp"

namespace vipd {

struct HandOver {
  Fd listener;              ///< the control socket
  Fd lock;                  ///< see lock_runtime_dir()
  Fd in_force;              ///< the configuration in force, as to_record() writes it
  Fd program;               ///< the program that hands over; empty if the process has been given back
  bool given_back = false;  ///< true if the program that was to take over has given the process back
};

/// The hand-over to this program, at the first call; nullopt if this program has replaced no other.
std::optional<HandOver> take_over();

/// A descriptor of memory that holds `text` and that nobody can change any more.
Result<Fd> in_sealed_memory(const std::string& text);
/// The text that in_sealed_memory() was given; "" if `memory` is not sealed memory.
std::string read_sealed_memory(const Fd& memory);

/// Runs the file `program` in this process and leaves `what` to it. Returns only if that fails, with the reason.
Error hand_over(const HandOver& what, const std::string& program, const std::vector<std::string>& arguments);
/// Runs the previous program, which has left `what`, in this process again and tells it so. Returns only if that fails.
Error give_back(HandOver what, const std::vector<std::string>& arguments);

}  // namespace vipd
