// RunnerClient over a real socket on a real loop; the test is the runner at the other end.
#include "vipd/os/runner_client.hpp"

#include <spdlog/spdlog.h>

#include <optional>

#include "support/catch.hpp"
#include "vipd/os/runner_protocol.hpp"

using namespace vipd;

namespace {

Command command(const std::string& path) {
  return {.label = "web: " + path,
          .arguments = {path, "x"},
          .environment = {"VIPD_STATE=active"},
          .timeout = std::chrono::seconds(30)};
}

class Bench {
 public:
  Bench() : loop(std::move(*EventLoop::create())) {
    spdlog::set_level(spdlog::level::off);
    client.emplace(*loop, [this]() -> Result<Fd> {
      ++tries;
      if (!reachable) return failure("nobody is there");
      auto pair = std::move(*make_socket_pair());
      asked.clear();
      runner = std::move(*MessageSocket::open(
          *loop, std::move(pair.theirs),
          [this](const auto& message) { asked.push_back(read_request(message).value()); }, [this] { runner.reset(); }));
      if (greets) runner->send(runner_greeting());
      return std::move(pair.ours);
    });
  }

  /// Turns the loop until `predicate` holds, for 5 s at most.
  template <typename Predicate>
  bool until(Predicate predicate) {
    const TimePoint bound = loop->now() + std::chrono::seconds(5);
    while (!predicate() && loop->now() < bound) loop->turn(std::chrono::milliseconds(10));
    return predicate();
  }
  void run(const std::string& path) {
    client->run(command(path), [this, path](const Outcome& outcome) { ended.emplace_back(path, outcome); });
  }
  void answer(std::uint64_t id, const Outcome& outcome = {}) { runner->send(to_message(RunAnswer{id, outcome})); }
  std::vector<std::string> paths() const {
    std::vector<std::string> result;
    for (const auto& request : asked) result.push_back(request.command.arguments.front());
    return result;
  }

  std::unique_ptr<EventLoop> loop;
  bool reachable = true, greets = true;
  int tries = 0;
  std::unique_ptr<MessageSocket> runner;
  std::vector<RunRequest> asked;
  std::vector<std::pair<std::string, Outcome>> ended;
  std::optional<RunnerClient> client;
};

using Paths = std::vector<std::string>;

}  // namespace

TEST_CASE("runner protocol: what is written is read again, and anything else is a failure") {
  Command asked = command("/hook");
  const auto request = read_request(to_message(RunRequest{7, asked})).value();
  CHECK(request.id == 7);
  CHECK(request.command.label == asked.label);
  CHECK(request.command.arguments == asked.arguments);
  CHECK(request.command.environment == asked.environment);
  CHECK(request.command.timeout == asked.timeout);
  const Outcome outcome{.error = "e",
                        .exit_status = 3,
                        .signal = 9,
                        .timed_out = true,
                        .took = std::chrono::milliseconds(12),
                        .output = {"a", "b"}};
  const auto answer = read_answer(to_message(RunAnswer{8, outcome})).value();
  CHECK(answer.id == 8);
  CHECK(to_string(answer.outcome) == to_string(outcome));
  CHECK(answer.outcome.output == outcome.output);
  CHECK(answer.outcome.took == outcome.took);
  auto broken = to_message(RunRequest{7, asked});
  for (const char* member : {"run", "label", "arguments", "environment", "timeout_ns"}) {
    auto message = broken;
    message[member] = {{"x", -1}};
    CHECK_FALSE(read_request(message));
    message.erase(member);
    CHECK_FALSE(read_request(message));
  }
  CHECK_FALSE(read_answer(Json::object()));
  for (const Json& number : {Json(1e300), Json(1.5), Json(1ULL << 63U)}) {
    auto message = broken;
    message["timeout_ns"] = number;
    CHECK_FALSE(read_request(message));
    message = to_message(RunAnswer{8, outcome});
    message["exit_status"] = number;
    CHECK_FALSE(read_answer(message));
  }
  CHECK(is_runner_greeting(runner_greeting()));
  CHECK_FALSE(is_runner_greeting({{"vipd-runner", 2}}));
}

