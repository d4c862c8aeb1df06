// The program that a process runs: real processes, started as services are.
#include "vipd/os/process_count.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace vipd;

namespace {

/// A name of this run of the tests alone; comm has "vipd-test-daemo" of it.
const std::string kLong = "vipd-test-daemon-" + std::to_string(::getpid());

/// A process that runs `program` with these arguments, the first of them its own name, until this object is gone.
class Running {
 public:
  Running(const std::string& program, std::vector<std::string> arguments, const std::string& directory = "/") {
    std::vector<char*> words;
    for (std::string& argument : arguments) words.push_back(argument.data());
    words.push_back(nullptr);
    int ends[2], until_exec[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    REQUIRE(::pipe2(until_exec, O_CLOEXEC) == 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::dup2(ends[0], STDIN_FILENO);  // a pipe without data, so a script can wait by reading
      ::dup2(ends[1], STDOUT_FILENO);
      if (::chdir(directory.c_str()) == 0) ::execv(program.c_str(), words.data());
      ::_exit(127);
    }
    ::close(ends[0]);
    ::close(until_exec[1]);
    end_ = ends[1];
    await_exec(until_exec[0]);
    ::close(until_exec[0]);
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    ::close(end_);
  }
  pid_t pid() const { return pid_; }

 private:
  std::string command_line() const {
    std::ifstream file("/proc/" + std::to_string(pid_) + "/cmdline");
    return {std::istreambuf_iterator<char>(file), {}};
  }
  /// execve(2) closes the pipe `until_exec` first; the kernel lists the new command line a moment later.
  void await_exec(int until_exec) const {
    char nothing;
    REQUIRE(::read(until_exec, &nothing, 1) == 0);
    bool listed = false;  // asked once a turn: another execve(2), as env makes it, empties the list again
    for (int i = 0; i < 5000 && !(listed = !command_line().empty()); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    REQUIRE(listed);
  }

  pid_t pid_ = -1;
  int end_ = -1;
};

/// Programs of this test alone, which no other process runs.
struct Programs {
  Programs() {
    std::filesystem::copy_file("/bin/sleep", binary);
    std::ofstream(script) << "#!/bin/sh\nread nothing\n";
    std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  }
  test::TemporaryDirectory directory;
  std::string binary = directory.path() + "/" + kLong;
  std::string script = binary + ".sh";
};

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

TEST_CASE("process count: a name longer than 15 octets, which the kernel cuts", "[process]") {
  const Programs programs;
  CHECK(count_processes(kLong) == 0);
  const Running running(programs.binary, {programs.binary, "600"});
  CHECK(count_processes(kLong) == 1);
  CHECK(count_processes(kLong + "-2") == 0);
  CHECK(count_processes(kLong.substr(0, kLong.size() - 1)) == 0);
  CHECK(count_processes(programs.binary) == 1);
  CHECK(count_processes(programs.binary + "x") == 0);
}

TEST_CASE("process count: a script by its name and by its path, however it was started", "[process]") {
  const Programs programs;
  const std::string &script = programs.script, name = name_of(script);
  const std::vector<std::vector<std::string>> ways{{script, script, "600"},
                                                   {"/bin/sh", "sh", script, "600"},
                                                   {"/bin/sh", "/bin/sh", "-e", script, "600"},
                                                   {"/bin/sh", "sh", "./" + name, "600"},
                                                   {"/usr/bin/env", "env", "sh", script, "600"}};
  for (const auto& way : ways) {
    INFO(way[0] << " " << way[1] << " " << way[2]);
    const Running running(way[0], {way.begin() + 1, way.end()}, programs.directory.path());
    for (int i = 0; i < 5000 && count_processes(name) == 0; ++i)  // env needs another execve
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    CHECK(count_processes(name) == 1);
    CHECK(count_processes(script) == 1);
    CHECK(count_processes(script + " 600") == 1);
    CHECK(count_processes(name + " 600") == 1);
    CHECK(count_processes(script + " 60") == 0);
  }
  CHECK(count_processes(script) == 0);
}

TEST_CASE("process count: what only mentions a program does not run it", "[process]") {
  const Programs programs;
  std::ofstream(programs.binary + ".txt") << "";
  const Running follower("/usr/bin/tail", {"tail", "-f", programs.script});
  const Running shell("/bin/sh", {"sh", "-c", "read " + name_of(programs.script)});
  const Running quoted("/bin/sh", {"sh", "-ec", "read nothing", programs.script});
  CHECK(count_processes(name_of(programs.script)) == 0);
  CHECK(count_processes(programs.script) == 0);
}

TEST_CASE("process count: by a link, and by a path with dots and doubled slashes", "[process]") {
  const Programs programs;
  const std::string link = programs.directory.path() + "/current";
  std::filesystem::create_directory_symlink(programs.directory.path(), link);
  const std::string by_link = link + "/" + kLong, odd = programs.directory.path() + "//./" + kLong;
  {
    const Running running(programs.binary, {programs.binary, "600"});
    CHECK(count_processes(by_link) == 1);
    CHECK(count_processes(odd) == 1);
    CHECK(count_processes(by_link + " 600") == 1);
  }
  {
    const Running running(by_link + ".sh", {by_link + ".sh", "600"});
    CHECK(count_processes(programs.script) == 1);
    CHECK(count_processes(by_link + ".sh") == 1);
    CHECK(count_processes(by_link + ".sh 600") == 1);
  }
  const Running running(by_link, {by_link, "600"});
  std::filesystem::remove(link);
  CHECK(count_processes(by_link) == 1);  // the link leads nowhere for a while, or to the next release
  CHECK(count_processes(programs.binary) == 1);
}

TEST_CASE("process count: a file that an upgrade has replaced or taken away", "[process]") {
  const Programs programs;
  const Running binary(programs.binary, {kLong, "600"}), script(programs.script, {programs.script});
  std::filesystem::copy_file("/bin/true", programs.binary + ".new");
  std::filesystem::rename(programs.binary + ".new", programs.binary);
  std::filesystem::copy_file(programs.script, programs.script + ".new");
  std::filesystem::rename(programs.script + ".new", programs.script);
  CHECK(count_processes(programs.binary) == 1);
  CHECK(count_processes(programs.script) == 1);
  std::filesystem::remove(programs.binary);
  CHECK(count_processes(programs.binary) == 1);
  CHECK(count_processes(kLong) == 1);
}

TEST_CASE("process count: exactly these arguments, or any if none are given", "[process]") {
  const Programs programs;
  const Running six(programs.binary, {programs.binary, "600"}), seven(programs.binary, {programs.binary, "300", "400"});
  CHECK(count_processes(programs.binary) == 2);
  CHECK(count_processes(programs.binary + " 600") == 1);
  CHECK(count_processes(programs.binary + " 300 400") == 1);
  CHECK(count_processes(programs.binary + " 300") == 0);
  CHECK(count_processes(kLong + " 600") == 1);
  CHECK(count_processes(kLong + " 6") == 0);
}

TEST_CASE("process count: a path with blanks", "[process]") {
  const Programs programs;
  const std::string folder = programs.directory.path() + "/my own programs", path = folder + "/a daemon";
  std::filesystem::create_directory(folder);
  std::filesystem::copy_file("/bin/sleep", path);
  const Running running(path, {path, "600"});
  CHECK(count_processes(path) == 1);
  CHECK(count_processes(path + " 600") == 1);
  CHECK(count_processes(path + " 601") == 0);
  CHECK(count_processes("a daemon") == 1);
  CHECK_FALSE(why_never_runs(path + " 600").has_value());
}

TEST_CASE("process count: a daemon that writes its title over its arguments", "[process]") {
  const Programs programs;
  const std::string title = kLong + ": master process " + programs.binary;
  const Running running("/bin/sleep", {title, "600"}), other(programs.binary, {"something else", "600"});
  CHECK(count_processes(kLong) == 2);  // by the title, and by the executable
  CHECK(count_processes(kLong + ": master process") == 1);
  CHECK(count_processes(kLong + ": master proc") == 0);
  CHECK(count_processes(kLong + ": worker process") == 0);
}

TEST_CASE("process count: a zombie is not running, and a thread is no process", "[process]") {
  const Programs programs;
  Running running(programs.binary, {programs.binary, "600"});
  CHECK(count_processes(kLong) == 1);
  ::kill(running.pid(), SIGKILL);
  siginfo_t ended{};
  REQUIRE(::waitid(P_PID, static_cast<id_t>(running.pid()), &ended, WEXITED | WNOWAIT) == 0);
  CHECK(count_processes(kLong) == 0);

  std::thread thread([] {
    ::prctl(PR_SET_NAME, "vipd-test-thrd");
    CHECK(count_processes("vipd-test-thrd") == 0);
  });
  thread.join();
}

TEST_CASE("process count: without the right to see links, the command line decides", "[process]") {
  if (::geteuid() != 0) return;  // it needs a process of another user
  const Programs programs;
  const Running binary(programs.binary, {programs.binary, "600"}), script(programs.script, {programs.script, "600"});
  std::filesystem::permissions(programs.directory.path(), std::filesystem::perms::all);
  const pid_t nobody = ::fork();
  if (nobody == 0) {
    constexpr int kNobody = 65534;
    const bool became = ::setgid(kNobody) == 0 && ::setuid(kNobody) == 0;
    const bool all = count_processes(kLong) == 1 && count_processes(programs.binary + " 600") == 1 &&
                     count_processes(programs.script + " 600") == 1 && count_processes(name_of(programs.script)) == 1;
    ::_exit(became && all ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(nobody, &status, 0) == nobody);
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
}

TEST_CASE("process count: kernel threads have a name and nothing else", "[process]") {
  std::ifstream file("/proc/2/comm");  // a container cannot see it
  std::string name;
  if (!std::getline(file, name) || name != "kthreadd") return;
  CHECK(count_processes("kthreadd") == 1);
  CHECK(count_processes("kthreadd x") == 0);
}

TEST_CASE("process count: why a path can never pass", "[process]") {
  const Programs programs;
  const std::string folder = programs.directory.path();
  CHECK_FALSE(why_never_runs("any-name").has_value());
  CHECK_FALSE(why_never_runs(programs.binary).has_value());
  CHECK_FALSE(why_never_runs(programs.binary + " 600").has_value());
  CHECK(why_never_runs("/not/there") == "there is no /not/there");
  CHECK(why_never_runs("/not/there 600") == "there is no /not/there");
  CHECK(why_never_runs(folder) == folder + " is a directory");
  CHECK(why_never_runs("/dev/null") == "/dev/null is not a regular file");
  CHECK(why_never_runs(programs.binary + "/") == "there is no " + programs.binary + "/");
  CHECK(why_never_runs("nginx*") == "nginx* is taken as a name, not as a pattern");
  CHECK(why_never_runs("[kthreadd]") == "the brackets are those of ps(1); the name is kthreadd");
  std::filesystem::permissions(programs.script, std::filesystem::perms::owner_read);
  CHECK(why_never_runs(programs.script) ==
        programs.script + " is not executable: it counts only while an interpreter runs it");
}

TEST_CASE("process count: two thousand processes take no noticeable time", "[process]") {
  const std::clock_t start = std::clock();
  for (int i = 0; i < 20; ++i) count_processes("no-such-program-anywhere");
  const auto entries = std::ranges::count_if(std::filesystem::directory_iterator("/proc"), [](const auto& entry) {
    return std::isdigit(static_cast<unsigned char>(entry.path().filename().string()[0])) != 0;
  });
  const double each = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC / 20 / static_cast<double>(entries);
  CAPTURE(entries, each * 1e6);
  CHECK(each < 400e-6);  // about 20 us without sanitizers: 40 ms for 2000
}
