#include "vipd/os/process_count.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <climits>
#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

#include "vipd/os/fd.hpp"

namespace vipd {
namespace {

constexpr std::size_t kLongestComm = 15;  // TASK_COMM_LEN without the terminating NUL
constexpr std::size_t kLongestCommandLine = 1 << 16;
constexpr std::string_view kDeleted = " (deleted)";  // suffix of the target of exe if the file was deleted, proc(5)
constexpr auto kInterpreters =
    std::to_array<std::string_view>({"sh", "bash", "dash", "ash", "ksh", "zsh", "python", "pypy", "perl", "ruby",
                                     "node", "nodejs", "php", "lua", "tclsh", "java"});

/// One way to split the text of a check into a program and its arguments.
struct Wanted {
  std::string program;                   ///< a name, or a path as written
  std::string file;                      ///< the path with links resolved; empty for a name
  std::optional<std::string> arguments;  ///< the arguments joined by blanks; nullopt = any
};

bool is_path(std::string_view program) { return program.starts_with('/'); }

std::string_view base_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string without_links(const std::filesystem::path& path) {
  std::error_code error;
  const auto resolved = std::filesystem::weakly_canonical(path, error);  // resolves the part of the path that exists
  return error ? path.string() : resolved.string();
}

/// "/opt/a b" is a program of that name, or /opt/a with the argument "b".
std::vector<Wanted> readings_of(const std::string& text) {
  std::vector<Wanted> readings;
  const auto add = [&](const std::string& program, std::optional<std::string> arguments) {
    readings.push_back({program, is_path(program) ? without_links(program) : "", std::move(arguments)});
  };
  add(text, std::nullopt);
  for (std::size_t blank = text.find(' '); blank != std::string::npos; blank = text.find(' ', blank + 1))
    add(text.substr(0, blank), text.substr(blank + 1));
  return readings;
}

/// True if `text` begins with all of these words.
bool begins_with_words(std::string_view text, std::string_view words) {
  return text.starts_with(words) && (text.size() == words.size() || text[words.size()] == ' ');
}

/// True for the name of an interpreter; "python3.11" counts as python.
bool is_interpreter(std::string_view name) {
  const std::string_view plain = name.substr(0, name.find_last_not_of("0123456789.") + 1);
  return std::ranges::find(kInterpreters, plain) != kInterpreters.end();
}

/// A process as /proc shows it. Missing or hidden parts are empty.
class Process {
 public:
  Process(int proc, std::string pid);

  /// False for a zombie, and for a process that has ended.
  bool is_alive() const;
  bool runs(const Wanted& wanted) const;
  /// True if the process has written a title that begins with these words.
  bool is_titled(std::string_view words) const { return begins_with_words(joined(0), words); }

 private:
  std::string beginning_of(const char* file) const;
  std::string target_of(const char* link) const;
  void split(const std::string& command_line);
  std::string_view argument(std::size_t index) const {
    return index < arguments_.size() ? std::string_view(arguments_[index]) : std::string_view();
  }
  std::string joined(std::size_t first) const;
  bool has_arguments(std::size_t first, const Wanted& wanted) const {
    return !wanted.arguments || joined(first) == *wanted.arguments;
  }
  bool is_called(std::string_view name) const;
  bool is_executable(const Wanted& wanted) const;
  bool is_at(std::size_t index, const Wanted& wanted) const;
  std::size_t find_script() const;
  std::size_t behind_options() const;

