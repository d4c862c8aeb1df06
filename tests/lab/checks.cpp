// Checks with real processes: their results, the holder of the address, and no process left over.
#include <csignal>
#include <fstream>
#include <map>

#include "pair.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace {

/// [check.app], which passes while the file is there. Its timeout leaves room for a sanitized runner on a busy machine.
std::string file_check(const std::filesystem::path& file, const std::string& more = "") {
  return "[check.app]\ncommand = \"test -e " + file.string() + "\"\ninterval = \"400ms\"\ntimeout = \"400ms\"\n" + more;
}

Json check_of(const Node& node) {
  const Json instance = node.instance();
  return instance.contains("checks") && !instance["checks"].empty() ? instance["checks"][0] : Json::object();
}

bool wait_check(const Node& node, const std::string& state) {
  return wait_until(5s, [&] { return check_of(node).value("state", "") == state; });
}

/// Two nodes that do not preempt; on each the service is a file.
struct ServicePair : Pair {
  ServicePair(int priority_b, const std::string& more = "") : Pair(Family::ipv4) {
    for (Node* node : {&a, &b}) std::ofstream(service(*node)) << "up\n";
    a.start_vipd(config(a, 254, more));
    REQUIRE(a.wait_state("active"));
    b.start_vipd(config(b, priority_b, more));
    REQUIRE(wait_until(5s, [&] { return b.instance().value("fit", false) && b.state() == "backup"; }));
    await_adverts(source_a, 2);
  }
  static std::filesystem::path service(const Node& node) { return node.directory() / "service"; }
  std::string config(const Node& node, int priority, const std::string& more) const {
    return web(family, priority, "preempt = false\nchecks = [\"app\"]\n") + file_check(service(node), more);
  }
};

}  // namespace

TEST_CASE("lab: checks: a service that dies gives the address to a lesser peer, though nobody preempts", "[lab]") {
  ServicePair pair(GENERATE(253, 100));
  std::filesystem::remove(ServicePair::service(pair.a));
  REQUIRE(wait_until(5s, [&] { return pair.b.has(pair.vip) && !pair.a.has(pair.vip); }));
  REQUIRE(pair.a.wait_state("backup"));
  const Json sick = pair.a.instance();
  REQUIRE(sick.at("fit") == false);
  REQUIRE(sick.at("unfit") == "check app failed: exit status 1");
  REQUIRE(sick.at("priority").at("effective") == 1);
  REQUIRE(check_of(pair.a).at("on_fail") == "yield");
  const std::string shown = must(pair.a, program("vipctl") + " --runtime-dir " + pair.a.runtime_dir() + " status");
  INFO(shown);
  REQUIRE(shown.find("BACKUP, UNFIT") != std::string::npos);
  REQUIRE(shown.find("app FAILED (exit status 1)") != std::string::npos);
  std::ofstream(ServicePair::service(pair.a)) << "up\n";
  REQUIRE(wait_until(5s, [&] { return pair.a.instance().at("fit") == true; }));
  pair.await_adverts(pair.source_b, 10);
  REQUIRE_FALSE(pair.a.has(pair.vip));
}

TEST_CASE("lab: checks: when the service is dead on both the address stays on one of them", "[lab]") {
  ServicePair pair(253);
  std::filesystem::remove(ServicePair::service(pair.b));
  REQUIRE(wait_check(pair.b, "fail"));
  const AddressMonitor monitor_a(pair.a), monitor_b(pair.b);
  std::filesystem::remove(ServicePair::service(pair.a));
  REQUIRE(wait_check(pair.a, "fail"));
  pair.await_adverts(pair.source_a, 30);
  REQUIRE(pair.a.has(pair.vip));
  REQUIRE(monitor_a.events().empty());
  REQUIRE(monitor_b.events().empty());
}

TEST_CASE("lab: checks: the runner is killed again and again, and nothing moves", "[lab]") {
  ServicePair pair(253);
  const auto transitions = [](const Node& node) { return node.instance().at("transitions").get<int>(); };
  const int before = transitions(pair.a) + transitions(pair.b);
  for (int i = 0; i < rounds(10, 100); ++i) {
    const std::string pid = must(pair.a, "pgrep -P " + std::to_string(pair.a.vipd().pid()) + " -x vipd-runner");
    ::kill(std::stoi(pid), SIGKILL);
    REQUIRE(wait_until(5s, [&] {
      const auto now = run(pair.a, {"pgrep", "-P", std::to_string(pair.a.vipd().pid()), "-x", "vipd-runner"});
      return now.status == 0 && now.output != pid;
    }));
  }
  REQUIRE(wait_until(5s, [&] { return check_of(pair.a).value("stale", true) == false; }));
  REQUIRE(transitions(pair.a) + transitions(pair.b) == before);
  std::filesystem::remove(ServicePair::service(pair.a));  // checks still work
  REQUIRE(wait_until(5s, [&] { return pair.b.has(pair.vip) && !pair.a.has(pair.vip); }));
}

