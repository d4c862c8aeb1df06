#include "vipd/load/config_files.hpp"

#include <filesystem>
#include <fstream>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"
#include "vipd/load/loaded_config.hpp"

using namespace vipd;
using vipd::test::TemporaryDirectory;
namespace fs = std::filesystem;

namespace {

/// A directory of root that may have a configuration, with files in its hooks.d.
struct Etc {
  explicit Etc(const std::vector<std::string>& hooks) : config(directory.path() + "/vipd.toml") {
    std::ofstream(config) << "[instance.web]\ninterface = \"eth0\"\nvrid = 51\naddresses = [\"192.0.2.10/24\"]\n";
    fs::create_directory(hooks_d());
    for (const auto& name : hooks) std::ofstream(path_of(name)) << "#!/bin/sh\n";
  }
  fs::path hooks_d() const { return fs::path(directory.path()) / "hooks.d"; }
  fs::path path_of(const std::string& name) const { return hooks_d() / name; }

  TemporaryDirectory directory{"/var/lib"};  // only root may change its files
  const std::string config;
};

}  // namespace

TEST_CASE("hooks.d: its programs in byte order, without what editors and packages leave there") {
  const Etc etc({"20-b", "10-a.sh", "9-c", "A", ".hidden", "10-a.sh~", "20-b.dpkg-dist", "9-c.rpmsave", "A.ucf-old"});
  const auto files = read_config_files(etc.config);
  REQUIRE(files);
  std::vector<std::string> names;
  for (const auto& path : files->hooks) {
    CHECK(fs::path(path).parent_path() == etc.hooks_d());
    names.push_back(fs::path(path).filename());
  }
  CHECK(names == std::vector<std::string>{"10-a.sh", "20-b", "9-c", "A"});
}

TEST_CASE("hooks.d: there need be none; what cannot be read is an error and not a hook less") {
  const Etc etc({});
  fs::remove(etc.hooks_d());
  REQUIRE(read_config_files(etc.config));
  CHECK(read_config_files(etc.config)->hooks.empty());
  std::ofstream(etc.hooks_d()) << "no directory";
  const auto files = read_config_files(etc.config);
  REQUIRE_FALSE(files);
  CHECK(files.error().message.find("hooks.d") != std::string::npos);
}

TEST_CASE("hooks.d: a program that is not fit to be run is refused with the configuration") {
  const Etc etc({"10-a", "README"});
  fs::permissions(etc.path_of("10-a"), fs::perms::owner_all);
  const auto loaded = load_config(etc.config, Purpose::check);
  REQUIRE(loaded);
  CHECK_FALSE(loaded->config);
  const std::string report = loaded->report(false);
  CHECK(report.find("script-security") != std::string::npos);
  CHECK(report.find("hooks.d/README") != std::string::npos);
}

TEST_CASE("load_config: what has not changed is not parsed again, but its programs are looked at") {
  const Etc etc({"10-a"});
  fs::permissions(etc.path_of("10-a"), fs::perms::owner_all);
  const auto in_force = load_config(etc.config, Purpose::run);
  REQUIRE(in_force);
  REQUIRE(in_force->config);
  const auto load = [&] { return load_config(etc.config, Purpose::run, *in_force); };
  CHECK(load()->config == in_force->config);
  CHECK(load()->report(false).empty());

  fs::permissions(etc.path_of("10-a"), fs::perms::owner_read);
  CHECK_FALSE(load()->config);
  CHECK(load()->report(false).find("hooks.d/10-a") != std::string::npos);
  fs::permissions(etc.path_of("10-a"), fs::perms::all);
  CHECK_FALSE(load()->config);
  fs::permissions(etc.path_of("10-a"), fs::perms::owner_all);

  fs::rename(etc.path_of("10-a"), etc.path_of("20-b"));
  REQUIRE(load()->config);
  CHECK(load()->config->hooks_d == std::vector<std::string>{etc.path_of("20-b")});
  fs::rename(etc.path_of("20-b"), etc.path_of("10-a"));

  std::ofstream(etc.config, std::ios::app) << "priority = 200\n";
  REQUIRE(load()->config);
  CHECK(load()->config->instances.front().priority == 200);
  CHECK(in_force->config->instances.front().priority == 100);
}
