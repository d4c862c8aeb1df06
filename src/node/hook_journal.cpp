#include "vipd/node/hook_journal.hpp"

#include <span>
#include <stdexcept>
#include <utility>

#include "vipd/os/json.hpp"
#include "vipd/os/log.hpp"

namespace vipd {
namespace {

const std::string kHead = to_text({{"schema", "vipd.hook-journal/1"}});

std::string key_of(const HookSubject& subject) { return (subject.group ? "group " : "instance ") + subject.name; }

std::string began_text(const std::string& key, const HookEvent& event) {
  return to_text({{"began", key},
                  {"state", to_string(event.state)},
                  {"old_state", event.old_state},
                  {"reason", event.reason},
                  {"priority", event.priority},
                  {"peer", event.peer},
                  {"sequence", event.sequence}});
}

/// The event in a document. Throws if the document is not one of the journal.
HookEvent event_of(const Json& what) {
  const auto state = parse_hook_state(what.at("state").get<std::string>());
  return {.state = state.value(),
          .old_state = what.at("old_state"),
          .reason = what.at("reason"),
          .priority = integer_at<std::uint8_t>(what, "priority"),
          .peer = what.at("peer"),
          .sequence = integer_at<std::uint64_t>(what, "sequence"),
          .again = true};
}

/// The lines of a journal of vipd 0.1.0, which has no records. An unfinished last line is left out.
std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  for (std::size_t end = 0; (end = text.find('\n')) != text.npos; text.remove_prefix(end + 1))
    lines.emplace_back(text.substr(0, end));
  return lines;
}

/// The documents of the file in their order. Throws if the file is damaged; a torn last record is left out.
std::vector<std::string> documents_in(const Records& file) {
  if (file.whole.empty()) return lines_of(file.rest);
  if (file.ending == Ending::damaged) throw std::runtime_error("it is damaged");
  std::vector<std::string> documents;
  for (const Record& record : file.whole) documents.push_back(record.payload);
  return documents;
}

}  // namespace

HookJournal::HookJournal(Store& store, std::string name) : store_(&store), name_(std::move(name)) {
  try {
    read(documents_in(store.read(name_).value_or(Records())));
  } catch (const std::exception& error) {
    log_warning("{} is passed over, hooks that were under way are not told again: {}", name_, error.what());
  }
  begin_anew();
}

void HookJournal::read(const std::vector<std::string>& documents) {
  if (documents.empty()) return;
  if (documents.front() != kHead) throw std::runtime_error("it is of another version");
  Events events;
  for (const std::string& document : std::span(documents).subspan(1)) {
    const Json what = parse_json(document);
    if (what.contains("began"))
      events[what.at("began")] = event_of(what);
    else
      events.erase(what.at("ended").get<std::string>());
  }
  left_ = std::move(events);
}

void HookJournal::begin_anew() {
  std::vector<Record> records = {{kHead}};
  for (const auto& [key, event] : under_way_) records.push_back({began_text(key, event)});
  auto file = store_->begin_anew(name_, records);
  if (!file) return give_up(file.error());
  file_ = std::move(*file);
}

/// Closes the file after an error; the next event begins it anew.
void HookJournal::give_up(const Error& error) {
  loss_.log(error);
  file_.reset();
}

/// Adds `document` to the file, or begins the file anew with the transitions under way.
void HookJournal::add(const std::string& document) {
  if (store_ == nullptr) return;
  if (!file_ || file_->size() > kLargest) return begin_anew();
  if (const auto added = file_->append({document}); !added) give_up(added.error());
}

std::optional<HookEvent> HookJournal::take(const HookSubject& subject) {
  const auto left = left_.extract(key_of(subject));
  return left ? std::optional(left.mapped()) : std::nullopt;
}

void HookJournal::began(const HookSubject& subject, const HookEvent& event) {
  if (store_ == nullptr) return;
  under_way_[key_of(subject)] = event;
  add(began_text(key_of(subject), event));
}

void HookJournal::ended(const HookSubject& subject) {
  if (under_way_.erase(key_of(subject)) > 0) add(to_text({{"ended", key_of(subject)}}));
}

}  // namespace vipd
