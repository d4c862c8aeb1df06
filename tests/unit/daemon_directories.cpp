// The configuration with which a vipd begins: the files, or the one in force in the previous program.
#include "vipd/daemon/directories.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"
#include "vipd/load/config_files.hpp"
#include "vipd/os/file_store.hpp"

using namespace vipd;
using vipd::test::TemporaryDirectory;
namespace fs = std::filesystem;

namespace {

FileStore store;

std::string web(int priority, const std::string& more = "") {
  return "[instance.web]\ninterface = \"eth0\"\nvrid = 51\npriority = " + std::to_string(priority) +
         "\naddresses = [\"192.0.2.10/24\"]\n" + more;
}

struct Home {
  Home() {
    options.config = directory.path() + "/vipd.toml";
    options.runtime_dir = directory.path() + "/run";
    options.state_dir = directory.path() + "/state";
    for (const std::string& each : {options.runtime_dir, options.state_dir}) fs::create_directory(each);
  }
  void write(const std::string& text) const {
    std::ofstream(options.config) << text;
    fs::permissions(options.config, fs::perms(0644));
  }
  KeptConfig kept(const std::string& text) const {
    const std::vector<ConfigSource> files = {{options.config, text}};
    return {0, "now", config_hash(files), files};
  }
  /// Keeps a record as the previous program does.
  void keep(const std::string& text) const {
    REQUIRE(ConfigHistory(store, in_force_path(options)).keep(kept(text).files, "now"));
  }
  std::string in_force(const std::string& record = "") const {
    HandOver left;
    if (!record.empty()) left.in_force = *in_sealed_memory(record);
    const auto found = was_in_force(left, options);
    return found ? found->files.front().text : "";
  }

  TemporaryDirectory directory{"/var/lib"};
  DaemonOptions options;
};

}  // namespace

TEST_CASE("was_in_force: what the program before has left counts, and then what one of an earlier version has kept") {
  const Home home;
  CHECK(home.in_force().empty());
  home.keep("of a year ago");
  CHECK(home.in_force(to_record(home.kept("left"))) == "left");
  CHECK(home.in_force() == "of a year ago");
  CHECK(home.in_force("{}") == "of a year ago");
}

TEST_CASE("was_in_force: no record of another file, of another user, or that is damaged") {
  const Home home;
  KeptConfig other = home.kept("other");
  other.files.front().name = "/etc/vipd/other.toml";
  other.sha256 = config_hash(other.files);
  CHECK(home.in_force(to_record(other)).empty());
  std::string damaged = to_record(home.kept("left"));
  CHECK(home.in_force(damaged.replace(damaged.find("left"), 4, "lost")).empty());
  home.keep("kept");
  REQUIRE(home.in_force() == "kept");
  fs::permissions(home.options.runtime_dir, fs::perms(0777));
  CHECK(home.in_force().empty());
  if (::geteuid() != 0) return;
  fs::permissions(home.options.runtime_dir, fs::perms(0755));
  REQUIRE(::chown(home.options.runtime_dir.c_str(), 4242, 4242) == 0);
  CHECK(home.in_force().empty());
}

TEST_CASE("load_kept: what goes on needs no files, and no program of it has to be fit at that moment") {
  const Home home;
  fs::create_directory(home.directory.path() + "/hooks.d");
  std::ofstream(home.directory.path() + "/hooks.d/new") << "no program";
  const std::string text = web(254, "hooks.any = \"/nowhere/hook\"\n");
  KeptConfig kept = home.kept(text);
  kept.hooks = std::vector<std::string>{"/nowhere/old"};
  CHECK_FALSE(load_kept(home.options.config, kept, Purpose::run).config);
  const auto load = [&] { return load_kept(home.options.config, kept, Purpose::go_on); };
  REQUIRE(load().config);
  CHECK(load().config->hooks_d == *kept.hooks);
  CHECK(load().hash == kept.sha256);
  CHECK_FALSE(load().on_disk);  // there is no file
  home.write(text);
  CHECK_FALSE(load().on_disk);  // hooks.d has other programs
  kept.hooks.reset();           // an earlier version did not keep them
  CHECK(load().config->hooks_d == std::vector<std::string>{home.directory.path() + "/hooks.d/new"});
  CHECK(load().on_disk);
  home.write("[instance");
  CHECK_FALSE(load().on_disk);
  REQUIRE(load().config);
  CHECK_FALSE(load_kept(home.options.config, home.kept("colour = 1\n"), Purpose::go_on).config);
}

TEST_CASE("last_confirmed: root believes no trial that user vipd could have forged") {
  if (::geteuid() != 0) return;
  const Home home;
  home.write(web(200));
  const auto priority = [&] {
    const auto loaded = load_config(home.options.config, Purpose::run);
    return last_confirmed(loaded, Purpose::run, home.options)->config->instances.front().priority;
  };
  const std::vector<ConfigSource> tried = {{home.options.config, web(200)}};
  REQUIRE(UnconfirmedConfig(store, unconfirmed_path(home.options)).keep(tried, home.kept(web(254)).files));
  CHECK(priority() == 254);
  REQUIRE(::chown(home.options.state_dir.c_str(), 4242, 4242) == 0);
  CHECK(priority() == 200);
}

TEST_CASE("mark_of: vipds with one state directory have files of their own there, the service has plain names") {
  CHECK(mark_of("/run/vipd").empty());
  CHECK(mark_of("/run/vipd/").empty());
  CHECK(mark_of("/run/two") == "+run+two");
  CHECK(mark_of("/run/../run/two/") == "+run+two");
  DaemonOptions options;
  CHECK(unconfirmed_path(options) == "/var/lib/vipd/unconfirmed.json");
  options.runtime_dir = "/run/two";
  CHECK(unconfirmed_path(options) == "/var/lib/vipd/unconfirmed+run+two.json");
}

TEST_CASE("lock_runtime_dir: the lock that a previous program has left stays locked, and no other descriptor is one") {
  const Home home;
  const std::string& directory = home.options.runtime_dir;
  {
    auto lock = lock_runtime_dir(directory);
    REQUIRE(lock);
    auto taken = lock_runtime_dir(directory, Fd(::fcntl(lock->get(), F_DUPFD_CLOEXEC, 0)));
    REQUIRE(taken);
    *lock = Fd();  // the previous program is gone
    for (const char* other : {"/dev/null", "/nowhere"}) {
      const auto refused = lock_runtime_dir(directory, Fd(::open(other, O_RDONLY | O_CLOEXEC)));
      REQUIRE_FALSE(refused);
      CHECK(refused.error().message == "another vipd is running on " + directory + "; `vipctl status` asks it");
    }
  }
  CHECK(lock_runtime_dir(directory));
}

TEST_CASE("lock_runtime_dir: a child of a vipd that was killed has the lock for a moment, and no longer") {
  const Home home;
  auto lock = lock_runtime_dir(home.options.runtime_dir);
  REQUIRE(lock);
  std::thread child([held = *std::move(lock)] { std::this_thread::sleep_for(std::chrono::milliseconds(20)); });
  CHECK(lock_runtime_dir(home.options.runtime_dir));
  child.join();
}
