/// The messages of vipd and vipd-runner: JSON objects over a MessageSocket.
///
/// The runner greets with its version, and vipd closes the connection if it does not know that version. vipd names the
/// configurations in force and asks for programs, each request with a number. The runner answers each request once,
/// when the program has ended. Neither process trusts the other: a malformed message is a failure, never an exception.
#pragma once

#include <cstdint>

#include "vipd/base/result.hpp"
#include "vipd/os/json.hpp"
#include "vipd/os/runner.hpp"

namespace vipd {

/// The most configurations that vipd may name at a time; a runner ignores the rest.
inline constexpr std::size_t kMostServed = 4;

/// vipd to runner: judge by the programs of these configurations (see Runner::serve()).
struct ServeRequest {
  std::vector<std::string> hashes;
};

/// vipd to runner: run this program.
struct RunRequest {
  std::uint64_t id = 0;
  Command command;
};

/// vipd-runner to vipd: the outcome of a program.
struct RunAnswer {
  std::uint64_t id = 0;
  Outcome outcome;
};

/// The runner's first message.
Json runner_greeting();
/// True for the greeting of a runner with the same version of the protocol.
bool is_runner_greeting(const Json& message);

/// Convert a message to a value, and a value to a message.
bool is_serve_request(const Json& message);
Json to_message(const ServeRequest& request);
Result<ServeRequest> read_serve_request(const Json& message);
Json to_message(const RunRequest& request);
Result<RunRequest> read_request(const Json& message);
Json to_message(const RunAnswer& answer);
Result<RunAnswer> read_answer(const Json& message);

}  // namespace vipd
