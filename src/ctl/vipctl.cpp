#include "vipd/ctl/vipctl.hpp"

#include <cerrno>
#include <ostream>

namespace vipd {

ExitStatus exit_status(const Error& error) {
  switch (error.code) {
    case ENOENT:
    case ECONNREFUSED:
      return ExitStatus::no_daemon;
    case ETIMEDOUT:
      return ExitStatus::timeout;
    case EACCES:
      return ExitStatus::permission;
    case ENAMETOOLONG:
    case EINVAL:  // a configuration that is wrong
      return ExitStatus::usage;
    default:
      return ExitStatus::refused;
  }
}

ExitStatus run_vipctl(const Invocation& invocation, const Console& console) {
  auto done = invocation.verb(invocation, console);
  console.out.flush();
  if (done && !console.out) done = failure("cannot write the output");
  if (done) return ExitStatus::ok;
  console.err << "vipctl: " << done.error().message << '\n';
  return exit_status(done.error());
}

}  // namespace vipd
