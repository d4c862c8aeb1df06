// FileStore: a file is whole or unchanged, whatever is in its place and however full the disk is. Root follows no link
// out of its directory.
#include "vipd/os/file_store.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"
#include "vipd/load/config_history.hpp"
#include "vipd/node/claim_store.hpp"
#include "vipd/node/hook_journal.hpp"
#include "vipd/os/state_directory.hpp"

using namespace vipd;
using vipd::test::TemporaryDirectory;

namespace {

FileStore store;

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Result<void> keep(Store& in, const std::string& name, const std::string& text, Store::Sync sync = Store::Sync::no) {
  const Record record{text};
  const auto file = in.replace(name, {&record, 1}, sync);
  return file ? Result<void>() : std::unexpected(file.error());
}

std::string text_in(const Store& in, const std::string& name) { return only_text(in.read(name).value_or(Records())); }

}  // namespace

TEST_CASE("FileStore: what is no file is not read, and replaced") {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/state", other = directory.path() + "/other";
  std::ofstream(other) << "of somebody else";
  int why = 0;
  SECTION("a named pipe") {
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    why = EINVAL;
  }
  SECTION("a link") {
    std::filesystem::create_symlink(other, path);
    why = ELOOP;
  }
  SECTION("nothing") { why = ENOENT; }
  const auto read = store.read(path);
  REQUIRE_FALSE(read);
  CHECK(read.error().code == why);
  CHECK(read.error().message.starts_with("cannot read " + path));
  REQUIRE(keep(store, path, "ours"));
  CHECK(text_in(store, path) == "ours");
  CHECK(contents(other) == "of somebody else");
  struct stat status{};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777u) == 0600);
}

TEST_CASE("FileStore: records are added, and marks and records written anew in their places") {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/state";
  const Record first{"first", 1};
  auto file = store.replace(path, {&first, 1}, Store::Sync::yes);
  REQUIRE(file);
  const auto second = (*file)->append({"second", 2});
  REQUIRE(second == kRecordHead + 5);
  REQUIRE((*file)->append({""}));
  REQUIRE((*file)->put_mark(0, 77));
  REQUIRE((*file)->put(*second, {"SECOND", 9}));
  const auto read = store.read(path);
  REQUIRE(read);
  CHECK(read->whole == std::vector<Record>{{"first", 77}, {"SECOND", 9}, {"", 0}});
  CHECK(read->ending == Ending::whole);
  CHECK((*file)->size() == std::filesystem::file_size(path));

  REQUIRE(keep(store, path, "another"));  // an open old file does no harm
  REQUIRE((*file)->append({"late"}));
  CHECK(text_in(store, path) == "another");
  CHECK_FALSE(std::filesystem::exists(path + ".new"));
  REQUIRE(store.remove(path));
  REQUIRE(store.remove(path));
  CHECK(store.read(path).error().code == ENOENT);
}

TEST_CASE("FileStore: names in an open directory are names there, wherever its path leads now") {
  const TemporaryDirectory directory;
  std::filesystem::create_directory(directory.path() + "/a");
  FileStore there(Fd(::open((directory.path() + "/a").c_str(), O_RDONLY | O_DIRECTORY)), "/the/place");
  std::filesystem::rename(directory.path() + "/a", directory.path() + "/b");
  REQUIRE(there.make_directory("x/y"));
  REQUIRE(keep(there, "x/y/1", "kept"));
  CHECK(text_in(store, directory.path() + "/b/x/y/1") == "kept");
  CHECK(std::ranges::count(there.names_in("x/y"), "1") == 1);
  CHECK(there.names_in("nowhere").empty());
  const auto failed = keep(there, "z/1", "");
  REQUIRE_FALSE(failed);
  CHECK(failed.error().message == "cannot write /the/place/z/1: No such file or directory");
}

namespace {

/// A file system of 32 KiB.
struct SmallDisk {
  SmallDisk() { mounted = ::mount("tmpfs", directory.path().c_str(), "tmpfs", 0, "size=32k") == 0; }
  ~SmallDisk() {
    if (mounted) ::umount2(directory.path().c_str(), MNT_DETACH);
  }
  std::string path(const std::string& name) const { return directory.path() + "/" + name; }

