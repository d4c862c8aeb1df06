#include "vipd/node/node_hooks.hpp"

#include <algorithm>
#include <utility>

#include "vipd/node/hook_queue.hpp"

namespace vipd {

NodeHooks::NodeHooks(Runner& runner, HookJournal journal) : runner_(runner), journal_(std::move(journal)) {}
NodeHooks::~NodeHooks() = default;

void NodeHooks::configure(const Config& config) {
  programs_ = config.hooks_d;
  if (fifo_.path() != config.notify_fifo) fifo_ = NotifyFifo(config.notify_fifo);
}

std::unique_ptr<HookQueue> NodeHooks::open(HookSubject subject, SharedHooks settings, bool active) {
  std::erase_if(finishing_, [](const auto& queue) { return queue->idle(); });
  const auto left = std::ranges::find_if(finishing_, [&](const auto& queue) {
    return queue->subject().group == subject.group && queue->subject().name == subject.name;
  });
  if (left == finishing_.end())
    return std::make_unique<HookQueue>(*this, std::move(subject), std::move(settings), active);
  auto queue = std::move(*left);
  finishing_.erase(left);
  queue->reconfigure(std::move(subject), std::move(settings));
  return queue;
}

void NodeHooks::finish(std::unique_ptr<HookQueue> queue) {
  std::erase_if(finishing_, [](const auto& each) { return each->idle(); });
  if (!queue->idle()) finishing_.push_back(std::move(queue));
}

bool NodeHooks::finished() const {
  return std::ranges::all_of(finishing_, [](const auto& queue) { return queue->idle(); });
}

}  // namespace vipd
