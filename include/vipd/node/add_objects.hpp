/// add_objects: adds objects to the kernel, and once more those for which it had no memory.
///
/// Want of memory, or of room to answer, may be over already. Then the peer need not take over.
#pragma once

#include <vector>

#include "vipd/os/kernel.hpp"

namespace vipd {

/// Returns an errno for each of `objects`: 0 for what was added, EEXIST for what was there.
std::vector<int> add_objects(Kernel& kernel, const std::vector<KernelObject>& objects);

}  // namespace vipd
