// vipd-runner: users' programs cannot harm it, nor vipd through it.
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "pair.hpp"
#include "vipd/os/message_socket.hpp"
#include "vipd/os/process_tree.hpp"
#include "vipd/os/runner_protocol.hpp"

using namespace vipd;
using namespace vipd::lab;
namespace fs = std::filesystem;

namespace {

using Lines = std::vector<std::string>;

/// A pair whose node a has a hook; it counts the processes of the hook.
struct Hooked : Pair {
  explicit Hooked(const std::string& body, const std::string& more = "")
      : Pair(Family::ipv4), hook(a.directory() / "hook") {
    std::ofstream(hook) << "#!/bin/sh\nexport VIPD_TEST=" << a.directory().string() << "\nrecord=" << record.string()
                        << "\n"
                        << body << "\n";
    fs::permissions(hook, fs::perms::owner_all);
    config = web(family, 254, "hooks.any = \"" + hook + "\"\n" + more);
  }

  void start() {
    a.start_vipd(config);
    REQUIRE(a.wait_state("active"));
  }
  pid_t runner() { return descendants(a.vipd().pid()).at(0); }

  /// How many living processes have the hook's mark in their environment, whatever their names and parents.
  std::size_t marked() const {
    const std::string mark = "VIPD_TEST=" + a.directory().string();
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator("/proc")) {
      std::ifstream file(entry.path() / "environ");
      std::stringstream environment;
      environment << file.rdbuf();
      count += environment.str().find(mark) != std::string::npos ? 1 : 0;
    }
    return count;
  }
  bool none_left() const {
    return wait_until(10s, [&] { return marked() == 0; });
  }
  void stop() {
    a.vipd().signal(SIGTERM);
    REQUIRE(a.vipd().wait_exit(30s) == 0);
  }
  Jitter jitter_during(std::size_t adverts) {
    const std::size_t from = sniffer.adverts_from(source_a).size();
    await_adverts(source_a, adverts);
    return jitter(sniffer.adverts_from(source_a), from);
  }
  /// Causes a transition without a peer: the cable is pulled and plugged in again.
  void flap() {
    lab.set_port(a, up_ = !up_);
    const std::string wanted = up_ ? "active" : "initialize";
    REQUIRE(a.wait_state(wanted, 10s));
  }

  fs::path record = a.directory() / "record";
  const std::string hook;
  std::string config;
  bool up_ = true;
};

constexpr const char* kGigabyte = "head -c 1073741824 /dev/zero | tr '\\0' 'x'";
constexpr const char* kDaemonise =
    "setsid sh -c 'trap \"\" TERM; (trap \"\" TERM; sleep 1000) & echo there >> '$record.daemon'; sleep 1000' &\n";

}  // namespace

TEST_CASE("lab: a hook that sleeps, ignores TERM and daemonises itself is ended with all that it started", "[lab]") {
  Hooked pair(std::string(kDaemonise) + "trap '' TERM; sleep 1000; sleep 1000", "hooks.timeout = \"500ms\"");
  pair.start();
  REQUIRE(wait_until(5s, [&] { return lines_of(pair.record.string() + ".daemon").size() >= 2; }));  // backup, active
  REQUIRE(wait_until(10s, [&] { return pair.a.instance().at("hooks").at("running").is_null(); }));
  REQUIRE(pair.marked() == 0);
  const Json last = pair.a.instance().at("hooks").at("last");
  CAPTURE(last.dump());
  REQUIRE(last.at("ok") == false);
  REQUIRE(last.at("outcome").get<std::string>().find("timed out") != std::string::npos);
  REQUIRE(pair.a.state() == "active");
}

TEST_CASE("lab: what a hook left behind on purpose lives on, and nothing is left after the stop", "[lab]") {
  Hooked pair(std::string(kDaemonise) + "while ! [ -s $record.daemon ]; do sleep 0.01; done");
  pair.start();
  REQUIRE(wait_until(5s, [&] { return pair.a.instance().at("hooks").at("last").is_object(); }));
  REQUIRE(pair.marked() > 0);
  const bool crash = GENERATE(false, true);
  if (crash)
    pair.a.vipd().signal(SIGKILL);
  else
    pair.stop();
  REQUIRE(pair.none_left());
}

