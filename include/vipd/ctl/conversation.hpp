/// One conversation of vipctl with the daemon: a request, and its answer.
#pragma once

#include <string_view>

#include "vipd/base/result.hpp"
#include "vipd/ctl/control_client.hpp"
#include "vipd/ctl/document.hpp"
#include "vipd/ctl/render.hpp"
#include "vipd/ctl/vipctl.hpp"

namespace vipd {

/// How documents are to be shown on this console, at this time.
Display display_now(const Console& console);
/// The same console, with the time that the daemon may need to read long files or to wait for its disk.
Console with_patience(Console console);

/// Opens a conversation with one request; the answers are still to be received. The error's code is an errno.
Result<ControlClient> ask(const Invocation& invocation, const Console& console, const Document& request);
/// The first answer, which has to have this schema.
Result<Document> first_answer(ControlClient& client, const Console& console, std::string_view schema);
/// One request, one answer.
Result<Document> ask_once(const Invocation& invocation, const Console& console, const Document& request,
                          std::string_view schema);
/// The document of the verb `version`.
Result<Document> daemon_version(const Invocation& invocation, const Console& console);

}  // namespace vipd
