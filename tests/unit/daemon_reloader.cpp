// Reading, judging and keeping a configuration takes time; much may happen meanwhile (docs/decisions/0022).
#include <atomic>
#include <latch>

#include "unit/daemon_bench.hpp"

using namespace vipd;
using namespace vipd::test;

namespace {

/// A Bench with slow files: the test decides how long reading takes.
class SlowBench : public Bench {
 public:
  SlowBench() {
    while_reading = [this] {
      ++reads;
      opened_.wait();
    };
  }
  ~SlowBench() { open(); }

  void open() {
    if (!std::exchange(is_open_, true)) opened_.count_down();
  }
  /// Turns the loop while the reader still reads.
  void go_on(int turns = 50) const {
    for (int i = 0; i < turns; ++i) loop->turn(std::chrono::milliseconds(1));
  }
  void open_and_turn() {
    open();
    turn();
  }
  /// The answer so far; "" if none has come.
  std::string answer(const Fd& fd) const { return read_all(fd); }

  std::atomic<int> reads = 0;

 private:
  std::latch opened_{1};
  bool is_open_ = false;
};

const std::string kReload = "{\"verb\":\"reload\"}\n", kTrial = "{\"verb\":\"reload\",\"confirm_ms\":60000}\n",
                  kConfirm = "{\"verb\":\"confirm\"}\n", kDiff = "{\"verb\":\"diff\"}\n",
                  kStatus = "{\"verb\":\"status\"}\n", kReexec = "{\"verb\":\"reexec\"}\n";

}  // namespace

TEST_CASE("F27 Reloader: the loop goes on while files are read, and who only looks is answered") {
  SlowBench bench;
  bench.write_priority(200, "second");
  const Fd reload = bench.say(kReload), status = bench.say(kStatus);
  bench.go_on();
  CHECK(bench.answer(reload).empty());
  CHECK(Json::parse(bench.answer(status))["schema"] == "vipd.status/1");
  CHECK(bench.priority() == 254);
  bench.open_and_turn();
  CHECK(Json::parse(bench.answer(reload))["valid"] == true);
  CHECK(bench.priority() == 200);
}

TEST_CASE("F27 Reloader: a stop while files are read is final, and all who wait are told") {
  SlowBench bench;
  bench.write_priority(200, "second");
  std::vector<Fd> waiting;
  for (const std::string& request : {kReload, kTrial, kConfirm, kDiff, kReexec}) {
    waiting.push_back(bench.say(request));
    bench.go_on();
  }
  REQUIRE(bench.life.take(LifeEvent::stop));
  bench.reloader->stop();
  bench.go_on();
  for (const Fd& each : waiting) CHECK(bench.answer(each).find("it is stopping") != std::string::npos);
  bench.open_and_turn();
  CHECK(bench.priority() == 254);
  CHECK(bench.reexecs == 0);
  CHECK(bench.reads == 1);
  CHECK_FALSE(bench.unconfirmed().exists());
}

TEST_CASE("F27 Reloader: what is asked while files are read waits for its turn") {
  SlowBench bench;
  bench.write_priority(200, "second");
  const Fd trial = bench.say(kTrial);
  bench.go_on();
  const Fd reexec = bench.say(kReexec), confirm = bench.say(kConfirm), diff = bench.say(kDiff);
  bench.go_on();
  CHECK(bench.answer(trial).empty());
  bench.open_and_turn();
  CHECK(Json::parse(bench.answer(trial))["on_trial"] == true);
  CHECK(bench.answer(reexec).find("a reload waits for its confirmation") != std::string::npos);
  CHECK(Json::parse(bench.answer(confirm))["confirmed"] == true);
  CHECK(Json::parse(bench.answer(diff))["changes"].empty());
  CHECK_FALSE(bench.reloader->state().trial_ends);
  CHECK(bench.priority() == 200);
}

TEST_CASE("F27 Reloader: a trial goes back in time though files are read, and those count then") {
  SlowBench bench;
  bench.write_priority(200, "second");
  bench.open();
  bench.reloader->reload(milliseconds(300));
  bench.turn();
  REQUIRE(bench.priority() == 200);
  std::latch second(1);
  bench.while_reading = [&] { second.wait(); };
  bench.write_priority(150, "third");
  const Fd reload = bench.say(kReload);
  for (int i = 0; i < 5000 && bench.life.phase() == Phase::on_trial; ++i) bench.go_on(1);
  CHECK(bench.priority() == 254);
  CHECK(bench.answer(reload).empty());
  second.count_down();
  bench.turn();
  const Json answer = Json::parse(bench.answer(reload));
  CHECK(answer["on_trial"] == false);
  CHECK(answer["changes"][0]["text"].get<std::string>().find("priority 254 -> 150") != std::string::npos);
  CHECK(bench.priority() == 150);
}

TEST_CASE("F27 Reloader: signals that come faster than files are read do not pile up") {
  SlowBench bench;
  bench.write_priority(200, "second");
  for (int i = 0; i < 1000; ++i) bench.reloader->reload();
  bench.open_and_turn();
  CHECK(bench.reads == 2);  // the first read, and one read that saw the last text
  CHECK(bench.priority() == 200);
}

TEST_CASE("F27 ControlServer: a client that leaves while files are read is let go, one that says no more is answered") {
  SlowBench bench;
  bench.write_priority(200, "second");
  Fd gone = bench.say(kReload);
  const Fd silent = bench.say(kDiff);
  ::shutdown(silent.get(), SHUT_WR);
  bench.go_on();
  gone = Fd();
  bench.go_on();
  bench.open_and_turn();
  CHECK(bench.priority() == 200);  // somebody asked for it
  bool closed = false;
  CHECK(Json::parse(bench.read_all(silent, &closed))["schema"] == "vipd.diff/1");
  CHECK(closed);
}
