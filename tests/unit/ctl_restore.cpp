// `vipctl config restore` changes the texts of the files and nothing else about them.
#include "vipd/ctl/restore.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace vipd;
using namespace vipd::test;

namespace fs = std::filesystem;

namespace {

constexpr uid_t kOwner = 4242;
constexpr gid_t kGroup = 4243;

class Bench {
 public:
  Bench() { fs::create_directory(conf_d()); }

  fs::path root() const { return directory_.path(); }
  fs::path main() const { return root() / "vipd.toml"; }
  fs::path conf_d() const { return root() / "conf.d"; }

  static void write(const fs::path& path, const std::string& text) { std::ofstream(path, std::ios::trunc) << text; }
  static std::string text(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static fs::path copy_of(const fs::path& path) { return path.string() + std::string(kBeforeRestore); }
  /// "owner:group mode" of a path; of a link itself, not of its target.
  static std::string rights(const fs::path& path) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) < 0) return "none";
    char mode[8];
    std::snprintf(mode, sizeof mode, "%04o", status.st_mode & 07777u);
    return std::to_string(status.st_uid) + ":" + std::to_string(status.st_gid) + " " + mode;
  }
  /// Sets an owner and a group other than the test's, if the test may.
  static void set_rights(const fs::path& path, mode_t mode) {
    if (::geteuid() == 0) REQUIRE(::chown(path.c_str(), kOwner, kGroup) == 0);
    REQUIRE(::chmod(path.c_str(), mode) == 0);
  }
  /// All names and texts of the directory and conf.d, to compare before and after.
  std::string everything() const {
    std::string all;
    std::set<fs::path> paths;
    for (const auto& entry : fs::recursive_directory_iterator(root())) paths.insert(entry.path());
    for (const auto& path : paths)
      all += path.string() + " " + rights(path) + " " + (fs::is_regular_file(path) ? text(path) : "") + "\n";
    return all;
  }

 private:
  TemporaryDirectory directory_;
};

Document kept(const std::vector<std::pair<std::string, std::string>>& files) {
  Document list = Document::array();
  for (const auto& [path, text] : files) list.push_back({{"path", path}, {"text", text}});
  return {{"files", list}};
}

}  // namespace

TEST_CASE("restore: a file keeps its owner, its group and its mode, and its copy is as secret") {
  Bench bench;
  Bench::write(bench.main(), "now");
  Bench::set_rights(bench.main(), 0640);
  const std::string rights = Bench::rights(bench.main());
  const auto done = restore_files(kept({{bench.main(), "then"}}), bench.main());
  REQUIRE(done);
  CHECK(*done == std::vector<std::string>{"restored " + bench.main().string()});
  CHECK(Bench::text(bench.main()) == "then");
  CHECK(Bench::rights(bench.main()) == rights);
  CHECK(Bench::text(Bench::copy_of(bench.main())) == "now");
  CHECK(Bench::rights(Bench::copy_of(bench.main())) == rights);
}

TEST_CASE("restore: a file that is not there any more gets the rights of the main file") {
  Bench bench;
  Bench::write(bench.main(), "same");
  Bench::set_rights(bench.main(), 0640);
  const fs::path more = bench.conf_d() / "more.toml";
  REQUIRE(restore_files(kept({{bench.main(), "same"}, {more, "secret"}}), bench.main()));
  CHECK(Bench::text(more) == "secret");
  CHECK(Bench::rights(more) == Bench::rights(bench.main()));
  CHECK_FALSE(fs::exists(Bench::copy_of(bench.main())));  // the main file was right already
}

TEST_CASE("restore: a link stays a link, and the file that it leads to is replaced") {
  Bench bench;
  fs::create_directory(bench.root() / "git");
  const fs::path target = bench.root() / "git/web.toml";
  Bench::write(target, "now");
  Bench::set_rights(target, 0604);
  fs::create_symlink("git/middle", bench.main());
  fs::create_symlink("web.toml", bench.root() / "git/middle");
  const std::string rights = Bench::rights(target);
  REQUIRE(restore_files(kept({{bench.main(), "then"}}), bench.main()));
  CHECK(fs::read_symlink(bench.main()) == "git/middle");
  CHECK(Bench::text(target) == "then");
  CHECK(Bench::rights(target) == rights);
  CHECK(Bench::text(Bench::copy_of(target)) == "now");
}