TEST_CASE("RunnerClient: asks in order, answers each once, in the order of the answers") {
  Bench bench;
  bench.run("/one");
  bench.run("/two");
  REQUIRE(bench.until([&] { return bench.asked.size() == 2; }));
  CHECK(bench.paths() == Paths{"/one", "/two"});
  bench.answer(bench.asked[1].id, {.exit_status = 3});
  bench.answer(bench.asked[1].id);  // the request has ended
  bench.answer(bench.asked[0].id);
  REQUIRE(bench.until([&] { return bench.ended.size() == 2; }));
  CHECK(bench.ended[0].first == "/two");
  CHECK(bench.ended[0].second.exit_status == 3);
  CHECK(bench.ended[1].second.ok());
}

TEST_CASE("RunnerClient: without a runner requests wait, and are asked in their order when one comes") {
  Bench bench;
  bench.reachable = false;
  bench.runner.reset();
  REQUIRE(bench.until([&] { return bench.tries > 2; }));
  bench.run("/one");
  bench.run("/two");
  bench.reachable = true;
  REQUIRE(bench.until([&] { return bench.asked.size() == 2; }));
  CHECK(bench.paths() == Paths{"/one", "/two"});
  CHECK(bench.ended.empty());
}

TEST_CASE("RunnerClient: what was under way when the runner died is asked once more, and then given up") {
  Bench bench;
  bench.run("/one");
  REQUIRE(bench.until([&] { return bench.asked.size() == 1; }));
  bench.runner.reset();
  bench.asked.clear();
  REQUIRE(bench.until([&] { return bench.asked.size() == 1; }));
  CHECK(bench.ended.empty());
  bench.run("/two");
  REQUIRE(bench.until([&] { return bench.asked.size() == 2; }));
  bench.runner.reset();
  bench.asked.clear();
  REQUIRE(bench.until([&] { return bench.asked.size() == 1 && bench.ended.size() == 1; }));
  CHECK(bench.paths() == Paths{"/two"});
  CHECK(bench.ended[0].first == "/one");
  CHECK(bench.ended[0].second.error.find("died twice") != std::string::npos);
}

TEST_CASE("RunnerClient: a runner that speaks otherwise is hung up on and tried again, ever less often") {
  Bench bench;
  bench.greets = false;
  bench.runner.reset();
  REQUIRE(bench.until([&] { return bench.tries >= 2 && bench.runner; }));
  bench.run("/one");
  for (const auto& message : {Json{{"vipd-runner", 99}}, Json{{"ended", "?"}}}) {
    const int before = bench.tries;
    bench.runner->send(message);
    REQUIRE(bench.until([&] { return bench.tries > before && bench.runner; }));
  }
  CHECK(bench.asked.empty());
  CHECK(bench.ended.empty());
}

TEST_CASE("RunnerClient: what is too long is refused, later") {
  Bench bench;
  Command longest = command("/one");
  longest.environment.push_back("VIPD_REASON=" + std::string(MessageSocket::kLongest, 'x'));
  std::optional<Outcome> outcome;
  bench.client->run(longest, [&](const Outcome& ended) { outcome = ended; });
  CHECK_FALSE(outcome);
  REQUIRE(bench.until([&] { return outcome.has_value(); }));
  CHECK(outcome->error == "the command is too long for vipd-runner");
}

TEST_CASE("RunnerClient: at a stop, what waits for a runner that is not there is given up") {
  Bench bench;
  bench.reachable = false;
  bench.runner.reset();
  REQUIRE(bench.until([&] { return bench.tries > 1; }));
  bench.run("/one");
  bench.client->give_up_after(std::chrono::milliseconds(20));
  REQUIRE(bench.until([&] { return bench.ended.size() == 1; }));
  CHECK_FALSE(bench.ended[0].second.ok());
  bench.run("/two");  // another hook behind it
  REQUIRE(bench.until([&] { return bench.ended.size() == 2; }));
}

TEST_CASE("RunnerClient: at a stop, what a runner should have ended long ago is given up") {
  Bench bench;
  Command quick = command("/one");
  quick.timeout = std::chrono::milliseconds(100);
  std::optional<Outcome> outcome;
  const TimePoint asked = bench.loop->now();
  bench.client->run(quick, [&](const Outcome& ended) { outcome = ended; });
  bench.run("/two");  // its time is not over
  REQUIRE(bench.until([&] { return bench.asked.size() == 2; }));
  bench.client->give_up_after(std::chrono::milliseconds(20));
  REQUIRE(bench.until([&] { return outcome.has_value(); }));
  CHECK(bench.loop->now() - asked >= quick.timeout + kKillGrace);
  CHECK(outcome->lost);
  CHECK(bench.ended.empty());
}
