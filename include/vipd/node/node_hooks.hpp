/// NodeHooks: what the hooks of all instances and sync groups of a node have in common.
///
/// The Runner that runs them; the programs of the directory hooks.d, which are told of every transition of all of them;
/// the notify FIFO, into which each transition goes at once, whatever the programs are at; the journal of what is being
/// told.
///
/// A router or group that leaves does not wait for its hooks: it hands its queue over, which is kept here until its
/// programs have ended. The next subject of the same name takes that queue up, so its hooks run behind those of the
/// one before. Owner: Supervisor. Callers: HookQueue, VirtualRouter, SyncGroup.
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

  /// Takes what `config` says of the whole node.
  void configure(const Config& config);

  /// The queue for a subject that begins: the one that a subject of this name has left behind, else a new one.
  /// `active`: the subject goes on as Active where an earlier vipd left off.
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
  std::vector<std::unique_ptr<HookQueue>> finishing_;  // of subjects that have left
};

}  // namespace vipd
