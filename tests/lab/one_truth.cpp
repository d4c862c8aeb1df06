// One truth: vipd-runner serves the configuration in force, whatever becomes of the files or of vipd-runner.
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "attacker.hpp"

using namespace vipd;
using namespace vipd::lab;
namespace fs = std::filesystem;

namespace {

/// A configuration whose only check runs this command.
std::string checked_by(const std::string& command, int priority = 254) {
  return web(Family::ipv4, priority, "checks = [\"app\"]\n") + "[check.app]\ncommand = \"" + command +
         "\"\ninterval = \"200ms\"\ntimeout = \"1s\"\nrise = 1\nfall = 1\non_fail = \"fault\"\n";
}

Json check_of(const Node& node) {
  const Json instance = node.instance();
  return instance.contains("checks") && !instance["checks"].empty() ? instance["checks"][0] : Json::object();
}

bool wait_fresh(const Node& node, bool fresh = true) {
  return wait_until(10s, [&] {
    const Json check = check_of(node);
    return check.value("state", "") == "pass" && check.value("stale", fresh) != fresh;
  });
}

/// True if vipd-runner has a copy of the configuration in force.
bool is_served(const Node& node) {
  std::string mark = node.runtime_dir();
  std::ranges::replace(mark, '/', '+');
  return fs::exists(node.directory() / ("state-runner/served" + mark) / "1.json");
}

/// Kills the runner of a vipd that was started by hand; that vipd starts another runner.
void kill_runner(Node& node) {
  const std::string before = must(node, "pgrep -P " + std::to_string(node.vipd().pid()) + " -x vipd-runner");
  ::kill(std::stoi(before), SIGKILL);
  REQUIRE(wait_until(5s, [&] {
    const auto now = run(node, {"pgrep", "-P", std::to_string(node.vipd().pid()), "-x", "vipd-runner"});
    return now.status == 0 && now.output != before;
  }));
}

}  // namespace

TEST_CASE("lab: F16: after a trial that nobody confirmed the node is fit again", "[lab]") {
  Lab lab;
  Node& a = lab.add_node("a", 1);
  a.start_vipd(checked_by("/bin/true"));
  REQUIRE(a.wait_state("active"));
  REQUIRE(wait_fresh(a));
  write_config(a, checked_by("/bin/false"));
  REQUIRE(vipctl(a, {"reload", "--confirm", "1s"}).status == 0);
  REQUIRE(wait_until(5s, [&] { return a.state() == "initialize"; }));
  REQUIRE(a.wait_state("active"));
  REQUIRE(wait_fresh(a));
  kill_runner(a);  // another runner has the same truth
  REQUIRE(wait_fresh(a));
  REQUIRE(a.state() == "active");
}

TEST_CASE("lab: F16: files that nobody reloaded move nothing when the runners start again", "[lab]") {
  Pair pair(Family::ipv4);
  pair.a.start_vipd(checked_by("/bin/true"));
  REQUIRE(pair.a.wait_state("active"));
  pair.b.start_vipd(checked_by("/bin/true", 253));
  REQUIRE(pair.b.wait_state("backup"));
  for (const Node* node : {&pair.a, &pair.b})
    REQUIRE(wait_until(5s, [&] { return wait_fresh(*node) && is_served(*node); }));
  const std::string files = GENERATE("edited", "broken", "unreadable");
  CAPTURE(files);
  for (const Node* node : {&pair.a, &pair.b}) {
    if (files == "unreadable")
      fs::remove(node->directory() / "vipd.toml");
    else
      write_config(*node, files == "edited" ? checked_by("/bin/false", 200) : "[instance");
  }
  const int before = pair.a.instance().at("transitions").get<int>() + pair.b.instance().at("transitions").get<int>();
  for (Node* node : {&pair.a, &pair.b}) kill_runner(*node);
  pair.await_adverts(pair.source_a, 10);
  for (const Node* node : {&pair.a, &pair.b}) {
    CHECK(wait_fresh(*node));
    CHECK(count_of(const_cast<Node*>(node)->vipd().errors(), "failed") == 0);
    CHECK(count_of(const_cast<Node*>(node)->vipd().errors(), "stale") == 0);
  }
  CHECK(pair.a.instance().at("transitions").get<int>() + pair.b.instance().at("transitions").get<int>() == before);
  CHECK(pair.a.has(pair.vip));
}

