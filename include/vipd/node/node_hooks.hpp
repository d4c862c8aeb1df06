/// NodeHooks: the parts that the hooks of all instances and sync groups of a node share.
///
/// These are the Runner, the programs of hooks.d, the notify FIFO and the HookJournal. The programs of hooks.d are told
/// of each transition of all instances and groups. The FIFO gets each transition at once, whatever programs run.
///
/// A router or group that leaves does not wait for its hooks: it hands over its queue, which is kept here until its
/// programs have ended. The next subject of the same name takes over that queue, so its hooks run after those of its
/// predecessor.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vipd/config/config.hpp"
#include "vipd/node/hook_event.hpp"
#include "vipd/node/hook_journal.hpp"
#include "vipd/os/notify_fifo.hpp"
#include "vipd/os/runner.hpp"

namespace vipd {

class HookQueue;

class NodeHooks {
 public:
  explicit NodeHooks(Runner& runner, HookJournal journal = {});
  ~NodeHooks();
  NodeHooks(const NodeHooks&) = delete;
  NodeHooks& operator=(const NodeHooks&) = delete;

  /// Adopts the settings of the whole node from `config`.
  void configure(const Config& config);

  /// The queue for a subject that begins: the queue of an earlier subject of this name, or a new one. `active` is true
  /// if the subject goes on as Active from a previous run.
  std::unique_ptr<HookQueue> open(HookSubject subject, SharedHooks settings, bool active = false);
  /// Keeps the queue of a subject that has left until its programs have ended.
  void finish(std::unique_ptr<HookQueue> queue);
  /// True while no subject that has left has programs to run.
  bool finished() const;

  Runner& runner() { return runner_; }
  /// The programs of hooks.d, in order.
  const std::vector<std::string>& programs() const { return programs_; }
  NotifyFifo& fifo() { return fifo_; }
  const NotifyFifo& fifo() const { return fifo_; }
  HookJournal& journal() { return journal_; }

 private:
  Runner& runner_;
  std::vector<std::string> programs_;
  NotifyFifo fifo_;
  HookJournal journal_;
  std::vector<std::unique_ptr<HookQueue>> finishing_;  // queues of subjects that have left
};

}  // namespace vipd
