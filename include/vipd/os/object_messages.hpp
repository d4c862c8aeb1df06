/// Object messages: the rtnetlink(7) requests that add or remove an address, a route or a rule, with our tag.
///
/// Their counterparts are network_messages.hpp, what the kernel says, and link_messages.hpp, requests about links.
/// Caller: RtnlKernel, which puts many into one datagram.
#pragma once

#include <cstddef>

#include "vipd/base/kernel_object.hpp"

namespace vipd {

inline constexpr std::size_t kObjectMessageSize = 192;  ///< octets; no request is larger

/// Writes one request, answered only if it fails, to `buffer`, which has room for kObjectMessageSize octets and is
/// aligned as an nlmsghdr. Returns its size, a multiple of that alignment.
std::size_t put_object(void* buffer, const KernelObject& object, bool adding, unsigned sequence);

}  // namespace vipd
