#include "vipd/node/removals.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "vipd/os/log.hpp"

namespace vipd {
namespace {

/// What could not be removed is tried again this often; what waits for that is gone within the same 50 ms.
constexpr auto kStuckGap = std::chrono::milliseconds(25);

}  // namespace

void Removals::remove(const std::vector<KernelObject>& objects) {
  const auto results = kernel_.remove(objects);
  for (std::size_t i = 0; i < objects.size(); ++i)
    if (results[i] != 0) {
      log_error("cannot remove {}: {}; it is tried again until it is gone", describe(objects[i]),
                std::strerror(results[i]));
      stuck_.push_back(objects[i]);
      next_try_ = TimePoint();
    }
}

void Removals::leave(const std::vector<KernelObject>& objects, const std::vector<IpAddress>& accepted) {
  leaving_.insert(leaving_.begin(), objects.rbegin(), objects.rend());
  accepted_.insert(accepted_.end(), accepted.begin(), accepted.end());
}

void Removals::remove_some(std::size_t most, const IsHeld& is_held) {
  std::vector<KernelObject> next;
  while (!leaving_.empty() && next.size() < most) {
    if (!is_held(leaving_.back())) next.push_back(std::move(leaving_.back()));
    leaving_.pop_back();
  }
  remove(next);
  if (leaving_.empty() && !accepted_.empty()) accept(std::exchange(accepted_, {}));
}

void Removals::try_again(std::vector<KernelObject> strays, const IsHeld& is_held, TimePoint now) {
  for (KernelObject& object : std::exchange(stuck_, {})) {
    const bool is_others = kernel_.view().has(object) && !kernel_.view().has_tagged(object);
    if (!is_others && !is_held(object) && std::ranges::find(strays, object) == strays.end())
      strays.push_back(std::move(object));
  }
  next_try_ = kNever;
  if (strays.empty()) return;
  const auto results = kernel_.remove(strays);
  for (std::size_t i = 0; i < strays.size(); ++i)
    if (results[i] != 0) stuck_.push_back(std::move(strays[i]));
  if (!stuck_.empty()) next_try_ = now + kStuckGap;
}

void Removals::accept(const std::vector<IpAddress>& addresses) {
  if (const auto accepted = kernel_.accept_packets(addresses); !accepted) log_error("{}", accepted.error().message);
}

}  // namespace vipd
