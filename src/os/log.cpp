#include "vipd/os/log.hpp"

#include <poll.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>

namespace vipd {
namespace {

/// A pipe that polls writable takes PIPE_BUF octets without waiting; longer lines are cut.
constexpr std::size_t kLongestLine = 4000;

/// Writes `text`, waiting for a full pipe for `patience` at most.
bool write_within(std::chrono::milliseconds patience, std::string_view text) {
  pollfd stderr_fd{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&stderr_fd, 1, static_cast<int>(patience.count())) != 1 || (stderr_fd.revents & POLLOUT) == 0)
    return false;
  return ::write(STDERR_FILENO, text.data(), text.size()) >= 0;
}

bool write_without_waiting(std::string_view text) { return write_within({}, text); }

std::string_view journal_prefix(spdlog::level::level_enum level) {
  switch (level) {  // sd-daemon(3)
    case spdlog::level::err:
      return "<3>";
    case spdlog::level::warn:
      return "<4>";
    case spdlog::level::info:
      return "<6>";
    default:
      return "<7>";
  }
}

class StderrSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  StderrSink() : journal_(std::getenv("JOURNAL_STREAM") != nullptr) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    std::string line(journal_ ? journal_prefix(message.level) : std::string_view());
    spdlog::memory_buf_t formatted;
    formatter_->format(message, formatted);
    line.append(formatted.data(), formatted.size());
    if (line.size() > kLongestLine) line.replace(kLongestLine, std::string::npos, "...\n");
    if (lost_ > 0 && write_without_waiting("(" + std::to_string(lost_) + " log lines were lost)\n")) lost_ = 0;
    if (lost_ > 0 || !write_without_waiting(line)) ++lost_;
  }
  void flush_() override {}

 private:
  const bool journal_;
  unsigned long lost_ = 0;
};

}  // namespace

void start_log() {
  auto logger = std::make_shared<spdlog::logger>("vipd", std::make_shared<StderrSink>());
  logger->set_pattern(std::getenv("JOURNAL_STREAM") != nullptr ? "%v" : "%Y-%m-%d %H:%M:%S.%e %l: %v");
  spdlog::set_default_logger(std::move(logger));
}

void write_report(std::string_view text) {
  constexpr std::chrono::seconds kPatience(1);
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, kLongestLine);
    if (!write_within(kPatience, piece)) return;
    text.remove_prefix(piece.size());
  }
}

void write_log(LogLevel level, fmt::string_view format, fmt::format_args arguments) {
  static constexpr std::array kLevels{spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                                      spdlog::level::err};
  spdlog::logger& logger = *spdlog::default_logger_raw();
  const auto spdlog_level = kLevels[static_cast<std::size_t>(level)];
  if (logger.should_log(spdlog_level)) logger.log(spdlog_level, fmt::vformat(format, arguments));
}

}  // namespace vipd
