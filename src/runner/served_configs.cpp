#include "vipd/runner/served_configs.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "vipd/load/config_files.hpp"
#include "vipd/load/programs.hpp"

namespace vipd {
namespace {

constexpr auto kBetweenLooks = std::chrono::seconds(1);

/// The present files; a failure if users other than root may have written them.
Result<ConfigFiles> read_judged(const std::string& config) {
  auto files = read_config_files(config);
  if (files && !files->permissions.empty()) return failure(files->permissions.front().message);
  return files;
}

Result<std::vector<NamedProgram>> programs_of(const std::vector<ConfigSource>& files, const std::string& config) {
  ParsedConfig parsed = parse_config(files, host_name());
  if (!parsed.config) return failure(config + " has errors; `vipd --check` names them");
  return std::move(parsed.programs);
}

}  // namespace

ServedConfigs::ServedConfigs(std::string config, std::string directory, std::string mark)
    : config_(std::move(config)), directory_(std::move(directory)), mark_(std::move(mark)) {}

std::vector<std::string> ServedConfigs::name(const std::vector<std::string>& hashes) {
  named_ = hashes;
  std::erase_if(served_, [&](const Served& each) { return std::ranges::find(named_, each.hash) == named_.end(); });
  if (const auto hooks = find_shared_hooks(config_)) {
    shared_.clear();
    add_shared_hooks(*hooks, shared_);
  }
  std::vector<std::string> complaints;
  if (const auto opened = open_directory(); !opened) complaints.push_back(opened.error().message);
  look_for_missing();
  if (!why_missing_.empty()) complaints.push_back("no program is run: " + why_missing_);
  const auto recorded = record();
  if (auto news = recorded ? std::nullopt : loss_.news(recorded.error())) complaints.push_back(*std::move(news));
  if (copies_) copies_->drop_all_but(named_);
  return complaints;
}

std::optional<std::string> ServedConfigs::refusal(std::span<const std::string> arguments, TimePoint now) {
  if (names(arguments)) return std::nullopt;
  if (named_.empty()) {
    const auto read = read_files();
    if (!read) return read.error().message;
  } else if (now >= next_look_) {
    next_look_ = now + kBetweenLooks;
    look_for_missing();
    (void)record();  // name() has reported the failure
  }
  if (names(arguments)) return std::nullopt;
  return why_missing_.empty() ? "the configuration in force names no such program" : why_missing_;
}

bool ServedConfigs::names(std::span<const std::string> arguments) const {
  return is_named(shared_, arguments) || is_named(read_, arguments) ||
         std::ranges::any_of(served_, [&](const Served& each) { return is_named(each.programs, arguments); });
}

bool ServedConfigs::serves(const std::string& hash) const {
  return std::ranges::find(served_, hash, &Served::hash) != served_.end();
}

/// An earlier version of vipd cannot name a configuration: it is served the present files.
Result<void> ServedConfigs::read_files() {
  const auto files = read_judged(config_);
  if (!files) return std::unexpected(files.error());
  auto programs = programs_of(files->sources, config_);
  if (!programs) return std::unexpected(programs.error());
  read_ = std::move(*programs);
  add_shared_hooks(files->hooks, read_);
  return {};
}

/// Only a missing configuration in force is reported: of the others, only hooks may be lost.
void ServedConfigs::look_for_missing() {
  read_.clear();
  why_missing_.clear();
  for (const std::string& hash : named_) {
    if (serves(hash)) continue;
    const auto taken = take_up(hash);
    if (taken || hash != named_.front()) continue;
    why_missing_ = "vipd-runner does not have the configuration in force, and " + taken.error().message +
                   "; `vipctl reload` puts the files in force";
  }
}

Result<void> ServedConfigs::take_up(const std::string& hash) {
  const auto files = read_judged(config_);
  if (files && config_hash(files->sources) == hash) {
    copy(hash, files->sources);
    return serve(hash, files->sources);
  }
  if (const auto kept = copies_ ? copies_->find(hash) : std::nullopt) return serve(hash, kept->files);
  return files ? failure(config_ + " differs from it now") : std::unexpected(files.error());
}

void ServedConfigs::copy(const std::string& hash, const std::vector<ConfigSource>& files) {
  not_copied_.reset();
  if (!copies_ || copies_->find(hash)) return;
  const auto kept = copies_->keep(files, format_rfc3339(std::chrono::system_clock::now()));
  if (!kept) not_copied_ = kept.error();
}

Result<void> ServedConfigs::serve(const std::string& hash, const std::vector<ConfigSource>& files) {
  auto programs = programs_of(files, config_);
  if (!programs) return std::unexpected(programs.error());
  served_.push_back({hash, std::move(*programs)});
  return {};
}

/// Opens the directory once: a user who can rename it cannot put another directory in its place.
Result<void> ServedConfigs::open_directory() {
  if (store_) return {};
  if (::mkdir(directory_.c_str(), 0700) < 0 && errno != EEXIST)
    return system_failure("cannot make " + directory_, errno);
  Fd fd(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status{};
  if (!fd || ::fstat(fd.get(), &status) < 0) return system_failure("cannot open " + directory_, errno);
  if (status.st_uid != ::geteuid() || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return failure("no configuration is kept in " + directory_ + ": users other than uid " +
                   std::to_string(::geteuid()) + " may write there");
  store_ = std::make_unique<FileStore>(std::move(fd), directory_);
  copies_.emplace(*store_, "served" + mark_);
  history_.emplace(*store_, "history");
  return {};
}

Result<void> ServedConfigs::record() {
  if (!history_ || named_.empty() || recorded_ == named_.front() || !serves(named_.front())) return {};
  auto kept = copies_->find(named_.front());
  if (!kept) {  // the disk was full and may have room now
    const auto files = read_judged(config_);
    if (files && config_hash(files->sources) == named_.front()) copy(named_.front(), files->sources);
    kept = copies_->find(named_.front());
  }
  if (!kept) return not_copied_ ? std::unexpected(*not_copied_) : failure("there is no copy of it in " + directory_);
  const auto recorded = history_->keep(kept->files, format_rfc3339(std::chrono::system_clock::now()));
  if (!recorded) return std::unexpected(recorded.error());
  recorded_ = named_.front();
  loss_.over();
  return {};
}

}  // namespace vipd
