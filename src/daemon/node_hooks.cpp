#include "vipd/daemon/node_hooks.hpp"

namespace vipd {

void NodeHooks::configure(const Config& config) {
  programs_ = config.hooks_d;
  if (fifo_.path() != config.notify_fifo) fifo_ = NotifyFifo(config.notify_fifo);
}

}  // namespace vipd
