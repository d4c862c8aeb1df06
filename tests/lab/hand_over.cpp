// `vipctl reexec` goes on with the configuration in force, whatever became of the files and of the program on the disk.
#include <csignal>
#include <filesystem>
#include <fstream>

#include "attacker.hpp"

using namespace vipd;
using namespace vipd::lab;
namespace fs = std::filesystem;

namespace {

/// A configuration with adverts every second, and a check that passes.
std::string with_check(int priority, const std::string& command = "/bin/true") {
  std::string text = web(Family::ipv4, priority, "checks = [\"app\"]\n");
  text.replace(text.find("100ms"), 5, "1s");
  return text + "[check.app]\ncommand = \"" + command +
         "\"\ninterval = \"200ms\"\ntimeout = \"1s\"\nrise = 1\nfall = 1\non_fail = \"fault\"\n";
}

Json check_state(const Node& node) { return node.instance().at("checks").at(0); }

bool check_passes(const Node& node) {
  return wait_until(10s,
                    [&] { return check_state(node).at("state") == "pass" && check_state(node).at("stale") == false; });
}

/// Spoils the files of a node in the way of `form`.
void spoil(const Node& node, const std::string& form) {
  if (form == "missing")
    fs::remove(node.directory() / "vipd.toml");
  else
    write_config(node, form == "edited" ? with_check(100, "/bin/false") : "[instance");
}

int transitions_of(const Node& node) { return node.instance().at("transitions"); }
int base_of_web(const Node& node) { return node.instance().at("priority").at("base"); }

/// Copies of the programs in a directory of their own, so that a test can replace them.
struct OwnPrograms {
  explicit OwnPrograms(const Node& its_node) : node(its_node), directory(node.directory() / "bin") {
    fs::create_directory(directory);
    for (const char* each : {"vipd", "vipd-runner", "vipd-check", "vipctl"}) fs::copy(program(each), directory / each);
  }
  std::vector<std::string> vipd_command() const {
    std::vector<std::string> words = node.vipd_command();
    words.front() = directory / "vipd";
    return words;
  }
  Finished reexec() const { return run(node, {directory / "vipctl", "--runtime-dir", node.runtime_dir(), "reexec"}); }
  /// Replaces the program as a package does: the running program keeps its file.
  void replace_by(const fs::path& other) const {
    fs::copy_file(other, directory / "vipd.new");
    fs::permissions(directory / "vipd.new", fs::perms(0755));
    fs::rename(directory / "vipd.new", directory / "vipd");
  }
  /// A copy of vipd without one key, like a later version that has renamed the key.
  fs::path without_key(const std::string& key) const {
    const fs::path later = directory / "later";
    fs::copy_file(directory / "vipd", later);
    must(node, "sed -i s/" + key + "/X" + key.substr(1) + "/g " + later.string());
    return later;
  }

  const Node& node;
  const fs::path directory;
};

}  // namespace

TEST_CASE("lab: a re-exec goes on with what is in force, though the files are edited, broken or gone on both nodes",
          "[lab]") {
  Pair pair(Family::ipv4);
  pair.a.start_vipd(with_check(254));
  REQUIRE(pair.a.wait_state("active", 10s));
  pair.b.start_vipd(with_check(253));
  REQUIRE(pair.b.wait_state("backup"));
  for (const Node* node : {&pair.a, &pair.b}) REQUIRE(check_passes(*node));
  pair.await_adverts(pair.source_a, 2);
  const std::size_t seen = pair.sniffer.adverts_from(pair.source_a).size() - 1;
  const AddressMonitor on_a(pair.a), on_b(pair.b);
  for (const std::string form : {"edited", "broken", "missing"}) {
    CAPTURE(form);
    for (Node* node : {&pair.b, &pair.a}) {
      spoil(*node, form);
      const Finished done = vipctl(*node, {"reexec"});
      CAPTURE(done.errors);
      REQUIRE(done.status == 0);
      CHECK(node->status().at("files_in_force") == false);
      CHECK(vipctl(*node, {"status"}).output.find("the files are NOT IN FORCE") != std::string::npos);
      CHECK(base_of_web(*node) == (node == &pair.a ? 254 : 253));
      CHECK(check_passes(*node));
      const Finished diff = vipctl(*node, {"diff"});
      CHECK(diff.status == (form == "edited" ? 0 : 2));
      if (form == "edited") CHECK(diff.output.find("-> 100") != std::string::npos);
    }
  }
  CHECK(transitions_of(pair.a) == 0);  // the new program counts anew
  CHECK(transitions_of(pair.b) == 0);
  CHECK(on_a.events().empty());
  CHECK(on_b.events().empty());
  pair.await_adverts(pair.source_a, 1);
  const Duration gap = longest_gap(pair.sniffer.adverts_from(pair.source_a), seen);
  measured("the longest gap over three re-execs with spoilt files, of adverts each second", gap);
  CHECK(gap < 1s + 2 * kSlack);
  for (Node* node : {&pair.a, &pair.b}) {
    const std::string log = node->vipd().errors();
    CHECK(count_of(log, "is not in force: `vipctl diff`") == 3);
    CHECK(count_of(log, "failed") == 0);
    CHECK(count_of(log, "stale") == 0);
  }
  spoil(pair.b, "edited");
  REQUIRE(vipctl(pair.b, {"reload"}).status == 0);  // an operator asks for it
  CHECK(base_of_web(pair.b) == 100);
  CHECK(pair.b.status().at("files_in_force") == true);
}

