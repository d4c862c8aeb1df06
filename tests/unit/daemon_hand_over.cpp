// The hand-over from one program to the next in the same process.
#include "vipd/daemon/hand_over.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace vipd;
using vipd::test::TemporaryDirectory;

namespace {

HandOver something_to_leave() {
  HandOver what;
  what.listener = Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  what.lock = Fd(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  what.in_force = *in_sealed_memory("in force");
  what.program = Fd(::open("/bin/sh", O_PATH | O_CLOEXEC));
  return what;
}

/// The output of a shell that takes over a process of ours.
template <typename Act>
std::string said_by_shell(const TemporaryDirectory& directory, const std::string& script, Act act) {
  const std::string said = directory.path() + "/said";
  const pid_t child = ::fork();
  if (child == 0) {
    act(std::vector<std::string>{"sh", "-c", "exec >" + said + "; " + script});
    ::_exit(1);
  }
  ::waitpid(child, nullptr, 0);
  std::ifstream file(said);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("HandOver: sealed memory says what it was given, and nothing else is sealed memory") {
  const std::string text(3 << 20, 'x');
  const auto memory = in_sealed_memory(text);
  REQUIRE(memory);
  CHECK(read_sealed_memory(*memory) == text);
  CHECK(::pwrite(memory->get(), "y", 1, 0) < 0);
  CHECK(::ftruncate(memory->get(), 0) < 0);
  CHECK(read_sealed_memory(Fd()).empty());
  CHECK(read_sealed_memory(Fd(::open("/etc/passwd", O_RDONLY | O_CLOEXEC))).empty());
  const Fd open(::memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  REQUIRE(::write(open.get(), "text", 4) == 4);
  CHECK(read_sealed_memory(open).empty());
}

TEST_CASE("HandOver: a program that was started takes nothing over, and odd variables are no descriptors") {
  CHECK_FALSE(take_over());
  for (const char* number : {"", "x", "-1", "0", "2", "1000000", "99999999999999999999"}) {
    ::setenv("VIPD_CONTROL_LISTENER", number, 1);
    ::setenv("VIPD_IN_FORCE", number, 1);
    const auto left = take_over();
    REQUIRE(left);
    CHECK_FALSE(left->listener);
    CHECK_FALSE(left->in_force);
    CHECK(::getenv("VIPD_CONTROL_LISTENER") == nullptr);
    CHECK(::getenv("VIPD_IN_FORCE") == nullptr);
  }
}

TEST_CASE("HandOver: the next program finds all of it, and the one that comes back knows that it does") {
  const TemporaryDirectory directory;
  const std::string look =
      R"(cat /proc/self/fd/"$VIPD_IN_FORCE"; echo " $VIPD_GIVEN_BACK${VIPD_PROGRAM_BEFORE:+program}"; )"
      R"(readlink /proc/self/fd/"$VIPD_CONTROL_LISTENER"; readlink /proc/self/fd/"$VIPD_RUNTIME_LOCK")";
  CHECK(said_by_shell(directory, look, [](const auto& words) {
          (void)hand_over(something_to_leave(), "/bin/sh", words);
        }) == "in force program\n/dev/null\n/dev/zero\n");
  CHECK(said_by_shell(directory, look, [](const auto& words) { (void)give_back(something_to_leave(), words); }) ==
        "in force 1\n/dev/null\n/dev/zero\n");
}

TEST_CASE("HandOver: where the kernel does not run the program, the one that hands over goes on as it was") {
  const HandOver what = something_to_leave();
  const Error error = hand_over(what, "/nowhere/vipd", {"vipd"});
  CHECK(error.message == "cannot run /nowhere/vipd: No such file or directory");
  CHECK_FALSE(take_over());
  CHECK(read_sealed_memory(what.in_force) == "in force");
  CHECK(::fcntl(what.in_force.get(), F_GETFD) == FD_CLOEXEC);
  CHECK(give_back(HandOver(), {"vipd"}).message == "there is no program before this one");
}
