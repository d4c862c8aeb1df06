#include "vipd/node/hook_journal.hpp"

#include <fcntl.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "vipd/os/json.hpp"
#include "vipd/os/log.hpp"
#include "vipd/os/state_file.hpp"

namespace vipd {
namespace {

const std::string kHead = to_text({{"schema", "vipd.hook-journal/1"}});

std::string key_of(const HookSubject& subject) { return (subject.group ? "group " : "instance ") + subject.name; }

std::string began_line(const std::string& key, const HookEvent& event) {
  return to_text({{"began", key},
                  {"state", to_string(event.state)},
                  {"old_state", event.old_state},
                  {"reason", event.reason},
                  {"priority", event.priority},
                  {"peer", event.peer},
                  {"sequence", event.sequence}}) +
         "\n";
}

/// Throws if the line is not one of ours.
HookEvent event_of(const Json& line) {
  const auto state = parse_hook_state(line.at("state").get<std::string>());
  return {.state = state.value(),
          .old_state = line.at("old_state"),
          .reason = line.at("reason"),
          .priority = integer_at<std::uint8_t>(line, "priority"),
          .peer = line.at("peer"),
          .sequence = integer_at<std::uint64_t>(line, "sequence"),
          .again = true};
}

}  // namespace

HookJournal::HookJournal(std::string path) : path_(std::move(path)) {
  if (path_.empty()) return;
  read();
  begin_anew();
}

/// A last line that was not finished is one that was never begun.
void HookJournal::read() {
  std::istringstream file(read_state_file(path_));
  std::string line;
  if (!std::getline(file, line)) return;
  Events events;
  try {
    if (line != kHead) throw std::runtime_error("it is of another version");
    while (std::getline(file, line) && !file.eof()) {
      const Json what = parse_json(line);
      if (what.contains("began"))
        events[what.at("began")] = event_of(what);
      else
        events.erase(what.at("ended").get<std::string>());
    }
    left_ = std::move(events);
  } catch (const std::exception& error) {
    log_warning("{} is passed over, hooks that were under way are not told again: {}", path_, error.what());
  }
}

void HookJournal::begin_anew() {
  std::string text = kHead + "\n";
  for (const auto& [key, event] : under_way_) text += began_line(key, event);
  const std::string temporary = path_ + ".new";
  fd_ = create_state_file(temporary, O_APPEND);
  size_ = 0;
  if (append(text) && rename_state_file(temporary, path_)) return;
  fd_ = Fd();
  size_ = kLargest + 1;
}

/// After a failure, and perhaps half a line, the next event begins the file anew.
bool HookJournal::append(const std::string& line) {
  size_ += line.size();
  if (fd_ && ::write(fd_.get(), line.data(), line.size()) == static_cast<ssize_t>(line.size())) return true;
  size_ = kLargest + 1;
  if (!std::exchange(complained_, true))
    log_warning("cannot write {}: {}; after a crash, hooks may not be told again", path_, std::strerror(errno));
  return false;
}

std::optional<HookEvent> HookJournal::take(const HookSubject& subject) {
  const auto left = left_.extract(key_of(subject));
  return left ? std::optional(left.mapped()) : std::nullopt;
}

void HookJournal::began(const HookSubject& subject, const HookEvent& event) {
  if (path_.empty()) return;
  under_way_[key_of(subject)] = event;
  if (size_ > kLargest) return begin_anew();
  append(began_line(key_of(subject), event));
}

void HookJournal::ended(const HookSubject& subject) {
  if (under_way_.erase(key_of(subject)) > 0) append(to_text({{"ended", key_of(subject)}}) + "\n");
}

}  // namespace vipd
