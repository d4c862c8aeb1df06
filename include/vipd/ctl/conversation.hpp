/// One conversation of vipctl with the daemon: a request, and its answer.
#pragma once

#include <string_view>

#include "vipd/base/result.hpp"
#include "vipd/ctl/control_client.hpp"
#include "vipd/ctl/document.hpp"
#include "vipd/ctl/render.hpp"
#include "vipd/ctl/vipctl.hpp"

namespace vipd {

/// How to show documents on this console, at the present time.
Display display_now(const Console& console);
/// A console with longer patience: the daemon may have to read long files or wait for its disk.
Console with_patience(Console console);

/// Opens a conversation with one request; the answers are still to be received. The code of an error is an errno.
Result<ControlClient> ask(const Invocation& invocation, const Console& console, const Document& request);
/// Receives the first answer, which must have this schema.
Result<Document> first_answer(ControlClient& client, const Console& console, std::string_view schema);
/// Sends one request and returns its answer.
Result<Document> ask_once(const Invocation& invocation, const Console& console, const Document& request,
                          std::string_view schema);
/// Asks for the document of the verb `version`.
Result<Document> daemon_version(const Invocation& invocation, const Console& console);

}  // namespace vipd
