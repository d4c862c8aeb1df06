// Hooks: their arguments, their order, and that they delay nothing.
#include <algorithm>
#include <csignal>
#include <fstream>
#include <sstream>

#include "pair.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace {

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("lab: hooks are called as keepalived would, in order, and the last one before the end", "[lab]") {
  Pair pair(Family::ipv4);
  const auto record = pair.a.directory() / "record";
  const std::string any = write_script(pair.a.directory() / "any", "echo \"any $*\" >> " + record.string());
  const std::string own = write_script(pair.a.directory() / "own", "sleep 0.1; echo \"own $*\" >> " + record.string());
  std::string more = "hooks.any = [\"" + any + "\", \"extra\"]\n";
  for (const char* state : {"active", "backup", "stop"})
    more += std::string("hooks.") + state + " = [\"" + own + "\", \"" + state + "\"]\n";
  pair.a.start_vipd(web(pair.family, 254, more));
  REQUIRE(pair.a.wait_state("active"));
  REQUIRE(wait_until(5s, [&] { return lines_of(record).size() >= 4; }));
  pair.a.vipd().signal(SIGTERM);
  REQUIRE(pair.a.vipd().wait_exit(10s) == 0);
  REQUIRE(lines_of(record) == Lines{"own backup", "any extra INSTANCE web BACKUP 254", "own active",
                                    "any extra INSTANCE web MASTER 254", "own stop",
                                    "any extra INSTANCE web STOP 254"});
}

TEST_CASE("lab: a hook is told of a fault", "[lab]") {
  Pair pair(Family::ipv4);
  const auto record = pair.a.directory() / "record";
  const std::string any = write_script(pair.a.directory() / "any", "echo \"$*\" >> " + record.string());
  pair.a.start_vipd(web(pair.family, 254, "hooks.any = \"" + any + "\""));
  REQUIRE(pair.a.wait_state("active"));
  pair.lab.set_port(pair.a, false);
  REQUIRE(wait_until(5s, [&] { return lines_of(record).size() >= 3; }));
  REQUIRE(lines_of(record).back() == "INSTANCE web FAULT 254");
}

TEST_CASE("lab: hooks find the circumstances in their environment", "[lab]") {
  Pair pair(Family::ipv4);
  const auto record = pair.a.directory() / "record";
  const std::string hook = write_script(pair.a.directory() / "hook", "env > " + record.string() + ".new; mv " +
                                                                         record.string() + ".new " + record.string());
  pair.a.start_vipd(web(pair.family, 254, "hooks.active = \"" + hook + "\""));
  REQUIRE(wait_until(5s, [&] { return std::filesystem::exists(record); }));
  const Lines lines = lines_of(record);
  const auto has = [&](const std::string& line) { return std::ranges::find(lines, line) != lines.end(); };
  REQUIRE(has("VIPD_INSTANCE=web"));
  REQUIRE(has("VIPD_STATE=active"));
  REQUIRE(has("VIPD_OLD_STATE=backup"));
  REQUIRE(has("VIPD_PRIORITY=254"));
  REQUIRE(has("VIPD_INTERFACE=eth0"));
  REQUIRE(std::ranges::any_of(lines, [](const auto& line) { return line.starts_with("VIPD_ADDRESSES=192.0.2.10"); }));
  REQUIRE(std::ranges::any_of(lines,
                              [](const auto& line) { return line.starts_with("VIPD_REASON=") && line.size() > 15; }));
  REQUIRE(std::ranges::any_of(lines, [](const auto& line) { return line.starts_with("VIPD_SEQUENCE="); }));
}

TEST_CASE("lab: a hook that cannot be started costs nothing", "[lab]") {
  Pair pair(Family::ipv4);
  const std::string hook = write_script(pair.a.directory() / "hook", "");
  std::ofstream(hook) << "#!/nonexistent/interpreter\n";
  pair.a.start_vipd(web(pair.family, 254, "hooks.any = \"" + hook + "\""));
  REQUIRE(pair.a.wait_state("active"));
  pair.await_adverts(pair.source_a, 3);
  REQUIRE(wait_until(5s, [&] { return pair.a.vipd().errors().find("hook") != std::string::npos; }));
  REQUIRE(pair.a.has(pair.vip));
}

TEST_CASE("lab: a hook that others could change is refused before anything happens, with what mends it", "[lab]") {
  Lab lab;
  Node& a = lab.add_node("a", 1);
  const std::string hook = write_script(a.directory() / "hook", "true");
  const auto check = [&](const std::string& path) {
    std::ofstream(a.directory() / "vipd.toml") << web(Family::ipv4, 254, "hooks.any = [\"" + path + "\", \"x\"]");
    auto command = a.vipd_command();
    command.push_back("--check");
    return run(a, command);
  };
  REQUIRE(check(hook).status == 0);
  std::filesystem::permissions(hook, std::filesystem::perms::others_write, std::filesystem::perm_options::add);
  const Finished refused = check(hook);
  CAPTURE(refused.errors);
  REQUIRE(refused.status == 2);
  REQUIRE(refused.errors.find("vipd.toml:7:14: error[script-security]: refusing " + hook) != std::string::npos);
  REQUIRE(refused.errors.find("hint: chmod go-w " + hook) != std::string::npos);
  REQUIRE(a.start_vipd(web(Family::ipv4, 254, "hooks.any = \"" + hook + "\"")).wait_exit(5s) == 2);
  REQUIRE(std::filesystem::is_empty(a.runtime_dir()));
  REQUIRE(check("/tmp/hook").errors.find("directory /tmp is writable by others (mode 1777)") != std::string::npos);
}

