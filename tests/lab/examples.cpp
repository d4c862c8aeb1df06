// Each file of conf/examples runs on two nodes as its first lines say, and keeps its promises.
//
// A file is changed in three ways. Adverts come every 100 ms, waits are shortened, and programs are replaced by a
// program that records its calls.
#include <csignal>
#include <deque>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include "pair.hpp"
#include "support/read_file.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace fs = std::filesystem;

namespace {

std::string replaced(std::string text, const std::string& old, const std::string& with) {
  for (std::size_t at = 0; (at = text.find(old, at)) != std::string::npos; at += with.size())
    text.replace(at, old.size(), with);
  return text;
}

std::string text_of(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

/// Two nodes lb1 and lb2 with the file of an example.
struct Example {
  explicit Example(const std::string& name, int number = 1)
      : text(test::read_file("conf/examples/" + name + ".toml")),
        a(lab.add_node("lb1", number)),
        b(lab.add_node("lb2", number + 1)) {
    for (const char* vrid : {"51", "52", "61"})
      text = replaced(text, std::string("= ") + vrid, std::string("= ") + vrid + "\nadvert_interval = \"100ms\"");
  }

  /// Starts lb1 and, once all its instances are Active, lb2. `second` makes the file of lb2.
  void start(const std::function<std::string(const std::string&)>& second = swap_priorities) {
    start(a, text);
    const bool active = a.wait_state("active");
    INFO(a.status().dump(1) << vipds.back()->errors());
    REQUIRE(active);
    REQUIRE(wait_until(10s, [&] { return a.instance().at("fit") == true; }));
    start(b, second(text));
    REQUIRE(b.wait_state("backup"));
    REQUIRE(wait_until(5s, [&] { return b.instance().at("counters").at("adverts_received") > 0; }));
  }
  /// Starts vipd as on a host of that name.
  void start(const Node& node, std::string config) {
    const fs::path script = node.directory() / "program";
    write_script(script, "echo \"$VIPD_STATE $*\" >> " + record(node).string());
    for (const char* program :
         {"/usr/bin/systemctl", "/usr/bin/aws", "/etc/vipd/hooks/log-state", "/etc/vipd/hooks/postgresql-promote"})
      config = replaced(config, program, script);
    config = replaced(config, "/proc/loadavg", load(node));
    std::ofstream(node.directory() / "vipd.toml") << config;
    vipds.push_back(std::make_unique<Process>(node, vipd_on_its_host(node)));
  }
  static std::vector<std::string> vipd_on_its_host(const Node& node) {
    std::vector<std::string> command = {"unshare", "--uts", "sh", "-c", "hostname \"$0\"; exec \"$@\"", node.name()};
    for (auto& word : node.vipd_command()) command.push_back(word);
    return command;
  }
  /// Runs the last will with the host's name, by which a file differs on the nodes: the Lab's own last will lacks it.
  ~Example() {
    vipds.clear();
    for (const Node* node : {&a, &b}) {
      auto last_will = vipd_on_its_host(*node);
      last_will.emplace_back("--last-will");
      run(*node, last_will);
    }
  }

  static std::string swap_priorities(const std::string& text) {
    return replaced(replaced(replaced(replaced(text, "= 254", "= ?"), "= 253", "= 254"), "= ?", "= 253"), "= 200",
                    "= 199");
  }
  static fs::path record(const Node& node) { return node.directory() / "record"; }
  static fs::path load(const Node& node) { return node.directory() / "loadavg"; }
  static bool has_recorded(const Node& node, const std::string& line) {
    return wait_until(5s, [&] { return text_of(record(node)).find(line + "\n") != std::string::npos; });
  }
  static bool comes_to(const Node& node, const std::string& address) {
    return wait_until(10s, [&] { return node.has(address); });
  }
  /// Pulls the plug of the first node.
  void kill_first() {
    vipds.front()->signal(SIGKILL);
    lab.set_port(a, false);
  }
  void move_from_first_to_second(const std::string& address) {
    REQUIRE(a.has(address));
    REQUIRE_FALSE(b.has(address));
    kill_first();
    REQUIRE(comes_to(b, address));
  }

  Lab lab;
  std::string text;
  Node &a, &b;
  std::vector<std::unique_ptr<Process>> vipds;
};

void pair(Example& example) {
  example.start();
  example.move_from_first_to_second("192.0.2.10");
}

void pair_ipv6(Example& example) {
  example.start();
  example.move_from_first_to_second("2001:db8:1::10");
}

void pair_one_file(Example& example) {
  must(example.b, "ip link set eth0 down");
  must(example.b, "ip link set eth0 name ens18");
  must(example.b, "ip link set ens18 up");
  example.start([](const std::string& text) { return text; });
  example.move_from_first_to_second("192.0.2.10");
}

void active_active(Example& example) {
  example.start();
  REQUIRE(Example::comes_to(example.b, "192.0.2.11"));
  REQUIRE(wait_until(5s, [&] { return !example.a.has("192.0.2.11"); }));
  example.move_from_first_to_second("192.0.2.10");
  REQUIRE(example.b.has("192.0.2.11"));
}

void hooks(Example& example) {
  example.start();
  REQUIRE(Example::has_recorded(example.a, "active start db-writer.service"));
  REQUIRE(Example::has_recorded(example.a, "active INSTANCE db MASTER 254"));
  REQUIRE(Example::has_recorded(example.b, "backup stop db-writer.service"));
  example.move_from_first_to_second("192.0.2.20");
  REQUIRE(Example::has_recorded(example.b, "active start db-writer.service"));
}

void load_dependent(Example& example) {
  example.text = replaced(replaced(example.text, "\"1m\"", "\"400ms\""), "\"10s\"", "\"400ms\"");
  for (const Node* node : {&example.a, &example.b}) std::ofstream(Example::load(*node)) << "0.10 0.10 0.10 1/100 1\n";
  example.start();
  std::ofstream(Example::load(example.a)) << "5.00 5.00 1.00 1/100 1\n";
  REQUIRE(Example::comes_to(example.b, "192.0.2.10"));
  REQUIRE(wait_until(5s, [&] { return !example.a.has("192.0.2.10"); }));
  REQUIRE(example.a.instance().at("priority").at("effective") == 150);
}

void pair_health(Example& example) {
  // A sanitized vipd-check on a busy machine takes a while to begin.
  example.text = replaced(replaced(example.text, "\"500ms\"", "\"2s\""), "\"400ms\"", "\"2s\"");
  example.lab.add_node("gateway", 254);
  std::deque<Process> servers;
  for (const Node* node : {&example.a, &example.b}) {
    std::ofstream(node->directory() / "health") << "ok\n";
    servers.emplace_back(*node, std::vector<std::string>{"python3", "-m", "http.server", "80", "--bind", "127.0.0.1",
                                                         "--directory", node->directory()});
  }
  example.start();
  for (const Node* node : {&example.a, &example.b}) {
    const bool fit = wait_until(10s, [&] { return node->instance().value("fit", false); });
    INFO(node->status().dump(1));
    REQUIRE(fit);
  }
  fs::remove(example.a.directory() / "health");
  REQUIRE(Example::comes_to(example.b, "192.0.2.10"));
  REQUIRE(wait_until(5s, [&] { return !example.a.has("192.0.2.10"); }));
  REQUIRE(example.a.instance().at("fit") == false);
}

void database(Example& example) {
  example.text = replaced(example.text, "\"postgres\"", "\"sleep\"");  // sleep stands for the server
  const Process first(example.a, {"sleep", "60"});
  example.start();
  REQUIRE(Example::has_recorded(example.a, "before_active "));
  REQUIRE(text_of(Example::record(example.b)).empty());
  example.move_from_first_to_second("192.0.2.20");
  REQUIRE(Example::has_recorded(example.b, "before_active "));
}

void router_pair(Example& example) {
  for (const Node* node : {&example.a, &example.b}) {
    example.lab.wire(*node, "eth1");
    must(*node, "ip link set eth1 up");
    must(*node, "ip addr add " + std::string(node == &example.a ? "203.0.113.3" : "203.0.113.4") + "/29 dev eth1");
  }
  example.start();
  const auto way_out = [](const Node& node) {
    return must(node, "ip route").find("default via 203.0.113.1 dev eth1") != std::string::npos;
  };
  REQUIRE(wait_until(5s, [&] { return example.a.has("203.0.113.2") && way_out(example.a); }));
  REQUIRE_FALSE(way_out(example.b));
  example.lab.set_port(example.a, false, "eth1");
  REQUIRE(Example::comes_to(example.b, "192.0.2.1"));
  REQUIRE(Example::comes_to(example.b, "203.0.113.2"));
  REQUIRE(wait_until(5s, [&] { return way_out(example.b) && !example.a.has("192.0.2.1"); }));
}

void cloud(Example& example) {
  example.text = replaced(example.text, "\"5m\"", "\"1s\"");
  std::deque<Process> servers;
  for (const Node* node : {&example.a, &example.b})
    servers.emplace_back(*node, std::vector<std::string>{"python3", "-m", "http.server", "443", "--bind", "127.0.0.1"});
  example.start([](const std::string& text) { return text; });
  const auto call = [](const std::string& machine) {
    return "active ec2 associate-address --allow-reassociation --region eu-central-1 --allocation-id eipalloc-0aa1 "
           "--instance-id " +
           machine;
  };
  REQUIRE(Example::has_recorded(example.a, call("i-0bb1")));
  REQUIRE(wait_until(10s, [&] { return example.a.instance().value("fit", false); }));
  const Json address = example.a.instance().at("addresses").at(0);
  REQUIRE(address.at("address") == "203.0.113.10/32");
  REQUIRE(address.at("assigned") == false);
  REQUIRE_FALSE(example.a.has("203.0.113.10"));
  REQUIRE(wait_until(10s, [&] { return text_of(Example::record(example.a)).size() > 2 * call("i-0bb1").size(); }));
  example.kill_first();
  REQUIRE(Example::has_recorded(example.b, call("i-0bb2")));
  REQUIRE_FALSE(example.b.has("203.0.113.10"));
}

const std::map<std::string, void (*)(Example&)> kScenarios = {{"pair", pair},
                                                              {"pair-ipv6", pair_ipv6},
                                                              {"pair-one-file", pair_one_file},
                                                              {"pair-health", pair_health},
                                                              {"active-active", active_active},
                                                              {"hooks", hooks},
                                                              {"load-dependent", load_dependent},
                                                              {"router-pair", router_pair},
                                                              {"database", database},
                                                              {"cloud", cloud}};

}  // namespace

TEST_CASE("lab: examples: each file of conf/examples does what it says", "[lab]") {
  const std::string name = GENERATE("pair", "pair-ipv6", "pair-one-file", "pair-health", "active-active", "hooks",
                                    "load-dependent", "router-pair", "database", "cloud");
  INFO(name);
  Example example(name, name == "router-pair" ? 3 : 1);  // 192.0.2.1 is the address of the two routers
  kScenarios.at(name)(example);
}

TEST_CASE("lab: examples: there is a scenario for each", "[lab]") {
  for (const auto& file : fs::directory_iterator(fs::path(VIPD_SOURCE_DIR) / "conf/examples")) {
    INFO(file.path());
    REQUIRE(kScenarios.contains(file.path().stem()));
  }
}