TEST_CASE("lab: no hook, whatever it does, changes the timing of adverts or leaves a process behind", "[lab]") {
  const auto adverts = static_cast<std::size_t>(rounds(30, 300));
  const std::string timeout = std::string("hooks.timeout = \"") + (is_long() ? "10s\"" : "500ms\"");
  Hooked quiet("true");
  quiet.start();
  const Jitter without = quiet.jitter_during(adverts);
  const auto report = [&](const std::string& beside, const Jitter& jitter) {
    std::cout << "measured: " << adverts << " gaps between adverts, " << beside << ": off by " << in_ms(jitter.median)
              << " ms (median), " << in_ms(jitter.worst) << " ms (worst)" << std::endl;
  };
  report("no hook", without);
  struct Nasty {
    const char* does;
    std::string body, more;
  };
  for (const auto& [does, body, more] :
       {Nasty{"sleeps for ever", "exec sleep 1000", timeout},
        Nasty{"ignores TERM", "trap '' TERM; while :; do sleep 0.1; done", timeout},
        Nasty{"forks a daemon", kDaemonise, timeout}, Nasty{"prints a gigabyte", kGigabyte, ""}}) {
    CAPTURE(does);
    Hooked nasty("echo called >> $record; " + body, more);
    nasty.start();
    const Jitter with = nasty.jitter_during(adverts);
    report(std::string("beside a hook that ") + does, with);
    REQUIRE_FALSE(lines_of(nasty.record).empty());
    REQUIRE(with.median < without.median + kInterval / 10);
    REQUIRE(with.worst < kSlack);
    REQUIRE(nasty.a.instance().at("transitions") == 2);
    nasty.stop();
    REQUIRE(nasty.none_left());
  }
}

TEST_CASE("lab: a hook that prints a gigabyte is read and thrown away", "[lab]") {
  Hooked loud(std::string(kGigabyte) + "; echo; echo the end; exit 3");
  loud.start();
  REQUIRE(wait_until(60s, [&] { return loud.a.instance().at("hooks").at("last").is_object(); }));
  const Json last = loud.a.instance().at("hooks").at("last");
  REQUIRE(last.at("output").back() == "the end");
  REQUIRE(last.at("status") == 3);
  const std::string shown = must(loud.a, program("vipctl") + " --runtime-dir " + loud.a.runtime_dir());
  REQUIRE(shown.find("| the end") != std::string::npos);
}

TEST_CASE("lab: from the address to the first instruction of the hook it takes milliseconds", "[lab]") {
  Hooked pair("date +%s%N > $record.new; mv $record.new $record");
  const AddressMonitor monitor(pair.a);
  pair.start();
  const WallTime added = moment_of(monitor, pair.vip, true, WallTime{});
  REQUIRE(wait_until(5s, [&] {
    const Json hooks = pair.a.instance().at("hooks");
    return hooks.at("running").is_null() && hooks.at("queued") == 0;
  }));
  const WallTime called{std::chrono::nanoseconds(std::stoll(lines_of(pair.record).at(0)))};
  measured("from the address to what date(1) says in the hook", called - added);
  REQUIRE(called - added < 500ms);
}

TEST_CASE("lab: vipd-runner killed during hooks costs no transition and no hook", "[lab]") {
  Hooked pair("echo \"begin $VIPD_SEQUENCE $3\" >> $record; sleep 0.2; echo \"end $VIPD_SEQUENCE $3\" >> $record");
  pair.start();
  for (int round = 0; round < rounds(6, 100); ++round) {
    const int before = pair.a.instance().at("transitions");
    const pid_t killed = pair.runner();
    const std::size_t begun = lines_of(pair.record).size();
    pair.flap();
    REQUIRE(wait_until(10s, [&] { return lines_of(pair.record).size() > begun; }));  // a hook is under way
    const int transitions = pair.a.instance().at("transitions");
    REQUIRE(kill(killed, SIGKILL) == 0);
    REQUIRE(wait_until(10s, [&] { return pair.a.instance().at("hooks").at("running").is_null(); }));
    REQUIRE(pair.runner() != killed);
    REQUIRE(transitions > before);
    REQUIRE(pair.a.instance().at("transitions") == transitions);
  }
  int last = 0, superseded = pair.a.instance().at("hooks").at("superseded");
  std::set<int> ended;
  bool under_way = false;
  for (const auto& line : lines_of(pair.record)) {  // in order, and each begins only when the previous hook has ended
    std::istringstream words(line);
    std::string what, state;
    int sequence = 0;
    words >> what >> sequence >> state;
    CAPTURE(line, last);
    if (what == "begin") {
      REQUIRE((under_way ? sequence == last : sequence >= last));
    } else {
      REQUIRE(sequence == last);
      ended.insert(sequence);
    }
    under_way = what == "begin";
    last = sequence;
  }
  const int transitions = pair.a.instance().at("transitions");
  REQUIRE(ended.contains(transitions));
  REQUIRE(static_cast<int>(ended.size()) + superseded == transitions);
  std::cout << "measured: runner killed " << rounds(6, 100) << " times during a hook: " << transitions
            << " transitions, " << ended.size() << " told to the end, " << superseded << " superseded" << std::endl;
  pair.stop();
  REQUIRE(pair.none_left());
}

