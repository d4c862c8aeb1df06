/// What vipd and vipd-runner say to each other, as JSON objects over a MessageSocket.
///
/// The runner greets with its version; a vipd that does not know it hangs up. vipd names the configurations in force,
/// and asks for programs, each with a number of its own. The runner answers each once, when it has ended. Neither
/// trusts the other: what does not read as one of these is a failure, never an exception.
#pragma once

#include <cstdint>

#include "vipd/base/result.hpp"
#include "vipd/os/json.hpp"
#include "vipd/os/runner.hpp"

namespace vipd {

/// How many configurations vipd may name at a time; a runner takes no notice of more.
inline constexpr std::size_t kMostServed = 4;

/// vipd: judge by the programs of these configurations, see Runner::serve().
struct ServeRequest {
  std::vector<std::string> hashes;
};

/// vipd: run this.
struct RunRequest {
  std::uint64_t id = 0;
  Command command;
};

/// vipd-runner: this is how it ended.
struct RunAnswer {
  std::uint64_t id = 0;
  Outcome outcome;
};

/// The runner's first message.
Json runner_greeting();
/// Is it the greeting of a runner that speaks as we do?
bool is_runner_greeting(const Json& message);

/// Message and value, both ways.
bool is_serve_request(const Json& message);
Json to_message(const ServeRequest& request);
Result<ServeRequest> read_serve_request(const Json& message);
Json to_message(const RunRequest& request);
Result<RunRequest> read_request(const Json& message);
Json to_message(const RunAnswer& answer);
Result<RunAnswer> read_answer(const Json& message);

}  // namespace vipd
