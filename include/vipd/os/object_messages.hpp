/// Object messages: the rtnetlink(7) requests that add or remove an address, a route or a rule, with our tag.
///
/// network_messages.hpp reads what the kernel reports; link_messages.hpp makes requests about links. RtnlKernel puts
/// many of these messages into one datagram.
#pragma once

#include <cstddef>

#include "vipd/base/kernel_object.hpp"

namespace vipd {

inline constexpr std::size_t kObjectMessageSize = 192;  ///< octets; the longest request fits

/// Writes one request to `buffer`, which has room for kObjectMessageSize octets and is aligned as an nlmsghdr. The
/// kernel answers only if the request fails. Returns the size of the message, a multiple of that alignment.
std::size_t put_object(void* buffer, const KernelObject& object, bool adding, unsigned sequence);

}  // namespace vipd
