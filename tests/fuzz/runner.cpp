// Any packets at either end of the conversation between vipd and vipd-runner: they become a request, an answer or a
// failure. A caller that waits for a program is answered once at most.
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "fuzz/bytes.hpp"
#include "vipd/base/assert.hpp"
#include "vipd/load/programs.hpp"
#include "vipd/os/runner_client.hpp"
#include "vipd/os/runner_protocol.hpp"

using namespace vipd;
using fuzz::Bytes;

namespace {

const std::vector<NamedProgram> kPrograms = {{{"/hook"}, true, {}}, {{"/check", "-q"}, false, {}}};

/// Checks that only a program of the configuration is allowed, with the four words behind it where they belong.
void check_named(const std::vector<std::string>& arguments) {
  const bool notify = arguments.size() == 5 && arguments.front() == "/hook";
  VIPD_ASSERT(notify || arguments == kPrograms[1].arguments);
  for (const std::string& word : arguments)
    VIPD_ASSERT(word.find_first_of(std::string_view("\0\n ;$", 5)) == std::string::npos);
}

void check_harmless(const std::vector<std::string>& environment) {
  for (const std::string& entry : environment) VIPD_ASSERT(entry.starts_with("VIPD_") && entry.c_str() == entry);
}

/// Reads a message as RunnerServer does.
void check_request(const Json& message) {
  const auto request = read_request(message);
  if (!request) return VIPD_ASSERT(!request.error().message.empty());
  const Command& command = request->command;
  if (is_named(kPrograms, command.arguments)) check_named(command.arguments);
  if (is_harmless(command.environment)) check_harmless(command.environment);
  const Json again = to_message(*request);
  for (const auto& [key, value] : again.items()) VIPD_ASSERT(message.at(key) == value);
}

/// Reads a message as RunnerClient does.
void check_answer(const Json& message) {
  const auto answer = read_answer(message);
  if (!answer) return VIPD_ASSERT(!answer.error().message.empty());
  VIPD_ASSERT(!to_string(answer->outcome).empty() || !answer->outcome.ok());
  const Json again = to_message(*answer);
  for (const auto& [key, value] : again.items()) VIPD_ASSERT(message.at(key) == value);
}

/// A conversation with a runner that sends anything.
class Conversation {
 public:
  explicit Conversation(EventLoop& loop)
      : loop_(loop), client_(loop, [this]() -> Result<Fd> {
          auto pair = make_socket_pair();
          VIPD_ASSERT(pair.has_value());
          runner_ = std::move(pair->theirs);
          return std::move(pair->ours);
        }) {}

  void step(Bytes& bytes) {
    const unsigned choice = bytes.octet();
    switch (choice % 8) {
      case 0:
        return ask(choice / 8);
      case 1:
        return say(runner_greeting().dump());
      case 2:
      case 3:
        return say(
            to_message(RunAnswer{.id = choice / 8, .outcome = {.exit_status = static_cast<int>(choice)}}).dump());
      case 4:
        runner_ = Fd();
        break;
      case 5: {
        const auto packet = bytes.take(bytes.octet());
        return say({packet.begin(), packet.end()});
      }
      default:
        break;
    }
    loop_.turn(Duration::zero());
  }

 private:
  void ask(unsigned size) {
    const int number = ++asked_;
    client_.run({.label = "web", .arguments = {"/hook", std::string(size, 'x')}, .environment = {}, .timeout = {}},
                [this, number](const Outcome&) { VIPD_ASSERT(answered_.insert(number).second); });
  }
  void say(const std::string& packet) {
    if (runner_) (void)!::send(runner_.get(), packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }

  EventLoop& loop_;
  Fd runner_;
  int asked_ = 0;
  std::set<int> answered_;
  RunnerClient client_;
};

EventLoop& loop() {
  static const std::unique_ptr<EventLoop> loop = [] {
    spdlog::set_level(spdlog::level::off);
    return std::move(*EventLoop::create());
  }();
  return *loop;
}

void converse(Bytes& bytes) {
  Conversation conversation(loop());
  while (!bytes.empty()) conversation.step(bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes bytes(data, size);
  const unsigned choice = bytes.octet();
  if (choice == 'c') {
    converse(bytes);
    return 0;
  }
  const std::string packet = bytes.text();
  const Json message = Json::parse(packet, nullptr, false);
  if (!message.is_object()) return 0;
  check_request(message);
  check_answer(message);
  VIPD_ASSERT(!is_runner_greeting(message) || message.size() == 1);
  return 0;
}
