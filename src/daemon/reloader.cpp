#include "vipd/daemon/reloader.hpp"

#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "vipd/daemon/change_document.hpp"
#include "vipd/os/log.hpp"

namespace vipd {
namespace {

/// `text`, shortened for a line of the log: it may name thousands of addresses.
std::string for_log(const std::string& text) {
  constexpr std::size_t kMost = 2000;
  return text.size() <= kMost ? text : text.substr(0, kMost) + " ... (`vipctl diff` shows a change before it is made)";
}

}  // namespace
Reloader::Reloader(EventLoop& loop, Workers workers, Supervisor& supervisor, Lifecycle& life, Kept kept, Load load,
                   LoadedConfig running)
    : loop_(loop),
      workers_(workers),
      supervisor_(supervisor),
      life_(life),
      in_force_(std::move(kept.in_force)),
      unconfirmed_(std::move(kept.unconfirmed)),
      has_unconfirmed_(unconfirmed_.exists()),
      on_disk_(running.on_disk),
      load_(std::move(load)),
      running_(std::make_shared<const LoadedConfig>(std::move(running))) {
  tell_runner();
  keep();
}

void Reloader::diff(const Reply& reply) { ask({.event = LifeEvent::diff, .reply = reply}); }

void Reloader::confirm(const Reply& reply) { ask({.event = LifeEvent::confirm, .reply = reply}); }

/// Signals may come faster than files are read: only one SIGHUP waits, and it reads the files as they are then.
void Reloader::reload(std::optional<Duration> trial, Reply reply) {
  const bool one_waits = !reply && jobs_.size() > 1 && !jobs_.back().reply;
  if (!one_waits) ask({.event = LifeEvent::reload, .reply = std::move(reply), .trial = trial});
}

void Reloader::prepare_reexec(std::function<Json()> answer, Reply reply) {
  ask({.event = LifeEvent::reexec, .reply = std::move(reply), .answer = std::move(answer)});
}

void Reloader::ask(Job job) {
  jobs_.push_back(std::move(job));
  if (jobs_.size() == 1) go_on();
}

void Reloader::go_on() {
  while (!busy_ && !jobs_.empty())
    if (!is_refused(jobs_.front().event)) begin();
}

/// Answers the first job if the Lifecycle does not allow it.
bool Reloader::is_refused(LifeEvent event) {
  const auto allowed = life_.allows(event);
  if (allowed) return false;
  if (!jobs_.front().reply) log_warning("SIGHUP: no reload: {}", allowed.error().message);
  finish(error_document(allowed.error().message));
  return true;
}

void Reloader::begin() {
  busy_ = true;
  ++turn_;
  const Job& job = jobs_.front();
  if (job.event == LifeEvent::confirm)
    begin_confirm();
  else if (job.event == LifeEvent::reexec)
    finish(job.answer());
  else
    read();
}

/// Ends the first job with its answer.
void Reloader::finish(Json answer) {
  const Job job = std::move(jobs_.front());
  jobs_.pop_front();
  busy_ = false;
  if (job.reply) job.reply(std::move(answer));
}

Reloader::Changes Reloader::changes_between(const LoadedConfig& before, const LoadedConfig& after) {
  if (before.config == after.config || *before.config == *after.config) return {};
  Plan changes = plan(*before.config, *after.config);
  Json list = document_of(changes);
  return {.none = false, .plan = std::move(changes), .list = std::move(list)};
}

/// Reads, judges and compares the files. It runs in the reader's thread.
Reloader::Judged Reloader::judge(const Load& load, SharedLoaded base, SharedLoaded confirmed) {
  Judged judged{.base = std::move(base), .loaded = {}, .answer = {}, .changes = {}, .way_back = {}};
  auto loaded = load(*judged.base);
  judged.answer = {{"valid", loaded && loaded->config},
                   {"diagnostics", loaded ? diagnostics_of(*loaded) : Json::array()},
                   {"report", loaded ? loaded->report(false) : loaded.error().message + "\n"}};
  if (!loaded) return judged;
  judged.says_the_same = say_the_same(*loaded, *judged.base);
  const bool usable = loaded->config != nullptr;
  if (usable) judged.changes = changes_between(*judged.base, *loaded);
  if (usable && judged.changes.none) loaded->config = judged.base->config;  // which all routers share
  if (usable) judged.way_back = changes_between(*loaded, *confirmed);
  judged.loaded = std::make_shared<const LoadedConfig>(*std::move(loaded));
  return judged;
}

void Reloader::read() {
  workers_.reader.give(
      [this, load = load_, turn = turn_, base = running_, confirmed = trial_ ? trial_->before : running_] {
        const auto judged = std::make_shared<Judged>(judge(load, base, confirmed));
        return [this, turn, judged] {
          if (turn == turn_) take_up(judged);
          go_on();
        };
      });
}

/// Runs `work` in the disk's thread, then `then` in the loop unless a stop has come.
void Reloader::write(std::function<Result<void>()> work, std::function<void(Result<void>)> then) {
  workers_.disk.give([this, turn = turn_, work = std::move(work), then = std::move(then)] {
    return [this, turn, then, done = work()] {
      if (turn == turn_) then(done);
      go_on();
    };
  });
}

/// Takes the result of the reader. If a trial has gone back meanwhile, the comparison is outdated and begins anew.
void Reloader::take_up(const std::shared_ptr<Judged>& judged) {
  const LifeEvent event = jobs_.front().event;
  if (judged->base != running_) return begin();
  on_disk_ = judged->says_the_same;
  if (is_refused(event)) return;
  if (event == LifeEvent::diff) return finish(difference(*judged));
  prepare_trial(judged);
}

Json Reloader::difference(Judged& judged) const {
  Json document{{"schema", "vipd.diff/1"}};
  document.update(judged.answer);
  Changes& changes = judged.changes;
  document["in_force"] = judged.says_the_same;
  document["changes"] = with_effects(std::move(changes.list), changes.plan, supervisor_, &Effect::would);
  return document;
}

/// Writes the record of the trial before the trial begins, and deletes it once the trial is over. A reload may lead
/// back to the configuration before the trial: then nothing is left to confirm.
void Reloader::prepare_trial(const std::shared_ptr<Judged>& judged) {
  if (!judged->usable()) {
    Json document{{"schema", "vipd.reload/1"}};
    document.update(judged->answer);
    log_error("reload refused, the configuration in force stays:\n{}", document["report"].get<std::string>());
    document["changes"] = Json::array();
    return finish(std::move(document));
  }
  const bool on_trial = (trial_ || jobs_.front().trial) && !judged->way_back.none;
  if (!on_trial && !has_unconfirmed_) return put_in_force(*judged, false);
  const auto then = [this, judged, on_trial](const Result<void>& done) {
    if (judged->base != running_) return begin();
    if (is_refused(LifeEvent::reload)) return;
    if (done) {
      has_unconfirmed_ = on_trial;
      return put_in_force(*judged, on_trial);
    }
    log_error("reload refused, the configuration in force stays: {}", done.error().message);
    finish(error_document("reload refused: " + done.error().message));
  };
  has_unconfirmed_ = true;
  if (on_trial)
    write(
        [record = unconfirmed_, tried = judged->loaded, before = trial_ ? trial_->before : running_]() mutable {
          return record.keep(tried->sources, before->sources);
        },
        then);
  else
    write([record = unconfirmed_]() mutable { return record.drop(); }, then);
}

Result<void> Reloader::set_timer(Trial& trial) {
  auto timer = loop_.after(std::max(trial.ends - loop_.now(), Duration::zero()), [this] { give_up_trial(); });
  if (!timer) return std::unexpected(timer.error());
  trial.timer = std::move(*timer);
  return {};
}

void Reloader::put_in_force(Judged& judged, bool on_trial) {
  const std::optional<Duration> length = jobs_.front().trial;
  if (on_trial) {
    Trial trial{.before = trial_ ? trial_->before : running_,
                .way_back = std::move(judged.way_back),
                .ends = length ? loop_.now() + *length : trial_->ends,
                .timer = {}};
    if (const auto set = set_timer(trial); !set)
      return finish(error_document("reload refused: " + set.error().message));
    trial_ = std::move(trial);
  } else {
    trial_.reset();
  }
  Json document{{"schema", "vipd.reload/1"}};
  document.update(judged.answer);
  const SharedLoaded before = std::exchange(running_, judged.loaded);
  on_disk_ = true;
  document["changes"] = follow(*before, std::move(judged.changes));
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
  finish(std::move(document));
}

/// Puts running_ in force in place of `before`; returns the changes.
Json Reloader::follow(const LoadedConfig& before, Changes changes) {
  Json list = Json::array();
  if (before.hash != running_->hash) older_.insert(older_.begin(), before.hash);
  tell_runner();
  if (running_->overrides != before.overrides) say_overrides(*running_);
  if (changes.none) {
    log_info("reload: nothing has changed");
  } else {
    list = with_effects(std::move(changes.list), changes.plan, supervisor_, &Effect::does);
    for (const Json& change : list) log_info("reload: {}", for_log(change["text"].get_ref<const std::string&>()));
    supervisor_.apply(running_->config, loop_.now());
    ::malloc_trim(0);  // frees memory as after a start
  }
  if (!is_kept_ || running_->sources != before.sources) keep();
  return list;
}

/// Brings the previous configuration back. The files are still those of the trial, so the record unconfirmed_ stays.
void Reloader::give_up_trial() {
  if (!life_.take(LifeEvent::trial_expired)) return;
  log_warning("reload: not confirmed in time; going back to the previous configuration; the files differ from it");
  Trial over = *std::exchange(trial_, std::nullopt);
  const SharedLoaded given_up = std::exchange(running_, over.before);
  on_disk_ = false;
  follow(*given_up, std::move(over.way_back));
}

/// Ends the timer first: a confirmation that comes in time counts, however slow the disk is.
void Reloader::begin_confirm() {
  trial_->timer = {};
  write([record = unconfirmed_]() mutable { return record.drop(); },
        [this](const Result<void>& dropped) { end_confirm(dropped); });
}

void Reloader::end_confirm(const Result<void>& dropped) {
  if (is_refused(LifeEvent::confirm)) return;
  if (!dropped) {
    (void)set_timer(*trial_);
    return finish(error_document("not confirmed: " + dropped.error().message));
  }
  (void)life_.take(LifeEvent::confirm);
  has_unconfirmed_ = false;
  trial_.reset();
  tell_runner();
  log_info("reload: confirmed");
  finish({{"schema", "vipd.confirm/1"}, {"confirmed", true}});
}

void Reloader::stop() {
  const bool is_confirming = busy_ && jobs_.front().event == LifeEvent::confirm;
  if (trial_ && !is_confirming)
    log_warning("the reload is not confirmed; the next start takes the previous configuration");
  trial_.reset();
  ++turn_;
  busy_ = false;
  go_on();
}

ConfigState Reloader::state() const {
  return {.trial_ends = trial_ ? std::optional(trial_->ends) : std::nullopt, .files_in_force = on_disk_};
}

KeptConfig Reloader::in_force() const {
  return {.number = 0,
          .time = format_rfc3339(std::chrono::system_clock::now()),
          .sha256 = running_->hash,
          .files = running_->sources,
          .hooks = running_->config->hooks_d};
}

void Reloader::forget_older() {
  if (!has_older_ || !supervisor_.clear()) return;
  has_older_ = false;
  workers_.disk.give([in_force = in_force_]() mutable {
    in_force.drop_older();
    return [] {};
  });
  if (!std::exchange(older_, {}).empty()) tell_runner();
}

/// Keeps the configuration in force for the next vipd. A failure stops nothing; a disk may take seconds to write.
void Reloader::keep() {
  is_kept_ = has_older_ = true;
  const std::string time = format_rfc3339(std::chrono::system_clock::now());
  workers_.disk.give([this, in_force = in_force_, kept = running_, time]() mutable {
    return [this, kept = in_force.keep(kept->sources, time)] {
      is_kept_ = kept.has_value();
      if (kept)
        loss_.over();
      else
        loss_.log(kept.error());
    };
  });
}

void Reloader::tell_runner() {
  std::vector<std::string> hashes = {running_->hash};
  const auto add = [&](const std::string& hash) {
    if (std::ranges::find(hashes, hash) == hashes.end()) hashes.push_back(hash);
  };
  if (trial_) add(trial_->before->hash);
  for (const std::string& hash : older_) add(hash);
  supervisor_.runner().serve(hashes);
}

}  // namespace vipd
