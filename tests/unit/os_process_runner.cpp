// Real processes on a real event loop.
#include "vipd/os/process_runner.hpp"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <optional>
#include <string>

#include "support/catch.hpp"

using namespace vipd;

namespace {

struct Bench {
  Bench() {
    spdlog::set_level(spdlog::level::off);
    block_signals();
    loop = std::move(*EventLoop::create());
    runner = std::move(*ProcessRunner::create(*loop));
  }
  /// Runs a shell command to its end; fails the test after 20 s.
  Outcome shell(const std::string& script, Duration timeout = std::chrono::seconds(10)) {
    return run({.label = "test",
                .arguments = {"/bin/sh", "-c", script},
                .environment = {"VIPD_STATE=active"},
                .timeout = timeout});
  }
  Outcome run(const Command& command) {
    std::optional<Outcome> result;
    bool within_run = true;
    runner->run(command, [&](const Outcome& outcome) {
      CHECK_FALSE(within_run);
      result = outcome;
      loop->exit(0);
    });
    within_run = false;
    auto bound = loop->after(std::chrono::seconds(20), [&] { loop->exit(1); });
    loop->run().value();
    REQUIRE(result);
    // The loop cannot run twice; a fresh one serves the next command.
    runner.reset();
    loop = std::move(*EventLoop::create());
    runner = std::move(*ProcessRunner::create(*loop));
    return *result;
  }
  std::unique_ptr<EventLoop> loop;
  std::unique_ptr<ProcessRunner> runner;
};

struct TemporaryFile {
  TemporaryFile() {
    char name[] = "/tmp/vipd-test-XXXXXX";
    ::close(::mkstemp(name));
    path = name;
  }
  ~TemporaryFile() { ::unlink(path.c_str()); }
  std::string content() const {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::string path;
};

}  // namespace

TEST_CASE("ProcessRunner: exit status, signal, and a program that is not there") {
  Bench bench;
  CHECK(bench.shell("true").ok());
  const Outcome three = bench.shell("exit 3");
  CHECK(three.exit_status == 3);
  CHECK_FALSE(three.ok());
  CHECK(bench.shell("kill -9 $$").signal == SIGKILL);
  const Outcome missing = bench.run(
      {.label = "x", .arguments = {"/nonexistent/hook"}, .environment = {}, .timeout = std::chrono::seconds(1)});
  CHECK(missing.error == "cannot run /nonexistent/hook: No such file or directory");
}

TEST_CASE("ProcessRunner: the environment is ours alone, standard input is empty, signals are as they should be") {
  Bench bench;
  const TemporaryFile file;
  ::setenv("VIPD_SECRET", "inherited", 1);
  CHECK(bench.shell("{ env; cat; grep -E '^Sig(Blk|Ign)' /proc/self/status; } > " + file.path).ok());
  const std::string content = file.content();
  INFO(content);
  CHECK(content.find("VIPD_STATE=active") != std::string::npos);
  CHECK(content.find("PATH=/usr/local/sbin") != std::string::npos);
  CHECK(content.find("VIPD_SECRET") == std::string::npos);
  CHECK(content.find("SigBlk:\t0000000000000000") != std::string::npos);
  const std::string mark = "SigIgn:\t";
  const auto ignored = std::stoull(content.substr(content.find(mark) + mark.size()), nullptr, 16);
  CHECK((ignored & 0x7fffffff) == 0);  // SIGPIPE, too, which vipd ignores; 32 and 33 belong to glibc
}

TEST_CASE("ProcessRunner: a program that hangs is told to end, with all that it started") {
  Bench bench;
  const TemporaryFile file;
  const Outcome outcome = bench.shell("sleep 1000 & echo $! > " + file.path + "; wait", std::chrono::milliseconds(200));
  CHECK(outcome.timed_out);
  CHECK_FALSE(outcome.ok());
  const pid_t grandchild = std::stoi(file.content());
  for (int i = 0; i < 1000 && ::kill(grandchild, 0) == 0; ++i) {
    std::ifstream stat("/proc/" + std::to_string(grandchild) + "/stat");
    std::string pid, name, state;
    stat >> pid >> name >> state;
    if (state == "Z") break;  // a zombie, which is not our child
    ::usleep(1000);
  }
  std::ifstream stat("/proc/" + std::to_string(grandchild) + "/stat");
  std::string pid, name, state;
  stat >> pid >> name >> state;
  CHECK((state.empty() || state == "Z"));
}

TEST_CASE("ProcessRunner: one that ignores SIGTERM gets SIGKILL 2 s later") {
  Bench bench;
  const Outcome outcome = bench.shell("trap '' TERM; while :; do sleep 0.05; done", std::chrono::milliseconds(100));
  CHECK(outcome.timed_out);
  CHECK(outcome.signal == SIGKILL);
  CHECK(outcome.took >= std::chrono::seconds(2));
}

TEST_CASE("ProcessRunner: a program that prints without end is read, and does not fill a pipe or memory") {
  Bench bench;
  const Outcome outcome = bench.shell("head -c 50000000 /dev/zero | tr '\\0' 'x'; yes | head -n 100000");
  CHECK(outcome.ok());
}

TEST_CASE("ProcessRunner: the outcome has the last lines that were printed, not more than 10 and 1 KiB") {
  Bench bench;
  CHECK(bench.shell("echo one; printf 'two\\tcolumns\\n' >&2; printf three").output ==
        std::vector<std::string>{"one", "two columns", "three"});
  const auto last = bench.shell("seq 1 5000").output;
  CHECK(last.size() == 10);
  CHECK(last.back() == "5000");
  const auto wide = bench.shell("head -c 100000 /dev/zero | tr '\\0' 'x'").output;
  REQUIRE(wide.size() == 1);
  CHECK(wide.front() == std::string(1024, 'x'));
  CHECK(bench.shell("true").output.empty());
}

TEST_CASE("ProcessRunner: what a program daemonised is ended with it at its timeout, and left alone if it ended well") {
  Bench bench;
  const TemporaryFile file;
  const std::string daemon = "setsid sh -c 'trap \"\" TERM; echo $$ > " + file.path + "; exec >&- 2>&-; sleep 1000' & ";
  const auto lives = [&] { return ::kill(std::stoi(file.content()), 0) == 0; };
  const std::string until_there = "while ! [ -s " + file.path + " ]; do sleep 0.01; done; ";
  CHECK(bench.shell(daemon + until_there + "sleep 1000", std::chrono::seconds(1)).timed_out);
  CHECK_FALSE(lives());
  std::ofstream(file.path).flush();
  CHECK(bench.shell(daemon + until_there + "exit 0").ok());
  REQUIRE(lives());
  ::kill(std::stoi(file.content()), SIGKILL);
}
