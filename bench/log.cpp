// Nobody reads the log: standard output and error are a pipe, or a stream socket as for the journal, that is full from
// the beginning.
#include <optional>

#include "scenarios.hpp"
#include "support/lab/stuck_log.hpp"

namespace vipd::bench {
namespace {

const Shape kCrowd{.instances = 255, .interval = 100ms};
constexpr Duration kPatience = 8s;

struct Sink {
  const char* text;
  std::optional<bool> is_journal;  ///< nullopt: the log is read
};
constexpr Sink kSinks[] = {{"log is read", {}}, {"full pipe", false}, {"full journal socket", true}};

void start(Program program, const std::vector<std::string>& before, Figure& count, Figure& time) {
  const Started started = start_alone(program, kCrowd, kPatience, before);
  of(count, program).push_back(started.addresses);
  if (started.addresses == kCrowd.instances) of(time, program).push_back(lab::in_ms(started.last));
}

}  // namespace

std::vector<Figure> log(int rounds) {
  std::vector<Figure> figures;
  for (const Sink& sink : kSinks) {
    const std::string how = std::string(", ") + sink.text;
    Figure count{.what = "addresses of 255 instances" + how, .unit = ""};
    Figure time{.what = "start to the last address" + how, .unit = "ms"};
    in_turn(rounds, [&](Program program) {
      const lab::StuckLog stuck(sink.is_journal.value_or(false));
      start(program, sink.is_journal ? stuck.words() : std::vector<std::string>(), count, time);
    });
    figures.push_back(count);
    figures.push_back(time);
  }
  return figures;
}

}  // namespace vipd::bench
