/// HookJournal: the transitions whose hooks were running when vipd ended, so that the next run can tell them again.
///
/// The journal is a file of records in the runtime directory. One record is written before the first program of a
/// transition starts, and another one when all its programs have ended. A new vipd reads the file once and begins a new
/// one. A transition whose hooks were under way may not have been told completely, so its hooks run again, once.
///
/// A file that is damaged or of another version is skipped with a message. Neither such a file nor a full disk stops
/// vipd from starting. No caller waits for the disk: the journal is for processes that die, and a machine that dies
/// loses /run anyway.
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
  /// A journal that keeps nothing.
  HookJournal() = default;
  /// Reads the file `name` and begins it anew. `store` outlives the journal.
  HookJournal(Store& store, std::string name);

  /// The transition that the previous run began to tell and did not end; returns it once.
  std::optional<HookEvent> take(const HookSubject& subject);

  /// Records the newest transition that is or will be told.
  void began(const HookSubject& subject, const HookEvent& event);
  /// Records that the transition has been told to its end.
  void ended(const HookSubject& subject);

  static constexpr std::size_t kLargest = 1 << 20;  ///< octets; a longer file is written anew

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
  Events left_;       // transitions of the previous run
  Events under_way_;  // transitions of this run
};

}  // namespace vipd