  TemporaryDirectory directory;
  bool mounted = false;
};

}  // namespace

TEST_CASE("FileStore: a full disk leaves what was there, and no half of what was not") {
  const SmallDisk disk;
  if (!disk.mounted) return;  // only root mounts
  const std::string path = disk.path("state"), large(40'000, 'x');
  const Record first{"first"};
  auto file = store.replace(path, {&first, 1}, Store::Sync::yes);
  REQUIRE(file);
  const auto replaced = keep(store, path, large, Store::Sync::yes);
  REQUIRE_FALSE(replaced);
  CHECK(replaced.error().code == ENOSPC);
  CHECK(replaced.error().message == "cannot write " + path + ": No space left on device");
  CHECK_FALSE(std::filesystem::exists(path + ".new"));

  const auto appended = (*file)->append({large});
  REQUIRE_FALSE(appended);
  CHECK(appended.error() == replaced.error());
  CHECK((*file)->put_mark(0, 5));
  REQUIRE((*file)->append({"short"}));  // there is room for it
  CHECK(store.read(path)->whole == std::vector<Record>{{"first", 5}, {"short", 0}});
}

TEST_CASE("Loss: a full disk is said once, with the path and what follows, and again when something was kept between") {
  const Error error{"cannot write /run/vipd/claims: No space left on device", ENOSPC};
  Loss loss("a vipd that is started again may start afresh");
  CHECK(loss.news(error) == error.message + "; a vipd that is started again may start afresh");
  CHECK_FALSE(loss.news(error));
  loss.over();
  CHECK(loss.news(error));
}

TEST_CASE("FileStore: a named pipe in the place of a file does not hold up the start") {
  const TemporaryDirectory directory;
  for (const char* name :
       {"claims", "claims.new", "journal", "journal.new", "history/1.json", "history/2.json.new", "unconfirmed.json"}) {
    const std::string path = directory.path() + "/" + name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  }
  const ClaimStore claims(store, directory.path() + "/claims");
  const HookJournal journal(store, directory.path() + "/journal");
  ConfigHistory history(store, directory.path() + "/history");
  CHECK(history.keep({{"vipd.toml", "text"}}, "now") == 2);
  CHECK(history.newest()->files.front().text == "text");
  CHECK_FALSE(UnconfirmedConfig(store, directory.path() + "/unconfirmed.json").before({{"vipd.toml", "text"}}));
}

namespace {

/// A directory of another user in a directory of root, as /run/vipd is.
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
  CHECK(ConfigHistory(store, vipd.path + "/in-force").keep({{"vipd.toml", "text"}}, "now") == 1);
  CHECK(ConfigHistory(store, vipd.path + "/a/history").keep({{"vipd.toml", "text"}}, "now") == 1);
  const ClaimStore claims(store, vipd.path + "/claims");
  const HookJournal journal(store, vipd.path + "/journal");
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
  CHECK_FALSE(ConfigHistory(store, vipd.path + "/history").keep({{"vipd.toml", "text"}}, "now"));
  CHECK(store.names_in(vipd.path + "/history").empty());
  CHECK_FALSE(keep(store, vipd.path + "/history/2.json", "text"));
  CHECK_FALSE(open_lock_file(vipd.path + "/lock"));
  CHECK_FALSE(store.remove(vipd.path + "/history/1.json"));
  CHECK_FALSE(store.read(vipd.path + "/history/1.json"));
  CHECK(contents(precious.path() + "/1.json") == "precious");
  std::filesystem::create_hard_link(precious.path() + "/1.json", vipd.path + "/other-lock");
  REQUIRE(open_lock_file(vipd.path + "/other-lock"));
  CHECK(owner_of(precious.path() + "/1.json").first == 0);
}

TEST_CASE("F23: root follows the links that root alone could have made") {
  if (::geteuid() != 0) return;
  const OfAnotherUser vipd;
  std::filesystem::create_symlink("vipd", vipd.of_root.path() + "/link");
  CHECK(keep(store, vipd.of_root.path() + "/link/claims", "text"));
  CHECK(std::filesystem::exists(vipd.path + "/claims"));
}
