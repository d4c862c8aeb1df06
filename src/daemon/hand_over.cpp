#include "vipd/daemon/hand_over.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "vipd/os/octets.hpp"

namespace vipd {
namespace {

/// A descriptor that is handed over, and the environment variable that names it. Every version sets the first.
struct Kept {
  const char* variable;
  Fd HandOver::* descriptor;
};
constexpr std::array kKept = {Kept{"VIPD_CONTROL_LISTENER", &HandOver::listener},
                              Kept{"VIPD_RUNTIME_LOCK", &HandOver::lock}, Kept{"VIPD_IN_FORCE", &HandOver::in_force},
                              Kept{"VIPD_PROGRAM_BEFORE", &HandOver::program}};
constexpr const char* kGivenBack = "VIPD_GIVEN_BACK";

constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
constexpr off_t kLargestMemory = 64 << 20;  // 64 MiB: a record of 8 MiB of texts has at most 32 MiB

Fd taken(const char* variable) {
  const char* value = ::getenv(variable);
  int number = -1;
  if (value != nullptr) std::from_chars(value, value + std::strlen(value), number);
  ::unsetenv(variable);
  if (number <= STDERR_FILENO || ::fcntl(number, F_SETFD, FD_CLOEXEC) < 0) return {};
  return Fd(number);
}

/// Copies of the descriptors without close-on-exec, which survive execve(2).
std::vector<Fd> keep_open(const HandOver& what) {
  std::vector<Fd> copies;
  for (const auto& [variable, descriptor] : kKept) {
    ::unsetenv(variable);
    if (!(what.*descriptor)) continue;
    Fd copy(::fcntl((what.*descriptor).get(), F_DUPFD, STDERR_FILENO + 1));
    if (!copy) continue;
    ::setenv(variable, std::to_string(copy.get()).c_str(), 1);
    copies.push_back(std::move(copy));
  }
  return copies;
}

}  // namespace

std::optional<HandOver> take_over() {
  if (::getenv(kKept.front().variable) == nullptr) return std::nullopt;
  HandOver what;
  for (const auto& [variable, descriptor] : kKept) what.*descriptor = taken(variable);
  what.given_back = ::getenv(kGivenBack) != nullptr;
  ::unsetenv(kGivenBack);
  if (what.given_back) ::prctl(PR_SET_NAME, "vipd");  // execveat(2) has named the process after the descriptor
  return what;
}

Result<Fd> in_sealed_memory(const std::string& text) {
  Fd memory(::memfd_create("vipd-in-force", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!memory) return system_failure("cannot get memory", errno);
  if (!write_all(memory, text)) return system_failure("cannot fill memory", errno);
  if (::fcntl(memory.get(), F_ADD_SEALS, kSeals) < 0) return system_failure("cannot seal memory", errno);
  return memory;
}

std::string read_sealed_memory(const Fd& memory) {
  struct stat status{};
  const int seals = memory ? ::fcntl(memory.get(), F_GET_SEALS) : -1;
  if (seals < 0 || (seals & kSeals) != kSeals || ::fstat(memory.get(), &status) < 0) return "";
  if (status.st_size > kLargestMemory) return "";
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t size = ::pread(memory.get(), text.data() + done, text.size() - done, static_cast<off_t>(done));
    if (size == 0 || (size < 0 && errno != EINTR)) return "";
    if (size > 0) done += static_cast<std::size_t>(size);
  }
  return text;
}

Error hand_over(const HandOver& what, const std::string& program, const std::vector<std::string>& arguments) {
  const std::vector<Fd> copies = keep_open(what);
  if (what.given_back) ::setenv(kGivenBack, "1", 1);
  std::vector<char*> words;
  for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  ::execv(program.c_str(), words.data());
  const int error = errno;
  for (const Kept& each : kKept) ::unsetenv(each.variable);
  ::unsetenv(kGivenBack);
  return system_failure("cannot run " + program, error).error();
}

Error give_back(HandOver what, const std::vector<std::string>& arguments) {
  if (!what.program) return failure("there is no program before this one").error();
  what.given_back = true;
  const Fd program = std::move(what.program);
  return hand_over(what, "/proc/self/fd/" + std::to_string(program.get()), arguments);
}

}  // namespace vipd
