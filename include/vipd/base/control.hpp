/// The control socket: what both of its ends hold to.
#pragma once

#include <cstddef>

namespace vipd {

/// Octets of the longest answer, its newline not counted. A status of thousands of instances fits, and so does the text
/// of the largest configuration.
inline constexpr std::size_t kLongestAnswer = std::size_t{32} << 20;

}  // namespace vipd
