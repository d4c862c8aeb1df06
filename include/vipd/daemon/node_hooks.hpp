/// NodeHooks: what the hooks of all instances and sync groups of a node have in common.
///
/// The Runner that runs them; the programs of the directory hooks.d, which are told of every transition of all of them;
/// the notify FIFO, into which each transition goes at once, whatever the programs are at; the journal of what is being
/// told. Owner: Supervisor. Caller:
/// HookQueue.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vipd/config/config.hpp"
#include "vipd/daemon/hook_journal.hpp"
#include "vipd/os/notify_fifo.hpp"
#include "vipd/os/runner.hpp"

namespace vipd {

class NodeHooks {
 public:
  /// `journal` is the path of the HookJournal; empty = none.
  explicit NodeHooks(Runner& runner, const std::string& journal = "") : runner_(runner), journal_(journal) {}

  /// Takes what `config` says of the whole node.
  void configure(const Config& config);

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
};

}  // namespace vipd
