// The reader of the log is stuck, or the disk is full. 255 instances take their addresses and advertise all the same.
#include <sys/mount.h>

#include <csignal>
#include <fstream>

#include "attacker.hpp"
#include "crowd.hpp"
#include "support/lab/stuck_log.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace {

/// A file system so small that it is full at once.
class FullDisk {
 public:
  explicit FullDisk(std::filesystem::path at) : at_(std::move(at)) {
    REQUIRE(::mount("tmpfs", at_.c_str(), "tmpfs", 0, "size=256k") == 0);
    fill();
  }
  ~FullDisk() { ::umount2(at_.c_str(), MNT_DETACH); }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

  void fill() const {
    std::ofstream(at_ / "filler", std::ios::binary) << std::string(1 << 20, 'x') << std::flush;
    REQUIRE(std::filesystem::space(at_).available == 0);
  }
  void make_room() const { std::filesystem::remove(at_ / "filler"); }

 private:
  std::filesystem::path at_;
};

}  // namespace

TEST_CASE("lab: a log that nobody reads holds up none of 255 instances", "[lab]") {
  const bool is_journal = GENERATE(false, true);
  Lab lab;
  Node& a = lab.add_node("a", 1);
  const Node& client = lab.add_node("client", 100);
  Sniffer sniffer(client);
  // The timeout is worth a warning, which the start writes before it logs.
  const std::string doubtful = "[check.doubtful]\nfile = \"/dev/null\"\ninterval = \"100ms\"\ntimeout = \"2s\"\n";
  std::ofstream(a.directory() / "vipd.toml") << crowd(254) << doubtful;
  const StuckLog stuck(is_journal);
  std::vector<std::string> command = stuck.words();
  for (const std::string& word : a.vipd_command()) command.push_back(word);
  Process vipd(a, command);
  REQUIRE(wait_until(30s, [&] { return all_are(a, "active"); }));
  const std::size_t held = count_of(must(a, "ip -o -4 addr show dev eth0"), " 198.51.100.");
  const std::size_t frames = sniffer.adverts_from("192.0.2.1").size();
  const WallTime since = std::chrono::system_clock::now();
  REQUIRE(wait_until(20s, [&] { return sniffer.adverts_from("192.0.2.1").size() >= frames + 20 * kCrowd; }));
  const Duration gap = worst_gap(sniffer, "192.0.2.1", since);
  std::cout << "measured: with a log that nobody reads (" << (is_journal ? "a socket" : "a pipe") << ") " << held
            << " of " << kCrowd << " addresses, longest gap between adverts " << in_ms(gap) << " ms" << std::endl;
  REQUIRE(held == kCrowd);
  REQUIRE(gap < kInterval + 2 * kSlack);

  std::string log = stuck.read();  // from now on the log is read
  vipd.signal(SIGHUP);
  REQUIRE(
      wait_until(5s, [&] { return (log += stuck.read()).find("reload: nothing has changed") != std::string::npos; }));
  REQUIRE(log.find(" log lines were lost)") != std::string::npos);
  vipd.signal(SIGTERM);
  REQUIRE(vipd.wait_exit(20s) == 0);
}

TEST_CASE("lab: on a full disk vipd starts, reloads and runs hooks, and says what it cannot keep", "[lab]") {
  Lab lab;
  Node& a = lab.add_node("a", 1);
  const FullDisk state(a.directory() / "state"), runtime(a.runtime_dir());
  const auto record = a.directory() / "record";
  const std::string hook = write_script(a.directory() / "hook", "echo \"$*\" >> " + record.string() + "; while [ -e " +
                                                                    record.string() + ".hold ]; do sleep 0.05; done");
  const auto config = [&](int priority) { return web(Family::ipv4, priority, "hooks.any = \"" + hook + "\""); };
  const auto says = [&](const std::string& text) { return a.vipd().errors().find(text) != std::string::npos; };
  a.start_vipd(config(254));
  REQUIRE(a.wait_state("active"));
  REQUIRE(wait_until(5s, [&] { return lines_of(record).size() == 2; }));
  REQUIRE(lines_of(record).back() == "INSTANCE web MASTER 254");
  std::ofstream(a.directory() / "vipd.toml", std::ios::trunc) << config(200);
  const std::string vipctl = program("vipctl") + " --runtime-dir " + a.runtime_dir();
  must(a, vipctl + " reload");
  REQUIRE(a.instance().at("priority").at("base") == 200);
  REQUIRE(a.instance().at("transitions") == 2);
  REQUIRE(says("hooks.journal"));

  state.make_room();
  runtime.make_room();
  std::ofstream(record.string() + ".hold") << "";
  std::ofstream(a.directory() / "vipd.toml", std::ios::trunc) << config(201);
  must(a, vipctl + " reload");
  REQUIRE(must(a, vipctl + " config list --state-dir " + (a.directory() / "state-runner").string()).find('1') !=
          std::string::npos);
  lab.set_port(a, false);  // the journal works again: a hook under way at the death of vipd is run again
  REQUIRE(wait_until(5s, [&] { return lines_of(record).size() == 3; }));
  a.vipd().signal(SIGKILL);
  REQUIRE(a.vipd().wait_exit(5s) == 128 + SIGKILL);
  std::filesystem::remove(record.string() + ".hold");
  a.start_vipd(config(201));
  REQUIRE(wait_until(5s, [&] { return lines_of(record).size() >= 4; }));
  REQUIRE(lines_of(record)[3] == "INSTANCE web FAULT 201");
}

TEST_CASE("lab: a restart on a disk that has filled up keeps the address, and the log says once what is not kept",
          "[lab]") {
  Lab lab;
  Node& a = lab.add_node("a", 1);
  const FullDisk runtime(a.runtime_dir());
  runtime.make_room();
  const std::string config = web(Family::ipv4, 254, "hooks.any = \"/bin/true\"");
  a.start_vipd(config);
  REQUIRE(a.wait_state("active"));
  const std::string since = a.instance().at("since");
  runtime.fill();
  for (int i = 0; i < 2; ++i) {
    a.vipd().signal(SIGKILL);
    REQUIRE(a.vipd().wait_exit(5s) == 128 + SIGKILL);
    a.start_vipd(config);
    REQUIRE(a.wait_state("active"));
    CHECK(a.instance().at("transitions") == 0);
    CHECK(a.instance().at("since") == since);
  }
  lab.set_port(a, false);
  REQUIRE(a.wait_state("initialize"));
  lab.set_port(a, true);
  REQUIRE(a.wait_state("active"));
  const std::string log = a.vipd().errors();
  CAPTURE(log);
  CHECK(count_of(log, "cannot write ") <= 2);  // once for the claims and once for the journal
}
