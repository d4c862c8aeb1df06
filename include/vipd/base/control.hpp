/// The control socket: the limits that both ends keep.
#pragma once

#include <cstddef>

namespace vipd {

/// The longest answer in octets, without its newline. It holds a status of thousands of instances, and the text of the
/// largest configuration.
inline constexpr std::size_t kLongestAnswer = std::size_t{32} << 20;

}  // namespace vipd
