#include "vipd/ctl/conversation.hpp"

#include <algorithm>
#include <string>

namespace vipd {
namespace {

constexpr Duration kPatienceForFiles = std::chrono::seconds(60);

}  // namespace

Display display_now(const Console& console) {
  return {.now = std::chrono::system_clock::now(), .colour = console.colour};
}

Result<ControlClient> ask(const Invocation& invocation, const Console& console, const Document& request) {
  auto client = ControlClient::connect(invocation.runtime_dir + "/control.sock", console.patience);
  if (!client) return client;
  if (auto sent = client->send(json_text(request, -1)); !sent) return std::unexpected(sent.error());
  return client;
}

Result<Document> first_answer(ControlClient& client, const Console& console, std::string_view schema) {
  const auto line = client.receive_line(console.patience);
  if (!line) return std::unexpected(line.error());
  return parse_document(*line, schema);
}

Console with_patience(Console console) {
  console.patience = std::max(console.patience, kPatienceForFiles);
  return console;
}

Result<Document> ask_once(const Invocation& invocation, const Console& console, const Document& request,
                          std::string_view schema) {
  auto client = ask(invocation, console, request);
  if (!client) return std::unexpected(client.error());
  return first_answer(*client, console, schema);
}

Result<Document> daemon_version(const Invocation& invocation, const Console& console) {
  return ask_once(invocation, console, {{"verb", "version"}}, "vipd.version/1");
}

}  // namespace vipd
