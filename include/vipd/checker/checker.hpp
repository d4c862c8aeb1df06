/// The built-in kinds of checks, each a question to the machine or to the network.
///
/// Each check runs in a process of its own. vipd-runner starts it like a user's program, so it may wait: a timeout ends
/// it from outside. It prints one line, which says why it failed or gives the number in a file. Its exit status is 0 if
/// it passes. The kind `process` is missing here: vipd-runner counts processes itself, see os/process_count.hpp.
///
/// Not good yet: each run loads libcurl, though only one kind needs it.
#pragma once

#include <span>
#include <string>

#include "vipd/base/result.hpp"

namespace vipd {

/// Carries out the check in `arguments`: "tcp", "192.0.2.1:80". They are the words of program_of()
/// (config/check_program.hpp) without the mark before the first word. Returns the exit status: 0 = pass, 1 = fail, 2 =
/// unknown kind or wrong number of arguments, with the usage on standard error.
int run_check(std::span<const std::string> arguments);

/// The output of a check that passes (nothing, or a number), or why it fails.
using Answer = Result<std::string>;

/// Called after the check has opened the socket that needs root's rights, and before it asks.
using BeforeAsking = Result<void> (*)();
inline Result<void> nothing_before() { return {}; }

/// Passes if the file exists. With `content` "content" the output is the first line of the file.
Answer check_file(const std::string& path, const std::string& content);
/// Passes if this unit of systemd is active. A name without a dot is the name of a service.
Answer check_unit(const std::string& name, BeforeAsking before_asking = nothing_before);
/// Passes if "HOST:PORT" or "[ADDRESS]:PORT" accepts a connection.
Answer check_tcp(const std::string& target);
/// Passes if the URL answers with `status` ("0": 200 to 399) and if the first MiB of the body contains `text`.
Answer check_http(const std::string& url, const std::string& status, const std::string& text);
/// Passes if this address answers an ICMP echo request.
Answer check_ping(const std::string& address, BeforeAsking before_asking = nothing_before);

}  // namespace vipd