  int proc_;
  std::string pid_;
  std::string comm_, executable_;
  std::vector<std::string> arguments_;  ///< the first is the program's own name
};

std::string Process::beginning_of(const char* file) const {
  const Fd fd(::openat(proc_, (pid_ + file).c_str(), O_RDONLY | O_CLOEXEC));
  // static, because clearing it for each process would take too long
  static std::array<char, kLongestCommandLine> buffer;
  const ssize_t size = fd ? ::read(fd.get(), buffer.data(), buffer.size()) : -1;
  return {buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
}

std::string Process::target_of(const char* link) const {
  std::array<char, PATH_MAX> buffer;
  const ssize_t size = ::readlinkat(proc_, (pid_ + link).c_str(), buffer.data(), buffer.size());
  return {buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
}

Process::Process(int proc, std::string pid) : proc_(proc), pid_(std::move(pid)) {
  comm_ = beginning_of("/comm");
  if (comm_.ends_with('\n')) comm_.pop_back();
  split(beginning_of("/cmdline"));
  executable_ = target_of("/exe");
  if (executable_.ends_with(kDeleted)) executable_.resize(executable_.size() - kDeleted.size());
}

bool Process::is_alive() const {
  const std::string stat = beginning_of("/stat");  // "1234 (comm) S ..."; comm may hold ")"
  const std::size_t end = stat.rfind(") ");
  return end != std::string::npos && stat[end + 2] != 'Z';
}

/// Splits the command line at NULs. A title that is shorter than the original arguments leaves trailing NULs, which are
/// cut.
void Process::split(const std::string& command_line) {
  const std::size_t size = command_line.find_last_not_of('\0') + 1;
  for (std::size_t begin = 0; begin < size;) {
    const std::size_t end = std::min(command_line.find('\0', begin), size);
    arguments_.push_back(command_line.substr(begin, end - begin));
    begin = end + 1;
  }
}

std::string Process::joined(std::size_t first) const {
  std::string text;
  for (std::size_t i = first; i < arguments_.size(); ++i) text += (i == first ? "" : " ") + arguments_[i];
  return text;
}

bool Process::runs(const Wanted& wanted) const {
  const bool itself = is_path(wanted.program) ? is_executable(wanted) : is_called(wanted.program);
  if (itself && has_arguments(1, wanted)) return true;
  const std::size_t script = find_script();
  return script != 0 && is_at(script, wanted) && has_arguments(script + 1, wanted);
}

/// Compares with comm, with the first argument (which may be a title, "nginx: master process"), and with the file's
/// name.
bool Process::is_called(std::string_view name) const {
  const std::string_view first = argument(0), title = first.substr(0, first.find(": "));
  if (comm_ == name || base_of(title) == name || base_of(executable_) == name) return true;
  return comm_ == name.substr(0, kLongestComm) && begins_with_words(first, name);
}

/// Compares with the kernel's path of the executable, and with the path of the start, which may lead through a link.
bool Process::is_executable(const Wanted& wanted) const {
  if (executable_ == wanted.file || argument(0) == wanted.program) return true;
  return executable_.empty() && is_at(0, wanted);
}

/// True if argument `index` is the program.
bool Process::is_at(std::size_t index, const Wanted& wanted) const {
  const std::string_view path = argument(index);
  if (!is_path(wanted.program)) return base_of(path) == wanted.program;
  if (path == wanted.program) return true;
  if (is_path(path)) return without_links(path) == wanted.file;
  const std::string directory = path.empty() ? "" : target_of("/cwd");
  return !directory.empty() && without_links(std::filesystem::path(directory) / path) == wanted.file;
}

/// The index of the script that an interpreter runs; 0 if there is none.
std::size_t Process::find_script() const {
  const auto is_named = [this](std::size_t index) { return base_of(argument(index)).substr(0, kLongestComm) == comm_; };
  // execve(2): for "#! interpreter option", comm is the script's name. The script follows the interpreter and its one
  // option.
  for (const std::size_t index : {1u, 2u})
    if (!comm_.empty() && !is_named(0) && is_named(index)) return index;
  return is_interpreter(base_of(argument(0))) ? behind_options() : 0;
}

/// The index of the first argument that is no option; 0 if there is none, or if an option is the program ("sh -c").
std::size_t Process::behind_options() const {
  for (std::size_t i = 1; i < arguments_.size(); ++i) {
    const std::string_view word = arguments_[i];
    if (!word.starts_with('-')) return i;
    if (word.ends_with('c') && !word.starts_with("--")) return 0;
  }
  return 0;
}

std::optional<std::string> why_not_runnable(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) < 0) return errno == EACCES ? std::nullopt : std::optional("there is no " + path);
  if (S_ISDIR(status.st_mode)) return path + " is a directory";
  if (!S_ISREG(status.st_mode)) return path + " is not a regular file";
  if ((status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0) return std::nullopt;
  return path + " is not executable: it counts only while an interpreter runs it";
}

}  // namespace

unsigned count_processes(const std::string& program) {
  struct Close {
    void operator()(DIR* open) const { ::closedir(open); }
  };
  const std::unique_ptr<DIR, Close> directory(::opendir("/proc"));
  if (!directory) return 0;
  const std::vector<Wanted> readings = readings_of(program);
  const bool is_title = program.find(": ") != std::string::npos;
  unsigned count = 0;
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string pid = entry->d_name;
    if (!std::ranges::all_of(pid, [](unsigned char c) { return std::isdigit(c) != 0; })) continue;
    const Process process(::dirfd(directory.get()), pid);
    const bool found = std::ranges::any_of(readings, [&](const Wanted& each) { return process.runs(each); });
    if ((found || (is_title && process.is_titled(program))) && process.is_alive()) ++count;
  }
  return count;
}

std::optional<std::string> why_never_runs(const std::string& program) {
  const std::string first = program.substr(0, program.find(' '));
  if (first.find_first_of("*?^$|") != std::string::npos) return first + " is taken as a name, not as a pattern";
  if (first.starts_with('[') && first.ends_with(']'))
    return "the brackets are those of ps(1); the name is " + first.substr(1, first.size() - 2);
  if (!is_path(program)) return std::nullopt;
  const std::vector<Wanted> readings = readings_of(program);
  for (const Wanted& reading : readings)
    if (!why_not_runnable(reading.program)) return std::nullopt;
  return why_not_runnable(readings.size() == 1 ? program : readings[1].program);
}

}  // namespace vipd
