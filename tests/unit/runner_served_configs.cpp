// ServedConfigs: the programs that a runner may run, and the copies for its successor.
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"
#include "vipd/load/config_files.hpp"
#include "vipd/runner/served_configs.hpp"

using namespace vipd;
using vipd::test::TemporaryDirectory;

namespace {

struct Etc {
  std::string write(const std::string& program) const {
    std::ofstream(config) << "[instance.web]\ninterface = \"eth0\"\nvrid = 51\npriority = 254\naddresses = "
                             "[\"192.0.2.10/24\"]\nhooks.active = \""
                          << program << "\"\n";
    std::filesystem::permissions(config, std::filesystem::perms(0644));
    return config_hash(read_config_files(config)->sources);
  }
  ServedConfigs start(const std::string& mark = "") const { return {config, state, mark}; }

  TemporaryDirectory directory{"/var/lib"};  // only root may change its files
  const std::string config = directory.path() + "/vipd.toml", state = directory.path() + "/runner";
};

std::string why(ServedConfigs& configs, const std::string& program, int second = 0) {
  const std::vector<std::string> arguments = {program};
  return configs.refusal(arguments, TimePoint(std::chrono::seconds(second))).value_or("runs");
}

}  // namespace

TEST_CASE("ServedConfigs: what is in force is served, not what the files say, by the next runner, too") {
  const Etc etc;
  const std::string one = etc.write("/bin/one");
  ServedConfigs first = etc.start();
  CHECK(first.name({one}).empty());
  etc.write("/bin/two");
  ServedConfigs next = etc.start();
  CHECK(next.name({one}).empty());
  for (ServedConfigs* each : {&first, &next}) {
    CHECK(why(*each, "/bin/one") == "runs");
    CHECK(why(*each, "/bin/two") == "the configuration in force names no such program");
  }
}

TEST_CASE("ServedConfigs: nobody can name what root did not have in the files, nor what was forgotten") {
  const Etc etc;
  const std::string one = etc.write("/bin/one");
  ServedConfigs configs = etc.start();
  configs.name({one});
  const std::string two = etc.write("/bin/two");
  CHECK(configs.name({two, one}).empty());  // as in a trial
  CHECK(why(configs, "/bin/one") == "runs");
  CHECK(configs.name({two}).empty());
  CHECK(configs.name({one}).size() == 1);
  CHECK(why(configs, "/bin/one").find("differs from it now") != std::string::npos);
  CHECK(configs.name({std::string(64, '0')}).size() == 1);
  CHECK(why(configs, "/bin/two") != "runs");
}

TEST_CASE("ServedConfigs: what was missing is looked for again, once a second") {
  const Etc etc;
  const std::string one = etc.write("/bin/one");
  etc.write("/bin/two");
  ServedConfigs configs = etc.start();
  CHECK(configs.name({one}).size() == 1);
  CHECK(why(configs, "/bin/one", 1) != "runs");
  etc.write("/bin/one");
  CHECK(why(configs, "/bin/one", 1) != "runs");
  CHECK(why(configs, "/bin/one", 2) == "runs");
}

TEST_CASE("ServedConfigs: files that others may write are not taken up, and a directory of others is not used") {
  if (::geteuid() != 0) return;
  const Etc etc;
  const std::string one = etc.write("/bin/one");
  std::filesystem::permissions(etc.config, std::filesystem::perms::others_write, std::filesystem::perm_options::add);
  ServedConfigs configs = etc.start();
  CHECK_FALSE(configs.name({one}).empty());
  CHECK(why(configs, "/bin/one").find("writable by others") != std::string::npos);
  etc.write("/bin/one");
  REQUIRE(::chown(etc.state.c_str(), 4242, 4242) == 0);
  ServedConfigs next = etc.start();
  CHECK(next.name({one}).at(0).find("no configuration is kept") != std::string::npos);
  CHECK(why(next, "/bin/one") == "runs");
}

TEST_CASE("ServedConfigs: the history has what was in force, once each time it came into force") {
  const Etc etc;
  ServedConfigs configs = etc.start();
  const std::string one = etc.write("/bin/one");
  configs.name({one});
  configs.name({one});
  const std::string two = etc.write("/bin/two");
  configs.name({two, one});
  configs.name({one});
  FileStore store;
  const auto kept = ConfigHistory(store, etc.state + "/history").list();
  REQUIRE(kept.size() == 3);
  CHECK(kept[0].sha256 == one);
  CHECK(kept[1].sha256 == two);
  CHECK(kept[2].sha256 == one);
  CHECK(ConfigHistory(store, etc.state + "/served").list().size() == 1);
}

TEST_CASE("ServedConfigs: two that share a directory do not drop each other's copies") {
  const Etc etc;
  const std::string one = etc.write("/bin/one");
  etc.start("+run+a").name({one});
  const std::string two = etc.write("/bin/two");
  etc.start("+run+b").name({two});
  etc.write("/bin/three");
  ServedConfigs a = etc.start("+run+a"), b = etc.start("+run+b");  // both runners start again
  CHECK(a.name({one}).empty());
  CHECK(b.name({two}).empty());
  CHECK(why(a, "/bin/one") == "runs");
  CHECK(why(b, "/bin/two") == "runs");
  CHECK(why(b, "/bin/one") != "runs");
}

TEST_CASE(
    "ServedConfigs: a full disk is said once, with the path, and the history has the configuration once there is "
    "room") {
  const Etc etc;
  std::filesystem::create_directory(etc.state);
  if (::mount("tmpfs", etc.state.c_str(), "tmpfs", 0, "size=64k,mode=700") != 0) return;  // only root mounts
  std::ofstream(etc.state + "/filler") << std::string(1 << 20, 'x') << std::flush;
  const std::string one = etc.write("/bin/one");
  {
    ServedConfigs configs = etc.start();
    const auto said = configs.name({one});
    CHECK(said == std::vector<std::string>{"cannot write " + etc.state +
                                           "/served/1.json: No space left on device; the configuration is in force, "
                                           "but not kept for `vipctl config`"});
    CHECK(configs.name({one}).empty());
    CHECK(why(configs, "/bin/one") == "runs");
    std::filesystem::remove(etc.state + "/filler");
    CHECK(configs.name({one}).empty());
  }
  FileStore store;
  CHECK(ConfigHistory(store, etc.state + "/history").list().size() == 1);
  ::umount2(etc.state.c_str(), MNT_DETACH);
}