TEST_CASE("lab: checks: one that hangs fails, and what it started is gone", "[lab]") {
  Pair pair(Family::ipv4);
  pair.a.start_vipd(web(pair.family, 254, "checks = [\"hang\"]\n") +
                    "[check.hang]\ncommand = \"trap '' TERM; sleep 98765 & sleep 98765; sleep 98765\"\n"
                    "interval = \"100ms\"\ntimeout = \"100ms\"\n");
  REQUIRE(wait_check(pair.a, "fail"));
  REQUIRE(check_of(pair.a).at("detail") == "no result within 100ms");
  REQUIRE(pair.a.wait_state("active"));
  pair.a.vipd().signal(SIGTERM);
  REQUIRE(pair.a.vipd().wait_exit(10s) == 0);
  REQUIRE(wait_until(5s, [&] { return run(pair.a, {"pgrep", "-f", "sleep 98765"}).status == 1; }));
}

TEST_CASE("lab: checks: a weight that a command delivers is the priority that peers hear", "[lab]") {
  Pair pair(Family::ipv4);
  const auto number = pair.a.directory() / "number";
  std::ofstream(number) << "-20\n";
  pair.a.start_vipd(web(pair.family, 200, "checks = [\"load\"]\n") + "[check.load]\ncommand = [\"/bin/cat\", \"" +
                    number.string() + "\"]\ninterval = \"400ms\"\ntimeout = \"400ms\"\ndelivers_weight = true\n");
  REQUIRE(pair.a.wait_state("active"));
  const auto heard = [&](int priority) {
    return wait_until(5s, [&] {
      const auto adverts = pair.sniffer.adverts_from(pair.source_a);
      return !adverts.empty() && adverts.back().at("priority") == priority;
    });
  };
  REQUIRE(heard(180));
  std::ofstream(number) << "-55\n";
  REQUIRE(heard(145));
}

TEST_CASE("lab: checks: a program that others may write is refused by --check, with the remedy", "[lab]") {
  Pair pair(Family::ipv4);
  const auto file = pair.a.directory() / "check";
  std::ofstream(file) << "#!/bin/sh\n";
  std::filesystem::permissions(file, std::filesystem::perms::all);
  const auto config = pair.a.directory() / "vipd.toml";
  std::ofstream(config) << web(pair.family, 254, "checks = [\"app\"]\n") << "[check.app]\ncommand = [\""
                        << file.string() << "\"]\n";
  const auto checked = run(pair.a, {program("vipd"), "--config", config, "--check"});
  INFO(checked.errors);
  REQUIRE(checked.status == 2);
  REQUIRE(checked.errors.find("error[script-security]") != std::string::npos);
}

TEST_CASE("lab: checks: a process is found by a long script's name, by a path with arguments, and by a link", "[lab]") {
  Pair pair(Family::ipv4);
  Node& node = pair.a;
  const std::string name = "my-very-long-daemon.sh", script = node.directory() / name, link = node.directory() / "link";
  std::ofstream(script) << "#!/bin/sh\nsleep 98764\n";
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  std::filesystem::create_symlink(script, link);
  const std::string asked = "interval = \"400ms\"\ntimeout = \"400ms\"\nfall = 1\nrise = 1\n";
  node.start_vipd(web(pair.family, 254, "checks = [\"link\", \"name\", \"path\"]\n") + "[check.name]\nprocess = \"" +
                  name + "\"\n" + asked + "[check.path]\nprocess = \"" + script + " 600\"\n" + asked +
                  "[check.link]\nprocess = \"" + link + "\"\n" + asked);
  const auto all = [&](const std::string& state) {
    const Json checks = node.instance().value("checks", Json::array());
    return checks.size() == 3 && std::ranges::all_of(checks, [&](const Json& each) { return each["state"] == state; });
  };
  REQUIRE(wait_until(5s, [&] { return all("fail"); }));
  {
    const Process daemon(node, {script, "600"});
    REQUIRE(wait_until(5s, [&] { return all("pass"); }));
  }
  REQUIRE(wait_until(5s, [&] { return all("fail"); }));
  std::filesystem::remove(script);
  REQUIRE(wait_until(5s, [&] {
    return node.instance()["checks"][2]["detail"] == "0 of 1 processes of " + script + " 600: there is no " + script;
  }));
  const auto checked = run(node, {program("vipd"), "--config", node.directory() / "vipd.toml", "--check"});
  INFO(checked.errors);
  REQUIRE(checked.status == 0);
  REQUIRE(checked.errors.find("warning[process]: no process can run this now: there is no " + script) !=
          std::string::npos);
}

