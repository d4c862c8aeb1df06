/// HookJournal: what hooks were being told when vipd ended, so that the next one can tell it again.
///
/// A file of records in the runtime directory: what each instance or sync group is being told, before its first program
/// is started, and that all of them have ended. A new vipd reads it once and begins another one. What was under way is
/// not known to have been done, so it is told again, once. A file that is damaged or of another version is passed over
/// with a message. Neither such a file nor a full disk keeps vipd from starting. Nothing waits for the disk: the
/// journal is for processes that die, and a machine that dies takes /run with it. Caller: HookQueue.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vipd/node/hook_event.hpp"
#include "vipd/os/store.hpp"

namespace vipd {

class HookJournal {
 public:
  /// Keeps nothing.
  HookJournal() = default;
  /// Reads the file `name` and begins it anew. The Store outlives this.
  HookJournal(Store& store, std::string name);

  /// What the vipd before began to tell, if it did not see the end of it; once.
  std::optional<HookEvent> take(const HookSubject& subject);

  /// The newest that is or will be told.
  void began(const HookSubject& subject, const HookEvent& event);
  /// All of it has been told.
  void ended(const HookSubject& subject);

  static constexpr std::size_t kLargest = 1 << 20;  ///< octets; then it is written anew, with what is under way

 private:
  using Events = std::map<std::string, HookEvent>;

  void read(const std::vector<std::string>& documents);
  void begin_anew();
  void give_up(const Error& error);
  void add(const std::string& document);

  Store* store_ = nullptr;
  std::string name_;
  std::unique_ptr<Store::File> file_;
  Loss loss_{"after a crash, hooks may not be told again"};
  Events left_;       // by the vipd before
  Events under_way_;  // of this one
};

}  // namespace vipd
