// Paths of real files; if root runs the test, some belong to another user.
#include "vipd/os/program_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "support/catch.hpp"

using namespace vipd;
namespace fs = std::filesystem;

namespace {

/// A directory that only root may write, all the way up.
struct SafeDirectory {
  SafeDirectory() {
    char name[] = "/var/lib/vipd-test-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~SafeDirectory() { fs::remove_all(path); }
  std::string program(const std::string& name, mode_t mode = 0755) const {
    const std::string file = path / name;
    std::ofstream(file) << "#!/bin/sh\n";
    ::chmod(file.c_str(), mode);
    return file;
  }
  fs::path path;
};

std::string reason(const std::string& path) {
  const auto fault = examine_program(path);
  return fault ? fault->reason : "";
}

std::string remedy(const std::string& path) {
  const auto fault = examine_program(path);
  return fault ? fault->remedy : "";
}

}  // namespace

TEST_CASE("examine_program: what Debian installs is fit, also through its symbolic links") {
  for (const char* path : {"/bin/sh", "/usr/bin/env", "/usr/../usr/./bin//env"}) {
    INFO(path);
    CHECK(reason(path).empty());
  }
}

TEST_CASE("examine_program: missing, a directory, not executable") {
  if (::geteuid() != 0) return;
  const SafeDirectory directory;
  const std::string file = directory.program("hook", 0644), top = directory.path;
  CHECK(reason(top + "/none/hook") == "there is no " + top + "/none");
  CHECK(reason(top) == top + " is not a regular file");
  CHECK(reason(file) == file + " is not executable (mode 0644)");
  CHECK(remedy(file) == "chmod +x " + file);
  CHECK(reason(file + "/x").find("Not a directory") != std::string::npos);
}

TEST_CASE("examine_program: each component that others may write is named, with the command that mends it") {
  if (::geteuid() != 0) return;
  const SafeDirectory directory;
  const std::string file = directory.program("hook"), top = directory.path;
  CHECK(reason(file).empty());
  for (const mode_t mode : {0775, 0757}) {
    ::chmod(file.c_str(), mode);
    CHECK(reason(file).starts_with(file + " is writable by others (mode 07"));
    CHECK(remedy(file) == "chmod go-w " + file);
  }
  ::chmod(file.c_str(), 0755);
  ::chmod(top.c_str(), 0777);
  CHECK(reason(file) == "directory " + top + " is writable by others (mode 0777)");
  CHECK(remedy(file) == "chmod go-w " + top);
  ::chmod(top.c_str(), 0755);
  CHECK(::chown(top.c_str(), 12345, 0) == 0);
  CHECK(reason(file) == "directory " + top + " belongs to uid 12345");
  CHECK(remedy(file) == "chown root " + top);
}

TEST_CASE("examine_program: a sticky directory such as /tmp is refused, and nobody is told to change it") {
  CHECK(reason("/tmp/chk.sh") == "directory /tmp is writable by others (mode 1777)");
  CHECK(remedy("/tmp/chk.sh") == "move it under /etc, owner root, mode 0755");
}

TEST_CASE("examine_program: a link is as safe as where it leads") {
  if (::geteuid() != 0) return;
  const SafeDirectory directory;
  const std::string file = directory.program("hook"), link = directory.path / "link", open = directory.path / "open";
  fs::create_symlink("hook", link);
  CHECK(reason(link).empty());
  fs::create_directory(open);
  fs::create_symlink("../hook", open + "/inner");
  fs::remove(link);
  fs::create_symlink("open/inner", link);
  CHECK(reason(link).empty());
  ::chmod(open.c_str(), 0777);  // the link leads to a safe file, but others could change it
  CHECK(reason(link) == "directory " + open + " is writable by others (mode 0777)");
  fs::remove(link);
  fs::create_symlink("link", link);
  CHECK(reason(link) == link + " is a symbolic link that leads nowhere");
}

TEST_CASE("F21: a file of the configuration is judged as the programs that it names, executable or not") {
  if (::geteuid() != 0) return;
  const SafeDirectory directory;
  const std::string file = directory.program("vipd.toml", 0640), top = directory.path, linked = directory.path / "link";
  fs::create_symlink("vipd.toml", linked);
  struct stat status{};
  REQUIRE(::stat(file.c_str(), &status) == 0);
  const auto why = [&](const std::string& path) {
    const auto fault = examine_configuration(path, status);
    return fault ? fault->reason + "; " + fault->remedy : "";
  };
  CHECK(why(file).empty());
  CHECK(why(linked).empty());
  for (const mode_t mode : {0660, 0602}) {
    ::chmod(file.c_str(), mode);
    CHECK(why(linked).starts_with(file + " is writable by others (mode 06"));
    CHECK(why(linked).ends_with("; chmod go-w " + file));
  }
  ::chmod(file.c_str(), 0600);
  CHECK(::chown(file.c_str(), 12345, 0) == 0);
  CHECK(why(linked) == file + " belongs to uid 12345; chown root " + file);
  CHECK(::chown(file.c_str(), 0, 12345) == 0);
  CHECK(why(file).empty());  // the group may read it
  ::chmod(top.c_str(), 0770);
  CHECK(why(file) == "directory " + top + " is writable by others (mode 0770); chmod go-w " + top);
  ::chmod(top.c_str(), 0700);
  const std::string other = directory.program("other");
  CHECK(why(other) == other + " was replaced while it was read; try again");
}