TEST_CASE("lab: many real flaps: hooks in the order of transitions, one at a time, the last is the state", "[lab]") {
  const int flaps = rounds(60, 1000);
  Hooked pair("echo \"begin $VIPD_SEQUENCE $VIPD_STATE\" >> $record; sleep 0.0$(($$ % 10)); echo end >> $record");
  pair.start();
  for (int i = 0; i < flaps; ++i) pair.lab.set_port(pair.a, i % 2 == 1);  // as fast as it goes
  pair.lab.set_port(pair.a, true);
  REQUIRE(pair.a.wait_state("active", 10s));
  REQUIRE(wait_until(10s, [&] { return pair.a.instance().at("hooks").at("running").is_null(); }));
  const Lines lines = lines_of(pair.record);
  int last = 0, told = 0;
  std::string state;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    CAPTURE(i, lines[i]);
    if (i % 2 == 1) {
      REQUIRE(lines[i] == "end");
      continue;
    }
    std::istringstream words(lines[i]);
    std::string begin;
    int sequence = 0;
    words >> begin >> sequence >> state;
    REQUIRE(begin == "begin");
    REQUIRE(sequence > last);
    last = sequence;
    ++told;
  }
  const Json instance = pair.a.instance();
  std::cout << "measured: " << flaps << " flaps: " << instance.at("transitions") << " transitions, " << told
            << " told, " << instance.at("hooks").at("superseded") << " superseded" << std::endl;
  REQUIRE(told + instance.at("hooks").at("superseded").get<int>() == instance.at("transitions").get<int>());
  REQUIRE(state == "active");
}

TEST_CASE("lab: vipd-runner runs nothing but what the configuration names, and serves one vipd at a time", "[lab]") {
  Lab lab;
  Node& a = lab.add_bare_node("a", 1);
  const std::string hook = a.directory() / "hook", socket = a.runtime_dir() + "/runner.sock";
  write_script(hook, "echo \"$*\"");
  std::ofstream(a.directory() / "vipd.toml") << web(Family::ipv4, 254, "hooks.any = \"" + hook + "\"");
  Process runner(a, {program("vipd-runner"), "--config", a.directory() / "vipd.toml", "--runtime-dir", a.runtime_dir(),
                     "--state-dir", a.directory() / "state-runner"});
  REQUIRE(wait_until(5s, [&] { return connect_to(socket).has_value(); }));  // the file exists a moment earlier

  auto loop = std::move(*EventLoop::create());
  Lines answers;
  const auto open = [&](Lines& into) {
    return std::move(*MessageSocket::open(
        *loop, std::move(*connect_to(socket)), [&](const auto& message) { into.push_back(message.dump()); }, [] {}));
  };
  const auto until = [&](const Lines& list, std::size_t count) {
    return wait_until(10s, [&] {
      loop->turn(10ms);
      return list.size() >= count;
    });
  };
  auto client = open(answers);
  REQUIRE(until(answers, 1));
  const auto ask = [&](const Lines& arguments, const Lines& environment) {
    const std::size_t before = answers.size();
    const Command command{.label = "test", .arguments = arguments, .environment = environment, .timeout = 5s};
    client->send(to_message(RunRequest{before, command}));
    REQUIRE(until(answers, before + 1));
    return answers.back();
  };
  REQUIRE(ask({hook, "INSTANCE", "web", "MASTER", "254"}, {"VIPD_STATE=active"}).find("INSTANCE web MASTER 254") !=
          std::string::npos);
  REQUIRE(ask({"/bin/sh", "-c", "id"}, {}).find("names no such program") != std::string::npos);
  REQUIRE(ask({hook, "INSTANCE", "web", "MASTER", "254"}, {"LD_PRELOAD=/x"}).find("refused") != std::string::npos);
  fs::permissions(hook, fs::perms::others_write, fs::perm_options::add);
  REQUIRE(ask({hook, "INSTANCE", "web", "MASTER", "254"}, {}).find("writable by others") != std::string::npos);

  // Programs that the file names by now are allowed silently.
  std::ofstream(a.directory() / "vipd.toml") << web(Family::ipv4, 254, "hooks.active = [\"/bin/echo\", \"new\"]");
  REQUIRE(ask({"/bin/echo", "new"}, {}).find("\"new\"") != std::string::npos);

  Lines second_answers;
  const auto second = open(second_answers);
  REQUIRE(ask({"/bin/echo", "new"}, {}).find("\"new\"") != std::string::npos);
  REQUIRE(second_answers.empty());
  client.reset();
  REQUIRE(until(second_answers, 1));
  runner.signal(SIGTERM);
  REQUIRE(runner.wait_exit(10s) == 0);
}
