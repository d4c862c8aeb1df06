#include "vipd/ctl/vipctl.hpp"

#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <string_view>

namespace {

/// Colour is used on a terminal, unless the user has set NO_COLOR (https://no-color.org).
bool wants_colour() {
  const char* no_color = std::getenv("NO_COLOR");
  if (no_color != nullptr && *no_color != '\0') return false;
  const char* terminal = std::getenv("TERM");
  return isatty(STDOUT_FILENO) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto invocation = vipd::parse_command_line(argc, argv, std::cout, std::cerr);
    if (!invocation) return invocation.error();
    const vipd::Console console{.out = std::cout, .err = std::cerr, .colour = wants_colour()};
    return static_cast<int>(vipd::run_vipctl(*invocation, console));
  } catch (const std::exception& error) {
    std::cerr << "vipctl: " << error.what() << '\n';
    return static_cast<int>(vipd::ExitStatus::refused);
  }
}
