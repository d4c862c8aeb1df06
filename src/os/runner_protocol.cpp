#include "vipd/os/runner_protocol.hpp"

#include <exception>

namespace vipd {
namespace {

constexpr int kVersion = 1;

/// Reads members of a message by `read`; a member that is missing or of the wrong type is a failure.
template <typename T, typename Read>
Result<T> guarded(const char* what, Read read) {
  try {
    return read();
  } catch (const std::exception& error) {
    return failure(std::string("not a valid ") + what + ": " + error.what());
  }
}

}  // namespace

Json runner_greeting() { return {{"vipd-runner", kVersion}}; }

bool is_runner_greeting(const Json& message) { return message == runner_greeting(); }

bool is_serve_request(const Json& message) { return message.contains("serve"); }

Json to_message(const ServeRequest& request) { return {{"serve", request.hashes}}; }

Result<ServeRequest> read_serve_request(const Json& message) {
  return guarded<ServeRequest>("request", [&] {
    ServeRequest request{message.at("serve").get<std::vector<std::string>>()};
    if (request.hashes.size() > kMostServed) request.hashes.resize(kMostServed);
    return request;
  });
}

Json to_message(const RunRequest& request) {
  const Command& command = request.command;
  return {{"run", request.id},
          {"label", command.label},
          {"arguments", command.arguments},
          {"environment", command.environment},
          {"quiet", command.quiet},
          {"timeout_ns", command.timeout.count()}};
}

Result<RunRequest> read_request(const Json& message) {
  return guarded<RunRequest>("request", [&] {
    return RunRequest{.id = integer_at<std::uint64_t>(message, "run"),
                      .command = {.label = message.at("label").get<std::string>(),
                                  .arguments = message.at("arguments").get<std::vector<std::string>>(),
                                  .environment = message.at("environment").get<std::vector<std::string>>(),
                                  .quiet = message.at("quiet").get<bool>(),
                                  .timeout = Duration(integer_at<Duration::rep>(message, "timeout_ns"))}};
  });
}

Json to_message(const RunAnswer& answer) {
  const Outcome& outcome = answer.outcome;
  return {{"ended", answer.id},
          {"error", outcome.error},
          {"lost", outcome.lost},
          {"exit_status", outcome.exit_status},
          {"signal", outcome.signal},
          {"timed_out", outcome.timed_out},
          {"took_ns", outcome.took.count()},
          {"output", outcome.output}};
}

Result<RunAnswer> read_answer(const Json& message) {
  return guarded<RunAnswer>("answer", [&] {
    return RunAnswer{.id = integer_at<std::uint64_t>(message, "ended"),
                     .outcome = {.error = message.at("error").get<std::string>(),
                                 .lost = message.at("lost").get<bool>(),
                                 .exit_status = integer_at<int>(message, "exit_status"),
                                 .signal = integer_at<int>(message, "signal"),
                                 .timed_out = message.at("timed_out").get<bool>(),
                                 .took = Duration(integer_at<Duration::rep>(message, "took_ns")),
                                 .output = message.at("output").get<std::vector<std::string>>()}};
  });
}

}  // namespace vipd
