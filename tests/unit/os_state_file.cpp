#include "vipd/os/state_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"
#include "vipd/load/config_history.hpp"
#include "vipd/node/claim_store.hpp"
#include "vipd/node/hook_journal.hpp"

using namespace vipd;
using vipd::test::TemporaryDirectory;

TEST_CASE("state file: what is no file is read as nothing, and replaced") {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/state", other = directory.path() + "/other";
  std::ofstream(other) << "of somebody else";
  SECTION("a named pipe") { REQUIRE(::mkfifo(path.c_str(), 0600) == 0); }
  SECTION("a link") { std::filesystem::create_symlink(other, path); }
  SECTION("nothing") {}
  CHECK(read_state_file(path).empty());
  const Fd fd = create_state_file(path);
  REQUIRE(::write(fd.get(), "ours", 4) == 4);
  CHECK(read_state_file(path) == "ours");
  CHECK(read_state_file(other) == "of somebody else");
}

TEST_CASE("state file: a named pipe in its place does not hold up the start") {
  const TemporaryDirectory directory;
  for (const char* name :
       {"claims", "claims.new", "journal", "journal.new", "history/1.json", "history/2.json.new", "unconfirmed.json"}) {
    const std::string path = directory.path() + "/" + name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  }
  const ClaimStore claims(directory.path() + "/claims");
  const HookJournal journal(directory.path() + "/journal");
  ConfigHistory history(directory.path() + "/history");
  CHECK(history.keep({{"vipd.toml", "text"}}, "now") == 2);
  CHECK(history.newest()->files.front().text == "text");
  CHECK_FALSE(UnconfirmedConfig(directory.path() + "/unconfirmed.json").before({{"vipd.toml", "text"}}));
}

namespace {

/// A directory of another user in one of root's, as /run/vipd is.
struct OfAnotherUser {
  OfAnotherUser() {
    REQUIRE(::mkdir(path.c_str(), 0755) == 0);
    REQUIRE(::chown(path.c_str(), 12345, 23456) == 0);
  }
  TemporaryDirectory of_root{"/var/lib"};
  const std::string path = of_root.path() + "/vipd";
};

std::pair<uid_t, gid_t> owner_of(const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) < 0) return {0, 1};
  return {status.st_uid, status.st_gid};
}

}  // namespace

TEST_CASE("F23: what root makes in the directory of another user belongs to that user") {
  if (::geteuid() != 0) return;
  const OfAnotherUser vipd;
  const std::pair<uid_t, gid_t> theirs{12345, 23456};
  CHECK(ConfigHistory(vipd.path + "/in-force").keep({{"vipd.toml", "text"}}, "now") == 1);
  CHECK(ConfigHistory(vipd.path + "/a/history").keep({{"vipd.toml", "text"}}, "now") == 1);
  const ClaimStore claims(vipd.path + "/claims");
  const HookJournal journal(vipd.path + "/journal");
  REQUIRE(open_lock_file(vipd.path + "/lock"));
  for (const char* name :
       {"in-force", "in-force/1.json", "a", "a/history", "a/history/1.json", "claims", "journal", "lock"}) {
    CAPTURE(name);
    CHECK(owner_of(vipd.path + "/" + name) == theirs);
  }
}

TEST_CASE("F23: root follows no link in the directory of another user") {
  if (::geteuid() != 0) return;
  const OfAnotherUser vipd;
  const TemporaryDirectory precious("/var/lib");
  std::ofstream(precious.path() + "/1.json") << "precious";
  std::filesystem::create_symlink(precious.path(), vipd.path + "/history");
  std::filesystem::create_symlink(precious.path() + "/1.json", vipd.path + "/lock");
  CHECK_FALSE(ConfigHistory(vipd.path + "/history").keep({{"vipd.toml", "text"}}, "now"));
  CHECK_FALSE(create_state_file(vipd.path + "/history/2.json"));
  CHECK_FALSE(rename_state_file(vipd.path + "/history/1.json", vipd.path + "/history/2.json"));
  CHECK_FALSE(open_lock_file(vipd.path + "/lock"));
  remove_state_file(vipd.path + "/history/1.json");
  CHECK(read_state_file(vipd.path + "/history/1.json").empty());
  CHECK(read_state_file(precious.path() + "/1.json") == "precious");
  std::filesystem::create_hard_link(precious.path() + "/1.json", vipd.path + "/other-lock");
  REQUIRE(open_lock_file(vipd.path + "/other-lock"));
  CHECK(owner_of(precious.path() + "/1.json").first == 0);
}

TEST_CASE("F23: root follows the links that root alone could have made") {
  if (::geteuid() != 0) return;
  const OfAnotherUser vipd;
  std::filesystem::create_symlink("vipd", vipd.of_root.path() + "/link");
  CHECK(create_state_file(vipd.of_root.path() + "/link/claims"));
  CHECK(std::filesystem::exists(vipd.path + "/claims"));
}
