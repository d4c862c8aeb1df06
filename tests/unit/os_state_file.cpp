#include "vipd/os/state_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"
#include "vipd/daemon/claim_store.hpp"
#include "vipd/daemon/config_history.hpp"
#include "vipd/daemon/hook_journal.hpp"

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
