/// HookJournal: what hooks were being told when vipd ended, so that the next one can tell it again.
///
/// A file of lines in the runtime directory: what each instance or sync group is being told, before its first program
/// is started, and that all of them have ended. A new vipd reads it once and begins another one. What was under way is
/// not known to have been done, so it is told again, once. A file of another version or with a line that is none is
/// passed over with a message: it never keeps vipd from starting, and neither does a full disk. Nothing is synced to
/// the disk: it is about processes that die, and a machine that dies takes /run with it. Caller: HookQueue.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "vipd/node/hook_event.hpp"
#include "vipd/os/fd.hpp"

namespace vipd {

class HookJournal {
 public:
  /// Reads what is at `path` and begins it anew; an empty path keeps nothing.
  explicit HookJournal(std::string path = "");

  /// What the vipd before began to tell, if it did not see the end of it; once.
  std::optional<HookEvent> take(const HookSubject& subject);

  /// The newest that is or will be told.
  void began(const HookSubject& subject, const HookEvent& event);
  /// All of it has been told.
  void ended(const HookSubject& subject);

  static constexpr std::size_t kLargest = 1 << 20;  ///< octets; then it is written anew, with what is under way

 private:
  using Events = std::map<std::string, HookEvent>;

  void read();
  void begin_anew();
  bool append(const std::string& line);

  std::string path_;
  Fd fd_;
  std::size_t size_ = 0;
  bool complained_ = false;
  Events left_;       // by the vipd before
  Events under_way_;  // of this one
};

}  // namespace vipd