TEST_CASE("restore: what did not exist then is moved away with its rights") {
  Bench bench;
  Bench::write(bench.main(), "same");
  const fs::path newcomer = bench.conf_d() / "new.toml";
  Bench::write(newcomer, "secret");
  Bench::set_rights(newcomer, 0600);
  const std::string rights = Bench::rights(newcomer);
  REQUIRE(restore_files(kept({{bench.main(), "same"}}), bench.main()));
  CHECK_FALSE(fs::exists(newcomer));
  CHECK(Bench::rights(Bench::copy_of(newcomer)) == rights);
}

TEST_CASE("restore: whatever paths the daemon names, the files go where the caller says") {
  Bench bench;
  Bench::write(bench.main(), "now");
  SECTION("a relative configuration is not restored into the current directory") {
    REQUIRE(restore_files(kept({{"vipd.toml", "then"}, {"conf.d/a.toml", "a"}}), bench.main()));
    CHECK(Bench::text(bench.main()) == "then");
    CHECK(Bench::text(bench.conf_d() / "a.toml") == "a");
    CHECK_FALSE(fs::exists("vipd.toml"));
  }
  SECTION("another directory's configuration") {
    REQUIRE(restore_files(kept({{"/root/.bashrc", "then"}}), bench.main()));
    CHECK(Bench::text(bench.main()) == "then");
  }
  SECTION("names that lead elsewhere are refused, and nothing changes") {
    const std::string before = bench.everything();
    for (const char* path : {"/etc/vipd/conf.d/../../cron.d/x.toml", "/etc/vipd/conf.d/x/y.toml", "/etc/cron.d/x",
                             "/etc/vipd/conf.d/.hidden.toml", "/etc/vipd/conf.d/x", "/etc/vipd/hooks.d/x.toml", ""}) {
      CAPTURE(path);
      CHECK_FALSE(restore_files(kept({{"/etc/vipd/vipd.toml", "then"}, {path, "evil"}}), bench.main()));
      CHECK(bench.everything() == before);
    }
  }
}

TEST_CASE("restore: all files or none") {
  Bench bench;
  Bench::write(bench.main(), "now");
  SECTION("what cannot be prepared") { fs::create_directory(bench.conf_d() / "a.toml"); }
  SECTION("what cannot be carried out") {
    Bench::write(bench.conf_d() / "a.toml", "a now");
    fs::create_directories(Bench::copy_of(bench.conf_d() / "a.toml") / "in the way");
  }
  SECTION("a directory that is gone") { fs::remove(bench.conf_d()); }
  const std::string before = bench.everything();
  const auto done = restore_files(kept({{bench.main(), "then"}, {bench.conf_d() / "a.toml", "a then"}}), bench.main());
  REQUIRE_FALSE(done);
  CHECK(done.error().message.find("conf.d") != std::string::npos);
  CHECK(bench.everything() == before);
}

TEST_CASE("restore: nothing is written where others than root could put a link") {
  Bench bench;
  Bench::write(bench.main(), "now");
  Bench::write(bench.root() / "elsewhere", "untouched");
  const auto refused = [&](const fs::path& config) {
    const auto done = restore_files(kept({{"vipd.toml", "then"}}), config);
    return !done && done.error().message.find("other than root") != std::string::npos;
  };
  SECTION("a directory that everybody may write") {
    fs::create_directory(bench.root() / "open");
    REQUIRE(::chmod((bench.root() / "open").c_str(), 0777) == 0);
    fs::create_symlink("../elsewhere", bench.root() / "open/vipd.toml");
    CHECK(refused(bench.root() / "open/vipd.toml"));
    fs::create_symlink("open/vipd.toml", bench.root() / "link.toml");
    CHECK(refused(bench.root() / "link.toml"));
  }
  SECTION("a directory of somebody else, at any depth") {
    if (::geteuid() != 0) return;
    fs::create_directories(bench.root() / "home/etc");
    Bench::write(bench.root() / "home/etc/vipd.toml", "now");
    REQUIRE(::chown((bench.root() / "home").c_str(), kOwner, kGroup) == 0);
    CHECK(refused(bench.root() / "home/etc/vipd.toml"));
  }
  SECTION("a link of somebody else in a directory like /tmp") {
    if (::geteuid() != 0) return;
    fs::create_directory(bench.root() / "tmp");
    REQUIRE(::chmod((bench.root() / "tmp").c_str(), 01777) == 0);
    fs::create_symlink("../elsewhere", bench.root() / "tmp/vipd.toml");
    REQUIRE(::lchown((bench.root() / "tmp/vipd.toml").c_str(), kOwner, kGroup) == 0);
    CHECK(refused(bench.root() / "tmp/vipd.toml"));
  }
  CHECK(Bench::text(bench.root() / "elsewhere") == "untouched");
}