TEST_CASE("lab: a re-exec goes on with the last reload, though nothing of it could be kept on a disk", "[lab]") {
  Lab lab;
  Node& node = lab.add_node("a", 1);
  node.start_vipd(web(Family::ipv4, 254));
  REQUIRE(node.wait_state("active"));
  const fs::path kept = fs::path(node.runtime_dir()) / "in-force";
  REQUIRE(wait_until(5s, [&] { return fs::exists(kept / "1.json"); }));
  fs::rename(kept, kept.string() + "-before");
  std::ofstream(kept) << "no directory";
  write_config(node, web(Family::ipv4, 200));
  REQUIRE(vipctl(node, {"reload"}).status == 0);
  write_config(node, "[instance");
  REQUIRE(vipctl(node, {"reexec"}).status == 0);
  CHECK(base_of_web(node) == 200);
  CHECK(node.state() == "active");
  write_config(node, web(Family::ipv4, 200));  // a good file, for the last will at the end
}

TEST_CASE("lab: a program that does not accept what is in force gives the process back, and nothing has changed",
          "[lab]") {
  Lab lab;
  Node& node = lab.add_node("a", 1);
  const OwnPrograms programs(node);
  write_config(node, web(Family::ipv4, 254));
  Process vipd(node, programs.vipd_command());
  REQUIRE(node.wait_state("active"));
  const int pid = node.status().at("pid");
  const AddressMonitor monitor(node);

  programs.replace_by(programs.without_key("advert_interval"));
  write_config(node, "[instance.web]\ninterface = \"eth0\"\nvrid = 51\naddresses = [\"192.0.2.10/24\"]\n");
  for (int round = 0; round < 2; ++round) {  // the program that came back has a way back, too
    const Finished refused = programs.reexec();
    CAPTURE(refused.errors);
    CHECK(refused.status == 1);
    CHECK(refused.errors.find("does not accept the configuration in force") != std::string::npos);
    CHECK(node.status().at("pid") == pid);
    CHECK(node.state() == "active");
    CHECK(base_of_web(node) == 254);
  }
  CHECK(must(node, "cat /proc/" + std::to_string(pid) + "/comm") == "vipd\n");
  CHECK(vipd.errors().find("unknown") != std::string::npos);  // the log names the key
  CHECK(vipd.errors().find("the previous program goes on") != std::string::npos);

  programs.replace_by("/bin/false");  // a program that does not run at all, as without a library
  const Finished broken = programs.reexec();
  CHECK(broken.status == 1);
  CHECK(broken.errors.find("does not run here") != std::string::npos);

  programs.replace_by(program("vipd"));
  const Finished done = programs.reexec();
  CAPTURE(done.errors);
  CHECK(done.status == 0);
  CHECK(fs::read_symlink("/proc/" + std::to_string(pid) + "/exe") == programs.directory / "vipd");
  CHECK(monitor.events().empty());
  CHECK(base_of_web(node) == 254);
}

TEST_CASE("lab: a vipd of an earlier version leaves its record, and root believes it only where root made it",
          "[lab]") {
  Lab lab;
  Node& node = lab.add_node("a", 1);
  const bool of_others = GENERATE(false, true);
  CAPTURE(of_others);
  node.start_vipd(web(Family::ipv4, 254));
  REQUIRE(node.wait_state("active"));
  REQUIRE(wait_until(5s, [&] { return fs::exists(fs::path(node.runtime_dir()) / "in-force/1.json"); }));
  node.vipd().signal(SIGKILL);
  REQUIRE(node.vipd().wait_exit(5s));
  if (of_others) must(node, "chown 4242 " + node.runtime_dir());
  node.start_vipd(web(Family::ipv4, 100), {"env", "VIPD_CONTROL_LISTENER=99"});  // as after such a re-exec
  REQUIRE(node.wait_state("active"));
  CHECK(base_of_web(node) == (of_others ? 100 : 254));
  CHECK((node.vipd().errors().find("the files come into force") != std::string::npos) == of_others);
  CHECK(node.status().at("files_in_force") == of_others);
}
