#include "vipd/node/add_objects.hpp"

#include <cerrno>

namespace vipd {

std::vector<int> add_objects(Kernel& kernel, const std::vector<KernelObject>& objects) {
  std::vector<int> results = kernel.add(objects);
  std::vector<std::size_t> failed;
  for (std::size_t i = 0; i < objects.size(); ++i)
    if (results[i] == ENOBUFS || results[i] == ENOMEM) failed.push_back(i);
  if (failed.empty()) return results;
  std::vector<KernelObject> again;
  for (const std::size_t i : failed) again.push_back(objects[i]);
  const auto second = kernel.add(again);
  for (std::size_t nth = 0; nth < failed.size(); ++nth) {
    const bool was_made = second[nth] == EEXIST && !kernel.view().has(again[nth]);  // and only the answer was lost
    results[failed[nth]] = was_made ? 0 : second[nth];
  }
  return results;
}

}  // namespace vipd
