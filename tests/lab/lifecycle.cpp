// A stop is final, and a trial ends by its confirmation alone: real daemons in the phases of docs/decisions/0018.
#include <sys/socket.h>

#include <csignal>
#include <functional>
#include <random>
#include <sstream>
#include <thread>

#include "pair.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace {

/// A second instance, which a reload would start.
std::string with_db(const std::string& text) {
  return text + "[instance.db]\ninterface = \"eth0\"\nvrid = 52\naddresses = [\"192.0.2.12/24\"]\n" +
         "advert_interval = \"100ms\"\n";
}

int base_of(const Node& node) { return node.instance().at("priority").at("base"); }

/// The pause before a hook ends keeps a stop long enough to look at it.
std::string slow_to_stop(const Node& node) {
  const std::string script = write_script(node.directory() / "release", "sleep 2");
  return "hooks.before_release = \"" + script + "\"\nhooks.before_release_timeout = \"10s\"\n";
}

/// An Active node whose stop takes two seconds. Its file has one more instance than at its start.
struct SlowToStop {
  SlowToStop() : node(lab.add_node("a", 1)) {
    const std::string text = web(Family::ipv4, 254, slow_to_stop(node));
    node.start_vipd(text);
    REQUIRE(node.wait_state("active"));
    write_config(node, with_db(text));
  }
  Lab lab;
  Node& node;
};

void stop_and_see(Node& node) {
  node.vipd().signal(SIGTERM);
  REQUIRE(wait_until(5s, [&] { return node.vipd().errors().find("stopping: web active") != std::string::npos; }));
}

void require_stopped(Node& node) {
  REQUIRE(node.vipd().wait_exit(15s) == 0);
  CHECK_FALSE(node.has("192.0.2.10"));
  CHECK_FALSE(node.has("192.0.2.12"));
  CHECK(node.vipd().errors().find("web: initialize -> backup", node.vipd().errors().find("stopping:")) ==
        std::string::npos);
}

}  // namespace

TEST_CASE("lab: nothing that is asked during a stop undoes the stop", "[lab]") {
  SlowToStop slow;
  Node& node = slow.node;
  stop_and_see(node);
  node.vipd().signal(SIGHUP);
  node.vipd().signal(SIGTERM);
  node.vipd().signal(SIGINT);
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"reload"}, {"reload", "--confirm", "1s"}, {"confirm"}, {"reexec"}, {"diff"}}) {
    const Finished refused = vipctl(node, words);
    CAPTURE(words, refused.errors);
    CHECK(refused.status == 1);
    CHECK(refused.errors.find("it is stopping") != std::string::npos);
  }
  CHECK(node.instance().at("stopping") == true);  // a client that only looks sees the reason
  require_stopped(node);
  const std::string log = node.vipd().errors();
  CHECK(log.find("SIGHUP: no reload: it is stopping") != std::string::npos);
  CHECK(log.find("a further signal changes nothing: it is stopping") != std::string::npos);
  CHECK(log.find("info: stopping: ", log.find("info: stopping: ") + 1) == std::string::npos);  // said once
}

TEST_CASE("lab: a trial that would end during a stop does not undo the stop", "[lab]") {
  SlowToStop slow;
  Node& node = slow.node;
  REQUIRE(vipctl(node, {"reload", "--confirm", "1s"}).status == 0);
  stop_and_see(node);
  require_stopped(node);
  CHECK(node.vipd().errors().find("not confirmed in time") == std::string::npos);
}

TEST_CASE("lab: neither a stop, a crash, a re-exec nor its own end makes a trial permanent", "[lab]") {
  Lab lab;
  Node& node = lab.add_node("a", 1);
  const std::string tried = web(Family::ipv4, 200);
  node.start_vipd(web(Family::ipv4, 254));
  REQUIRE(node.wait_state("active"));
  write_config(node, tried);
  const std::string ending = GENERATE("a stop", "a crash", "its own end and a re-exec");
  CAPTURE(ending);
  REQUIRE(vipctl(node, {"reload", "--confirm", ending.starts_with("its") ? "1s" : "60s"}).status == 0);
  CHECK(base_of(node) == 200);
  const Finished refused = vipctl(node, {"reexec"});
  CHECK(refused.status == 1);
  CHECK(refused.errors.find("a reload waits for its confirmation") != std::string::npos);
  if (ending.starts_with("its")) {
    REQUIRE(wait_until(5s, [&] { return base_of(node) == 254; }));
    const Finished done = vipctl(node, {"reexec"});
    CAPTURE(done.errors);
    REQUIRE(done.status == 0);
  } else {
    node.vipd().signal(ending == "a stop" ? SIGTERM : SIGKILL);
    REQUIRE(node.vipd().wait_exit(5s));
    node.start_vipd(tried);
    REQUIRE(node.wait_state("active"));
  }
  CHECK(base_of(node) == 254);
  CHECK(node.vipd().errors().find(ending.starts_with("its")
                                      ? "the configuration in force goes on"
                                      : "was on trial and was not confirmed") != std::string::npos);
  CHECK(node.status().at("files_in_force") == false);
  CHECK(vipctl(node, {"diff"}).output.find("priority 254 -> 200") != std::string::npos);
  REQUIRE(vipctl(node, {"reload"}).status == 0);  // an operator asks for it
  node.vipd().signal(SIGKILL);
  REQUIRE(node.vipd().wait_exit(5s));
  node.start_vipd(tried);
  REQUIRE(node.wait_state("active"));
  CHECK(base_of(node) == 200);
}

