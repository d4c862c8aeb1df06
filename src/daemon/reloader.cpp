#include "vipd/daemon/reloader.hpp"

#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "vipd/os/log.hpp"

namespace vipd {
namespace {

/// Not a Duration: what a client asks for may be no number of nanoseconds.
constexpr std::chrono::milliseconds kLongestTrial = std::chrono::hours(24);

/// "priority 254 -> 200", "joins group edge".
std::vector<std::string> news_of(const InstanceChange& change) {
  std::vector<std::string> news;
  if (change.fate == Fate::changed || change.fate == Fate::restarted)
    for (const KeyChange& key : change.keys)
      news.push_back(std::string(key.key) + " " + (key.before.empty() ? "unset" : key.before) + " -> " +
                     (key.after.empty() ? "unset" : key.after));
  if (!change.leaves.empty()) news.push_back("leaves group " + change.leaves);
  if (!change.joins.empty()) news.push_back("joins group " + change.joins);
  return news;
}

/// "web: changed: priority 254 -> 200: would hand over", "web: joins group edge".
std::string line_of(const InstanceChange& change, const std::string& effect) {
  const bool only_moves = change.fate == Fate::changed && change.keys.empty();
  std::string line = change.name + (only_moves ? "" : ": " + std::string(to_string(change.fate)));
  const char* before = ": ";
  for (const std::string& news : news_of(change)) line += std::exchange(before, ", ") + news;
  return effect.empty() ? line : line + ": " + effect;
}

/// What a change leads to, in the words of a plan and of a report.
struct Effect {
  std::string would, does;  ///< both empty if nothing is known of it
};

Effect effect_on(const std::string& would, const std::string& does, const IpAddress& peer) {
  return {would + " " + peer.to_string(), does + " " + peer.to_string()};
}

/// What another priority leads to, as far as peers have been heard.
Effect effect_of_priority(const VirtualRouter& router, int priority) {
  if (router.election().state() == State::active) {
    const auto rival = std::ranges::max_element(router.peers().peers(), {}, &SeenPeer::priority);
    const bool loses = rival != router.peers().peers().end() && rival->priority > priority;
    return loses ? effect_on("would hand over to", "hands over to", rival->address) : Effect{};
  }
  const auto& peer = router.election().active_peer();
  const bool wins = peer && peer->priority != kResignPriority && priority > peer->priority && router.config().preempt;
  return wins ? effect_on("would take over from", "takes over from", peer->address) : Effect{};
}

/// What a change does to the addresses.
Effect effect_of(const InstanceChange& change, const Supervisor& supervisor) {
  const VirtualRouter* router = supervisor.find(change.name);
  if (router == nullptr) return {};
  const bool active = router->election().state() == State::active;
  if (change.fate == Fate::removed)
    return active ? Effect{"would send priority 0 and hand over", "sends priority 0 and hands over"} : Effect{};
  if (change.fate == Fate::restarted)
    return active ? Effect{"would send priority 0, hand over and start anew",
                           "sends priority 0, hands over and starts anew"}
                  : Effect{};
  const auto priority = std::ranges::find(change.keys, "priority", &KeyChange::key);
  return priority == change.keys.end() ? Effect{} : effect_of_priority(*router, std::stoi(priority->after));
}

Json keys_of(const std::vector<KeyChange>& keys) {
  Json list = Json::array();
  for (const KeyChange& key : keys) list.push_back({{"key", key.key}, {"before", key.before}, {"after", key.after}});
  return list;
}

Json diagnostics_of(const LoadedConfig& loaded) {
  Json list = Json::array();
  for (const Diagnostic& one : loaded.diagnostics)
    list.push_back({{"severity", one.severity == Severity::error ? "error" : "warning"},
                    {"kind", one.kind},
                    {"file", loaded.sources[static_cast<std::size_t>(one.file)].name},
                    {"line", one.line},
                    {"column", one.column},
                    {"message", one.message},
                    {"hint", one.hint}});
  return list;
}

/// What was read: is it valid, and what is to be said about it.
Json verdict_on(const Result<LoadedConfig>& loaded, const char* schema) {
  Json document{{"schema", schema}, {"valid", loaded && loaded->config != nullptr}};
  document["diagnostics"] = loaded ? diagnostics_of(*loaded) : Json::array();
  document["report"] = loaded ? loaded->report(false) : loaded.error().message + "\n";
  return document;
}

/// `what` it is: "instance", "sync_group", "check" or "table"; `prefix` is what its line begins with.
Json change_document(const char* what, const InstanceChange& change, const std::string& effect, const char* prefix) {
  return {{what, change.name},
          {"change", to_string(change.fate)},
          {"effect", effect.empty() ? Json(nullptr) : Json(effect)},
          {"keys", keys_of(change.keys)},
          {"text", prefix + line_of(change, effect)}};
}

/// `words`: of a plan, or of what is being done.
Json document_of(const Plan& changes, const Supervisor& supervisor, std::string Effect::* words) {
  Json list = Json::array();
  if (!changes.node.empty()) list.push_back(change_document("table", {Fate::changed, "node", changes.node}, "", ""));
  for (const InstanceChange& change : changes.instances)
    list.push_back(change_document("instance", change, effect_of(change, supervisor).*words, ""));
  for (const InstanceChange& change : changes.sync_groups)
    list.push_back(change_document("sync_group", change, "", "group "));
  for (const InstanceChange& change : changes.checks) list.push_back(change_document("check", change, "", "check "));
  return list;
}

}  // namespace

Reloader::Reloader(EventLoop& loop, Worker& worker, Supervisor& supervisor, Lifecycle& life, const Paths& paths,
                   Load load, LoadedConfig running)
    : loop_(loop),
      worker_(worker),
      supervisor_(supervisor),
      life_(life),
      in_force_(paths.in_force),
      unconfirmed_(paths.unconfirmed),
      load_(std::move(load)),
      running_(std::move(running)) {
  tell_runner();
  keep();
}

std::optional<Json> Reloader::answer(const Json& request) {
  const std::string verb = request["verb"];
  if (verb == "diff") return diff();
  if (verb == "confirm") return confirm();
  if (verb != "reload") return std::nullopt;
  if (!request.contains("confirm_ms")) return reload(std::nullopt);
  const Json& wanted = request["confirm_ms"];
  const std::int64_t length = wanted.is_number_integer() ? wanted.get<std::int64_t>() : 0;
  if (length < 1000 || std::chrono::milliseconds(length) > kLongestTrial)
    return error_document("the time to confirm a reload must be 1s..24h");
  return reload(std::chrono::milliseconds(length));
}

Json Reloader::diff() const {
  const auto loaded = load_(running_);
  Json document = verdict_on(loaded, "vipd.diff/1");
  document["changes"] = loaded && loaded->config
                            ? document_of(plan(*running_.config, *loaded->config), supervisor_, &Effect::would)
                            : Json::array();
  return document;
}

Json Reloader::reload(std::optional<Duration> length) {
  auto loaded = load_(running_);
  Json document = verdict_on(loaded, "vipd.reload/1");
  if (!loaded || !loaded->config) {
    log_error("reload refused, the configuration in force stays:\n{}", document["report"].get<std::string>());
    document["changes"] = Json::array();
    return document;
  }
  auto trial = trial_of(*loaded, length);
  if (!trial) {
    log_error("reload refused, the configuration in force stays: {}", trial.error().message);
    return error_document("reload refused: " + trial.error().message);
  }
  trial_ = *std::move(trial);
  const LoadedConfig before = std::exchange(running_, *std::move(loaded));
  document["changes"] = follow(before);
  if (trial_)
    (void)life_.take(LifeEvent::trial_begun);
  else if (life_.phase() == Phase::on_trial)
    (void)life_.take(LifeEvent::trial_undone);
  document["on_trial"] = trial_.has_value();
  if (trial_) {
    const Duration left = trial_->ends - loop_.now();
    document["confirm_within_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(left).count();
    log_info("reload: goes back in {} unless it is confirmed", format_duration(left));
  }
  return document;
}

Json Reloader::follow(const LoadedConfig& before) {
  Json changes = Json::array();
  if (before.hash != running_.hash) older_.insert(older_.begin(), before.hash);
  tell_runner();
  if (running_.overrides != before.overrides) say_overrides(running_);
  if (running_.config == before.config || *running_.config == *before.config) {
    running_.config = before.config;  // which all others have
    log_info("reload: nothing has changed");
  } else {
    changes = document_of(plan(*before.config, *running_.config), supervisor_, &Effect::does);
    for (const Json& change : changes) log_info("reload: {}", change["text"].get<std::string>());
    supervisor_.apply(running_.config, loop_.now());
    ::malloc_trim(0);  // as after a start
  }
  if (!is_kept_ || running_.sources != before.sources) keep();
  return changes;
}

Result<std::optional<Reloader::Trial>> Reloader::trial_of(const LoadedConfig& tried, std::optional<Duration> length) {
  const LoadedConfig& confirmed = trial_ ? trial_->before : running_;
  if ((!trial_ && !length) || *tried.config == *confirmed.config) {
    if (const auto dropped = unconfirmed_.drop(); !dropped) return std::unexpected(dropped.error());
    return std::nullopt;
  }
  const TimePoint ends = length ? loop_.now() + *length : trial_->ends;
  auto timer = loop_.after(ends - loop_.now(), [this] { give_up_trial(); });
  if (!timer) return std::unexpected(timer.error());
  if (const auto kept = unconfirmed_.keep(tried.sources, confirmed.sources); !kept)
    return std::unexpected(kept.error());
  return Trial{confirmed, ends, std::move(*timer)};
}

/// The files still say what was given up, so the next vipd has to know of it: unconfirmed_ stays.
void Reloader::give_up_trial() {
  if (!life_.take(LifeEvent::trial_expired)) return;
  log_warning(
      "reload: not confirmed in time; going back to the configuration before, though the files say another one");
  const LoadedConfig given_up = std::exchange(running_, std::move(trial_->before));
  trial_.reset();
  follow(given_up);
}

Json Reloader::confirm() {
  if (const auto dropped = unconfirmed_.drop(); !dropped)
    return error_document("not confirmed: " + dropped.error().message);
  (void)life_.take(LifeEvent::confirm);
  trial_.reset();
  tell_runner();
  log_info("reload: confirmed");
  return {{"schema", "vipd.confirm/1"}, {"confirmed", true}};
}

void Reloader::stop() {
  if (trial_) log_warning("a reload is not confirmed; the next start takes the configuration before it");
  trial_.reset();
}

std::optional<TimePoint> Reloader::trial_ends() const { return trial_ ? std::optional(trial_->ends) : std::nullopt; }

void Reloader::forget_older() {
  if (!has_older_ || !supervisor_.clear()) return;
  has_older_ = false;
  worker_.give([in_force = in_force_]() mutable {
    in_force.drop_older();
    return [] {};
  });
  if (!std::exchange(older_, {}).empty()) tell_runner();
}

/// To keep it is a convenience; without it everything else goes on. A disk may take seconds to write.
void Reloader::keep() {
  is_kept_ = has_older_ = true;
  const std::string time = format_rfc3339(std::chrono::system_clock::now());
  worker_.give([this, in_force = in_force_, sources = running_.sources, time]() mutable {
    return [this, kept = in_force.keep(sources, time)] {
      is_kept_ = kept.has_value();
      if (!kept) log_warning("{}: after a crash, what the files no longer mention may be left", kept.error().message);
    };
  });
}

void Reloader::tell_runner() {
  std::vector<std::string> hashes = {running_.hash};
  const auto add = [&](const std::string& hash) {
    if (std::ranges::find(hashes, hash) == hashes.end()) hashes.push_back(hash);
  };
  if (trial_) add(trial_->before.hash);
  for (const std::string& hash : older_) add(hash);
  supervisor_.runner().serve(hashes);
}

}  // namespace vipd
