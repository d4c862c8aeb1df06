/// RtnlRequests: the socket by which vipd asks rtnetlink(7) and changes what it has, with libmnl.
///
/// rtnetlink works in the caller's context, so the answer is there when the send returns. The socket has no view of its
/// own: answers go into the NetworkView that the caller names. RtnlKernel (os/rtnl_kernel.hpp) decides what to ask.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "vipd/base/result.hpp"
#include "vipd/os/fd.hpp"
#include "vipd/os/kernel.hpp"

struct nlmsghdr;

namespace vipd {

/// Opens a socket that hears of changes in these groups (a bit mask of RTMGRP_*); with 0 it only asks. Fails with the
/// errno of socket(2) or bind(2).
Result<Fd> open_rtnl_socket(unsigned groups);
/// The routing table of a router may change a lot. The filter passes only routes with vipd's tag, and routes that
/// replace another one, which may have been vipd's. The kernel writes fields in host order and the filter reads
/// big-endian.
Result<void> filter_routes(int fd);

class RtnlRequests {
 public:
  /// The most objects of one change(): their acknowledgements fit any receive buffer.
  static constexpr std::size_t kMost = 64;

  /// Fails with the errno of socket(2) or bind(2).
  static Result<RtnlRequests> open();

  /// Reads all links and addresses, and vipd's routes and rules. Fails if changes interrupt it several times.
  Result<NetworkView> read_all();
  /// Reads the kernel's objects of the same kinds, and all addresses on the same interfaces.
  Result<NetworkView> read_like(std::span<const KernelObject> objects);
  /// Reads vipd's routes.
  Result<void> dump_routes(NetworkView& into);
  /// Adds or removes up to kMost objects in one datagram; `results` gets an errno for each, 0 for success. While they
  /// are removed, promote_secondaries is on for the interfaces `promoting`. Returns the errno of the send itself.
  int change(std::span<const KernelObject> objects, bool adding, std::span<const int> promoting,
             std::span<int> results);
  /// Sends up to two requests together, applies the answers to `view`, and returns the first errno.
  int send(std::span<nlmsghdr* const> messages, NetworkView& view);

 private:
  explicit RtnlRequests(Fd fd) : fd_(std::move(fd)) {}

  Result<void> ask_for(int type, int family);
  Result<void> dump(int type, int family, NetworkView& into);
  Result<void> dump_all(NetworkView& into);
  Result<void> dump_rules(NetworkView& into);
  Result<void> dump_like(std::span<const KernelObject> objects, NetworkView& into);
  static Result<NetworkView> read(const std::function<Result<void>(NetworkView&)>& dumps);

  Fd fd_;
  unsigned sequence_ = 0;
};

}  // namespace vipd