TEST_CASE("lab: F16: what vipd-runner does not have is stale, said once, and no verdict", "[lab]") {
  Lab lab;
  Node& a = lab.add_node("a", 1);
  a.start_vipd(checked_by("/bin/true"));
  REQUIRE(a.wait_state("active"));
  REQUIRE(wait_until(5s, [&] { return wait_fresh(a) && is_served(a); }));
  const int before = a.instance().at("transitions");
  write_config(a, checked_by("/bin/false"));
  fs::remove_all(a.directory() / "state-runner");  // no copy of the configuration in force is left
  kill_runner(a);
  REQUIRE(wait_fresh(a, false));
  const std::string reason = check_of(a).at("stale_reason");
  CHECK(reason.find("does not have the configuration in force") != std::string::npos);
  CHECK(vipctl(a, {"status"}).output.find("STALE: refused: ") != std::string::npos);
  std::this_thread::sleep_for(1s);  // five refusals
  CHECK(count_of(a.vipd().errors(), "check app: stale") == 1);
  CHECK(count_of(a.vipd().errors(), "does not have the configuration in force") <=
        3);  // check, runner: once, a request
  CHECK(a.instance().at("transitions") == before);
  write_config(a, checked_by("/bin/true"));  // root takes the edit back
  REQUIRE(wait_fresh(a));
  CHECK(count_of(a.vipd().errors(), "check app: has results again") == 1);
}

TEST_CASE("lab: F16: a runner that stands still makes checks stale and fails none", "[lab]") {
  Lab lab;
  Node& a = lab.add_node("a", 1);
  a.start_vipd(checked_by("/bin/true"));
  REQUIRE(a.wait_state("active"));
  REQUIRE(wait_fresh(a));
  const int before = a.instance().at("transitions");
  const int runner = std::stoi(must(a, "pgrep -P " + std::to_string(a.vipd().pid()) + " -x vipd-runner"));
  ::kill(runner, SIGSTOP);
  CHECK(wait_fresh(a, false));
  CHECK(check_of(a).at("stale_reason") == "vipd-runner does not answer");
  CHECK(wait_until(5s, [&] { return count_of(a.vipd().errors(), "check app: stale") == 1; }));
  ::kill(runner, SIGCONT);
  CHECK(wait_fresh(a));
  CHECK(a.instance().at("transitions") == before);
}

TEST_CASE("lab: F15: what user vipd writes into its state directory is no history for root", "[lab]") {
  Lab lab;
  Node& a = lab.add_node("a", 1);
  a.start_vipd(web(Family::ipv4, 254));
  REQUIRE(a.wait_state("active"));
  const fs::path own = a.directory() / "state-runner", vipds = a.directory() / "state";
  REQUIRE(wait_until(5s, [&] { return fs::exists(own / "history/1.json"); }));
  std::ifstream kept(own / "history/1.json");
  std::string forged(std::istreambuf_iterator<char>(kept), {});
  forged.replace(forged.find("254"), 3, "111");
  const auto forge = [&](const fs::path& history) {
    fs::create_directories(history);
    std::ofstream(history / "2.json") << forged;
  };
  forge(vipds / "history");
  const std::string config = a.directory() / "vipd.toml";
  const auto restore = [&](const fs::path& from) {
    return vipctl(a, {"config", "restore", "2", "--config", config, "--state-dir", from});
  };
  CHECK(restore(own).status == 1);  // the history has no number 2
  // Even where root is led there: the directory belongs to the attacker.
  must(a, "chown -R 4242:4242 " + vipds.string());
  const Finished refused = restore(vipds);
  CHECK(refused.status == 1);
  CHECK(refused.errors.find("vipctl does not trust it") != std::string::npos);
  fs::create_directory_symlink(vipds, a.directory() / "led");
  CHECK(restore(a.directory() / "led").status == 1);
  std::ifstream file(config);
  CHECK(std::string(std::istreambuf_iterator<char>(file), {}) == web(Family::ipv4, 254));
  CHECK((fs::status(own).permissions() & fs::perms::others_all) == fs::perms::none);
}
