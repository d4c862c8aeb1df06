/// Probe: the built-in kinds of checks, each a question to the machine or to the network.
///
/// Runs in a process of its own, started by vipd-runner like a user's program, so it may wait for as long as it likes:
/// a timeout ends it from outside. It prints one line that says what is wrong, or the number that a file holds, and
/// ends with status 0 if all is well. `process` is no probe: vipd-runner answers it itself, see os/process_count.hpp.
///
/// Not good yet: each run loads libcurl, though only one kind needs it.
#pragma once

#include <span>
#include <string>

#include "vipd/base/result.hpp"

namespace vipd {

/// Answers the question in `arguments`, as program_of() (config/check_program.hpp) writes it without its first word's
/// mark: "tcp", "192.0.2.1:80". Returns the exit status: 0 passes, 1 fails, 2 if there is no such kind or it has
/// another number of arguments, which is said on standard error.
int run_check(std::span<const std::string> arguments);

/// What a probe that passes has to say: nothing, or a number.
using Answer = Result<std::string>;

/// What happens between the opening of a socket that needs root's rights and the first question.
using BeforeAsking = Result<void> (*)();
inline Result<void> nothing_before() { return {}; }

/// Is there a file? With `content` "content", its first line, which is read.
Answer check_file(const std::string& path, const std::string& content);
/// Is this unit of systemd active? A name without a dot is that of a service.
Answer check_unit(const std::string& name, BeforeAsking before_asking = nothing_before);
/// Does "HOST:PORT" or "[ADDRESS]:PORT" take a connection?
Answer check_tcp(const std::string& target);
/// Does the URL answer with `status` ("0": 200 to 399) and a body whose first MiB holds `text`?
Answer check_http(const std::string& url, const std::string& status, const std::string& text);
/// Does this address answer an ICMP echo request?
Answer check_ping(const std::string& address, BeforeAsking before_asking = nothing_before);

}  // namespace vipd
