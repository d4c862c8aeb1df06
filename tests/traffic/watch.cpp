// Asks at a fixed pace and reports the holes. A hole reaches from the sending of the first unanswered probe to the
// sending of the next answered probe. So a pause of the prober itself (nothing sent, nothing lost) is not taken for an
// outage.
#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <vector>

#include "traffic.hpp"

namespace vipd::traffic {
namespace {

using std::chrono::steady_clock;

constexpr auto kPatience = std::chrono::milliseconds(500);  // for answers after the last probe

struct Probe {
  steady_clock::time_point sent;
  std::optional<Duration> answer;  ///< time until the answer
};

struct Report {
  std::size_t sent = 0, answered = 0, outages = 0;
  Duration longest_outage{}, slowest_answer{};
  std::map<std::string, std::size_t> answered_by;
};

Fd connected_socket(const WatchOptions& options) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_DGRAM;
  if (getaddrinfo(options.address.c_str(), options.port.c_str(), &hints, &found) != 0)
    throw std::invalid_argument("not an address and a port: " + options.address + " " + options.port);
  Fd fd(socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int result = connect(fd.get(), found->ai_addr, found->ai_addrlen);
  freeaddrinfo(found);
  checked(result, "connect");
  return fd;
}

Fd ticker(Duration interval) {
  Fd timer(checked(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), "timerfd_create"));
  const timespec period{.tv_sec = interval.count() / 1'000'000'000, .tv_nsec = interval.count() % 1'000'000'000};
  const itimerspec spec{.it_interval = period, .it_value = period};
  checked(timerfd_settime(timer.get(), 0, &spec, nullptr), "timerfd_settime");
  return timer;
}

class Watcher {
 public:
  explicit Watcher(const WatchOptions& options) : options_(options), fd_(connected_socket(options)) {}

  void run(const Until& until) {
    const Fd timer = ticker(options_.interval);
    std::array<pollfd, 3> events{{{timer.get(), POLLIN, 0}, {fd_.get(), POLLIN, 0}, {until.fd(), POLLIN, 0}}};
    fmt::print(stderr, "watching\n");
    while (events[2].revents == 0) {
      checked(poll(events.data(), events.size(), -1), "poll");
      receive_all();
      std::uint64_t ticks = 0;
      if (read(timer.get(), &ticks, sizeof ticks) > 0) send_one();
    }
    wait_for_late_answers();
  }

  Report report() const;

 private:
  void send_one() {
    const std::uint64_t number = probes_.size();
    probes_.push_back({steady_clock::now(), std::nullopt});
    (void)send(fd_.get(), &number, sizeof number, MSG_NOSIGNAL);  // a refused send counts as not answered
  }

  /// Reads all answers that have arrived. An error is an ICMP message about an earlier probe, which stays
  /// unanswered.
  void receive_all() {
    std::array<char, 512> text;
    for (;;) {
      const ssize_t octets = recv(fd_.get(), text.data(), text.size(), 0);
      if (octets < 0 && errno == EAGAIN) return;
      if (octets >= static_cast<ssize_t>(sizeof(std::uint64_t))) take({text.data(), static_cast<std::size_t>(octets)});
    }
  }

  void take(std::string_view text) {
    std::uint64_t number = 0;
    std::memcpy(&number, text.data(), sizeof number);
    if (number >= probes_.size() || probes_[number].answer) return;
    probes_[number].answer = steady_clock::now() - probes_[number].sent;
    ++answered_;
    ++answered_by_[std::string(text.substr(sizeof number))];
  }

  void wait_for_late_answers() {
    const auto deadline = steady_clock::now() + kPatience;
    pollfd event{fd_.get(), POLLIN, 0};
    while (answered_ < probes_.size() && steady_clock::now() < deadline) {
      poll(&event, 1, 10);
      receive_all();
    }
  }

  WatchOptions options_;
  Fd fd_;
  std::vector<Probe> probes_;
  std::size_t answered_ = 0;
  std::map<std::string, std::size_t> answered_by_;
};

Report Watcher::report() const {
  Report result{.sent = probes_.size(), .answered = answered_, .answered_by = answered_by_};
  std::optional<steady_clock::time_point> lost_since;
  const auto close = [&](steady_clock::time_point end) {
    if (lost_since) result.longest_outage = std::max<Duration>(result.longest_outage, end - *lost_since);
    result.outages += lost_since ? 1 : 0;
    lost_since.reset();
  };
  for (const auto& probe : probes_) {
    if (probe.answer) close(probe.sent);
    if (probe.answer) result.slowest_answer = std::max(result.slowest_answer, *probe.answer);
    if (!probe.answer && !lost_since) lost_since = probe.sent;
  }
  if (!probes_.empty()) close(probes_.back().sent + options_.interval);
  return result;
}

double in_ms(Duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

std::string as_json(const Report& report) {
  const nlohmann::ordered_json document{{"schema", "vipd-traffic.watch/1"},
                                        {"sent", report.sent},
                                        {"answered", report.answered},
                                        {"lost", report.sent - report.answered},
                                        {"outages", report.outages},
                                        {"longest_outage_ms", in_ms(report.longest_outage)},
                                        {"slowest_answer_ms", in_ms(report.slowest_answer)},
                                        {"answered_by", report.answered_by}};
  return document.dump();
}

std::string as_text(const Report& report) {
  std::string names;
  for (const auto& [name, count] : report.answered_by)
    names += fmt::format("{}{} ({})", names.empty() ? "" : ", ", name, count);
  return fmt::format(
      "{} probes, {} answered, {} lost\nlongest outage {:.1f} ms of {}, slowest answer {:.1f} ms\nanswered by {}",
      report.sent, report.answered, report.sent - report.answered, in_ms(report.longest_outage), report.outages,
      in_ms(report.slowest_answer), names.empty() ? "nobody" : names);
}

}  // namespace

int watch(const WatchOptions& options, const Until& until) {
  Watcher watcher(options);
  watcher.run(until);
  const Report report = watcher.report();
  fmt::print("{}\n", options.json ? as_json(report) : as_text(report));
  return report.answered > 0 ? 0 : 1;
}

}  // namespace vipd::traffic