TEST_CASE("lab: checks: each built-in kind passes and fails for its reason", "[lab]") {
  Pair pair(Family::ipv4);
  const Node& node = pair.a;
  must(node, "ip link set lo up");
  must(node, "ip link add extra type veth peer name other");
  must(node, "ip link set other up");
  must(node, "ip link set extra up");
  const auto file = node.directory() / "fit";
  std::ofstream(file) << "7\n";
  auto server =
      std::make_unique<Process>(node, std::vector<std::string>{"python3", "-m", "http.server", "8080", "--bind",
                                                               "127.0.0.1", "--directory", node.directory()});
  const std::string sleep = node.directory() / "sleeper";
  std::filesystem::copy_file("/bin/sleep", sleep);
  auto sleeper = std::make_unique<Process>(node, std::vector<std::string>{sleep, "98766"});
  const std::vector<std::pair<std::string, std::string>> kinds = {
      {"file", "file = \"" + file.string() + "\"\ndelivers_weight = true"},
      {"gateway", "ping = \"192.0.2.2\""},
      {"http", "http = \"http://127.0.0.1:8080/fit\"\ncontains = \"7\""},
      {"link", "interface = \"extra\""},
      {"process", "process = \"" + sleep + "\""},
      {"tcp", "tcp = \"127.0.0.1:8080\""}};
  std::string names, checks;
  for (const auto& [name, lines] : kinds) {
    names += (names.empty() ? "\"" : ", \"") + name + "\"";
    checks += "[check." + name + "]\n" + lines + "\ninterval = \"1s\"\ntimeout = \"1s\"\nfall = 1\nrise = 1\n";
  }
  pair.a.start_vipd(web(pair.family, 200, "checks = [" + names + "]\n") + checks);
  const auto states = [&] {
    std::string text;
    const Json instance = node.instance();
    for (const Json& check : instance.value("checks", Json::array()))
      text += check.at("name").get<std::string>() + " " + check.at("state").get<std::string>() + "; ";
    return text;
  };
  const auto all = [&](const std::string& state) {
    std::string text;
    for (const auto& kind : kinds) text += kind.first + " " + state + "; ";
    return text;
  };
  const bool passed = wait_until(10s, [&] { return states() == all("pass"); });
  INFO(node.instance().dump(2));
  REQUIRE(passed);
  REQUIRE(node.instance().at("priority").at("effective") == 207);
  std::filesystem::remove(file);
  server.reset();
  sleeper.reset();
  must(node, "ip link set extra down");
  pair.lab.set_port(pair.b, false);
  const bool failed = wait_until(10s, [&] { return states() == all("fail"); });
  INFO(node.instance().dump(2));
  REQUIRE(failed);
  std::map<std::string, std::string> details;
  const Json sick = node.instance();
  for (const Json& check : sick.at("checks")) details[check.at("name")] = check.at("detail");
  REQUIRE(details["file"] == "cannot open " + file.string() + ": No such file or directory");
  REQUIRE(details["http"] == "Couldn't connect to server");
  REQUIRE(details["link"] == "interface extra is down");
  REQUIRE(details["process"] == "0 of 1 processes of " + sleep);
  REQUIRE(details["tcp"] == "cannot connect to 127.0.0.1:8080: Connection refused");
  REQUIRE(details["gateway"] == "no result within 1s");
}

TEST_CASE("lab: F26: a check that asks the network is nobody, without a capability", "[lab]") {
  Lab lab;
  const Node &a = lab.add_node("a", 1), &b = lab.add_node("b", 2);
  lab.drop("ip saddr 192.0.2.2");  // the question is under way, and no answer comes
  must(a, "ip neigh replace 192.0.2.2 lladdr 02:00:00:00:00:99 dev eth0 nud permanent");
  const std::filesystem::path checker = std::filesystem::path(program("vipd")).parent_path() / "vipd-check";
  using Words = std::vector<std::string>;
  for (const Words& words :
       {Words{"tcp", "192.0.2.2:7"}, Words{"http", "http://192.0.2.2:7/", "0", ""}, Words{"ping", "192.0.2.2"}}) {
    CAPTURE(words[0]);
    Words command{checker};
    command.insert(command.end(), words.begin(), words.end());
    Process check(a, command);
    const auto status = [&] {
      std::ifstream file("/proc/" + std::to_string(check.pid()) + "/status");
      return std::string(std::istreambuf_iterator<char>(file), {});
    };
    REQUIRE(wait_until(5s, [&] { return status().find("NoNewPrivs:\t1") != std::string::npos; }));
    CAPTURE(status());
    for (const char* line : {"Uid:\t65534\t65534\t65534\t65534", "Gid:\t65534\t65534\t65534\t65534", "Groups:\t \n",
                             "CapInh:\t0000000000000000", "CapPrm:\t0000000000000000", "CapEff:\t0000000000000000",
                             "CapBnd:\t0000000000000000", "CapAmb:\t0000000000000000"})
      REQUIRE(status().find(line) != std::string::npos);
    REQUIRE(check.running());
  }
  REQUIRE(b.source(Family::ipv4) == "192.0.2.2");
}