TEST_CASE("lab: hooks.d is run for everybody, and the FIFO has keepalived's lines, to the last one", "[lab]") {
  Pair pair(Family::ipv4);
  const auto record = pair.a.directory() / "record", fifo = pair.a.directory() / "notify.fifo";
  const auto hooks_d = pair.a.directory() / "hooks.d";
  std::filesystem::create_directory(hooks_d);
  for (const char* name : {"20-second", "10-first"})
    write_script(hooks_d / name, "echo \"" + std::string(name) + " $*\" >> " + record.string());
  pair.a.start_vipd(web(pair.family, 254) + "[node]\nnotify_fifo = \"" + fifo.string() + "\"\n");
  REQUIRE(pair.a.wait_state("active"));
  std::ifstream reader(fifo);  // does not block, since vipd has the FIFO open
  const auto next = [&] {
    std::string line;
    std::getline(reader, line);
    return line;
  };
  REQUIRE(next() == "INSTANCE \"web\" BACKUP 254");
  REQUIRE(next() == "INSTANCE \"web\" MASTER 254");
  pair.a.vipd().signal(SIGTERM);
  REQUIRE(next() == "INSTANCE \"web\" STOP 254");
  REQUIRE(pair.a.vipd().wait_exit(10s) == 0);
  Lines expected;
  for (const char* state : {"BACKUP", "MASTER", "STOP"})
    for (const char* name : {"10-first", "20-second"})
      expected.push_back(std::string(name) + " INSTANCE web " + state + " 254");
  REQUIRE(lines_of(record) == expected);
}

TEST_CASE("lab: a program that comes to hooks.d is told of by vipctl diff and run from the reload on", "[lab]") {
  Pair pair(Family::ipv4);
  const auto record = pair.a.directory() / "record";
  pair.a.start_vipd(web(pair.family, 254));
  REQUIRE(pair.a.wait_state("active"));
  std::filesystem::create_directory(pair.a.directory() / "hooks.d");
  const auto path = pair.a.directory() / "hooks.d" / "log";
  const std::string vipctl = program("vipctl") + " --runtime-dir " + pair.a.runtime_dir();
  std::ofstream(path) << "#!/bin/sh\n";
  REQUIRE(run(pair.a, {program("vipctl"), "--runtime-dir", pair.a.runtime_dir(), "reload"}).status == 2);
  write_script(path, "echo \"$*\" >> " + record.string());
  REQUIRE(must(pair.a, vipctl + " diff").find("hooks.d unset -> [\"" + path.string() + "\"]") != std::string::npos);
  must(pair.a, vipctl + " reload");
  pair.a.vipd().signal(SIGTERM);
  REQUIRE(pair.a.vipd().wait_exit(10s) == 0);
  REQUIRE(lines_of(record) == Lines{"INSTANCE web STOP 254"});
}

TEST_CASE("lab: a stop hook that died with vipd is told again by the next one, before anything else", "[lab]") {
  Pair pair(Family::ipv4);
  const auto record = pair.a.directory() / "record", release = pair.a.directory() / "release";
  const std::string hook =
      write_script(pair.a.directory() / "hook", "echo \"$VIPD_STATE ${VIPD_AGAIN:-0}\" >> " + record.string() +
                                                    "\n[ $VIPD_STATE != stop ] || while ! [ -e " + release.string() +
                                                    " ]; do sleep 0.02; done");
  const std::string config = web(pair.family, 254, "hooks.any = \"" + hook + "\"");
  pair.a.start_vipd(config);
  REQUIRE(pair.a.wait_state("active"));
  pair.a.vipd().signal(SIGTERM);
  REQUIRE(wait_until(10s, [&] { return lines_of(record) == Lines{"backup 0", "active 0", "stop 0"}; }));
  pair.a.vipd().signal(SIGKILL);
  REQUIRE(pair.a.vipd().wait_exit(10s));
  std::ofstream(release) << "";
  pair.a.start_vipd(config);
  REQUIRE(wait_until(10s, [&] { return lines_of(record).size() == 6; }));
  REQUIRE(lines_of(record) == Lines{"backup 0", "active 0", "stop 0", "stop 1", "backup 0", "active 0"});
}