TEST_CASE("lab: a program that takes over goes on with what is in force, though the files broke in that moment",
          "[lab]") {
  Lab lab;
  Node& node = lab.add_node("a", 1);
  node.start_vipd(web(Family::ipv4, 254));
  REQUIRE(node.wait_state("active"));
  node.vipd().signal(SIGKILL);
  REQUIRE(node.vipd().wait_exit(5s));
  node.start_vipd("[instance", {"env", "VIPD_CONTROL_LISTENER=99"});  // the environment that a re-exec leaves
  REQUIRE(node.wait_state("active"));
  CHECK(base_of(node) == 254);
  CHECK(node.vipd().errors().find("the configuration in force goes on") != std::string::npos);
}

namespace {

/// Sends a request and does not wait for its answer; does nothing if the daemon is gone.
void say(const Node& node, const std::string& request) try {
  const Fd fd = connect_to(node);
  (void)!::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  std::this_thread::sleep_for(2ms);  // the daemon would not read the request of a closed connection
} catch (const std::runtime_error&) {
}

void kill_runner(pid_t vipd) {
  const std::string pid = std::to_string(vipd);
  std::ifstream children("/proc/" + pid + "/task/" + pid + "/children");
  for (pid_t child = 0; children >> child;) ::kill(child, SIGKILL);
}

/// Random actions of an operator, a script or bad luck.
class Trouble {
 public:
  Trouble(Node& node, const std::string& more, unsigned seed) : node_(node), more_(more), random_(seed) {}

  int below(int end) { return std::uniform_int_distribution<int>(0, end - 1)(random_); }
  const std::string& told() const { return told_; }
  std::string configuration() { return web(Family::ipv4, 250 + below(5), more_); }

  void once(bool signals_stop) {
    static const std::vector<std::pair<std::string, std::function<void(Trouble&)>>> kKinds = {
        {"hup", [](Trouble& t) { t.node_.vipd().signal(SIGHUP); }},
        {"reload", [](Trouble& t) { say(t.node_, "{\"verb\":\"reload\"}\n"); }},
        {"trial", [](Trouble& t) { say(t.node_, "{\"verb\":\"reload\",\"confirm_ms\":1000}\n"); }},
        {"confirm", [](Trouble& t) { say(t.node_, "{\"verb\":\"confirm\"}\n"); }},
        {"reexec", [](Trouble& t) { say(t.node_, "{\"verb\":\"reexec\"}\n"); }},
        {"diff", [](Trouble& t) { say(t.node_, "{\"verb\":\"diff\"}\n"); }},
        {"status", [](Trouble& t) { say(t.node_, "{\"verb\":\"status\"}\n"); }},
        {"one", [](Trouble& t) { write_config(t.node_, t.configuration()); }},
        {"two", [](Trouble& t) { write_config(t.node_, with_db(t.configuration())); }},
        {"broken", [](Trouble& t) { write_config(t.node_, "[instance"); }},
        {"runner", [](Trouble& t) { kill_runner(t.node_.vipd().pid()); }},
        {"wait", [](Trouble& t) { std::this_thread::sleep_for(std::chrono::milliseconds(t.below(200))); }},
        {"wait", [](Trouble& t) { std::this_thread::sleep_for(std::chrono::milliseconds(t.below(20))); }},
        {"term", [](Trouble& t) { t.node_.vipd().signal(SIGTERM); }},
    };
    const auto& [name, act] =
        kKinds[static_cast<std::size_t>(below(static_cast<int>(kKinds.size()) - (signals_stop ? 0 : 1)))];
    told_ += " " + name;
    act(*this);
  }

 private:
  Node& node_;
  const std::string more_;
  std::mt19937 random_;
  std::string told_;
};

}  // namespace

// VIPD_SEQUENCES is the number of sequences, VIPD_SEED the first seed; CONTRIBUTING.md has the command for thousands.
TEST_CASE("lab: any sequence of verbs and signals ends within its bound after a stop", "[lab]") {
  const char* const wanted = std::getenv("VIPD_SEQUENCES");
  const int sequences = wanted != nullptr ? std::stoi(wanted) : rounds(12, 10'000);
  const char* const given = std::getenv("VIPD_SEED");
  const unsigned first = given != nullptr ? static_cast<unsigned>(std::stoul(given)) : std::random_device()();
  std::cout << "seed: VIPD_SEED=" << first << std::endl;
  Duration longest{};
  Lab lab;
  Node& node = lab.add_node("a", 1);
  const std::string more = "hooks.any = \"/bin/true\"\nhooks.before_release = \"/bin/true\"\n";
  for (int round = 0; round < sequences; ++round) {
    Trouble trouble(node, more, first + static_cast<unsigned>(round));
    node.start_vipd(trouble.configuration());
    REQUIRE(wait_until(5s, [&] { return node.vipd().errors().find(" starts ") != std::string::npos; }));
    for (int i = trouble.below(12); i > 0; --i) trouble.once(false);
    const auto begun = std::chrono::steady_clock::now();
    node.vipd().signal(SIGTERM);
    for (int i = trouble.below(5); i > 0; --i) trouble.once(true);
    const auto status = node.vipd().wait_exit(10s);
    longest = std::max<Duration>(longest, std::chrono::steady_clock::now() - begun);
    CAPTURE(round, first + static_cast<unsigned>(round), trouble.told(), node.vipd().errors());
    REQUIRE(status == 0);
    REQUIRE_FALSE(node.has("192.0.2.10"));
    REQUIRE_FALSE(node.has("192.0.2.12"));
  }
  measured("the longest stop after any of " + std::to_string(sequences) + " sequences of verbs and signals", longest);
}