TEST_CASE("lab: after two were Active, hooks.reassert and the FIFO say so on the one that stays", "[lab]") {
  Pair pair(Family::ipv4);
  const auto record = pair.a.directory() / "record", fifo = pair.a.directory() / "notify.fifo";
  const std::string hook = write_script(pair.a.directory() / "cloud", "echo \"$1 $VIPD_PEER\" >> " + record.string());
  pair.a.start_vipd(web(pair.family, 254, "hooks.reassert = [\"" + hook + "\", \"move\"]") +
                    "[node]\nnotify_fifo = \"" + fifo.string() + "\"\n");
  REQUIRE(pair.a.wait_state("active"));
  pair.b.start_vipd(web(pair.family, 253));
  REQUIRE(pair.b.wait_state("backup"));
  pair.lab.drop("ip protocol 112 ip saddr " + pair.source_a);  // a hears b all the time
  REQUIRE(pair.b.wait_state("active"));
  REQUIRE(lines_of(record).empty());
  pair.lab.drop_nothing();
  REQUIRE(pair.b.wait_state("backup"));
  REQUIRE(wait_until(10s, [&] { return !lines_of(record).empty(); }));
  REQUIRE(lines_of(record) == Lines{"move " + pair.source_b});
  std::ifstream reader(fifo);
  for (const char* expected :
       {"INSTANCE \"web\" BACKUP 254", "INSTANCE \"web\" MASTER 254", "INSTANCE \"web\" MASTER_RX_LOWER_PRI 254"}) {
    std::string line;
    std::getline(reader, line);
    REQUIRE(line == expected);
  }
}

TEST_CASE("lab: hooks.before_active is heard by the peers at once and has ended before the address comes", "[lab]") {
  Pair pair(each_family());
  const auto record = pair.a.directory() / "record";
  const std::string hook = write_script(
      pair.a.directory() / "promote", "ip addr show dev eth0 | grep -c -F ' " + pair.vip + "/' >> " + record.string() +
                                          "; sleep 0.4; echo \"$VIPD_STATE\" >> " + record.string());
  pair.start("hooks.before_active = \"" + hook + "\"\nhooks.active = \"" + hook + "\"");
  REQUIRE(wait_until(5s, [&] { return lines_of(record).size() == 4; }));  // a's own hooks have ended
  std::filesystem::remove(record);
  const AddressMonitor monitor(pair.b);
  const WallTime killed = std::chrono::system_clock::now();
  pair.a.vipd().signal(SIGKILL);
  const WallTime came = moment_of(monitor, pair.vip, true, killed);
  REQUIRE(lines_of(record).size() >= 2);
  REQUIRE(lines_of(record)[0] == "0");
  REQUIRE(lines_of(record)[1] == "before_active");
  const WallTime spoke = time_of(pair.sniffer.adverts_from(pair.source_b).front());
  measured("first advert of who is about to take over, before the address", came - spoke);
  REQUIRE(came - spoke >= 350ms);
  REQUIRE(pair.b.wait_state("active"));
  REQUIRE(wait_until(5s, [&] { return lines_of(record).size() == 4; }));
  REQUIRE(lines_of(record)[2] == "1");
  REQUIRE(lines_of(record)[3] == "active");
}

TEST_CASE("lab: hooks.before_active that fails keeps the node in fault, if that is wanted, and says why", "[lab]") {
  Pair pair(Family::ipv4);
  const std::string hook = write_script(pair.a.directory() / "promote", "echo no quorum; exit 3");
  pair.a.start_vipd(
      web(pair.family, 254, "hooks.before_active = \"" + hook + "\"\nhooks.before_active_failure = \"resign\""));
  REQUIRE(wait_until(5s, [&] { return pair.a.instance().value("fault", Json()).is_string(); }));
  const Json instance = pair.a.instance();
  REQUIRE(instance.at("fault").get<std::string>().starts_with("hooks.before_active: exit status 3"));
  REQUIRE(instance.at("hooks").at("last").at("output") == Json::array({"no quorum"}));
  REQUIRE_FALSE(pair.a.has(pair.vip));
  const auto said = pair.sniffer.adverts_from(pair.source_a);
  REQUIRE(said.back().at("priority") == 0);
}

TEST_CASE("lab: hooks.before_release keeps the address and the adverts until it has ended", "[lab]") {
  Pair pair(Family::ipv4);
  const auto record = pair.a.directory() / "record";
  const std::string hook =
      write_script(pair.a.directory() / "drain",
                   "sleep 0.6; ip addr show dev eth0 | grep -c -F ' " + pair.vip + "/' > " + record.string());
  pair.start("hooks.before_release = \"" + hook + "\"");
  const WallTime stopped = std::chrono::system_clock::now();
  pair.a.vipd().signal(SIGTERM);
  REQUIRE(pair.a.vipd().wait_exit(10s) == 0);
  REQUIRE(lines_of(record) == Lines{"1"});
  REQUIRE(pair.b.wait_state("active"));
  const auto said = pair.sniffer.adverts_from(pair.source_a);
  const auto resigned = std::ranges::find_if(said, [](const Json& advert) { return advert.at("priority") == 0; });
  REQUIRE(resigned != said.end());
  REQUIRE(time_of(*resigned) - stopped >= 600ms);
  REQUIRE(longest_gap(said) < kInterval + kSlack);
}
