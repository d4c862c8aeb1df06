/// Document: one line of JSON from the daemon that has been checked, and safe ways to read its members.
///
/// vipctl must cope with odd documents: a daemon of another version, a missing field, a text from a peer or a script. A
/// document is refused only if nothing sensible can be shown: no JSON, another schema, nested too deeply. After that,
/// reading a member never throws and returns something harmless instead. Text for a terminal goes through
/// terminal_safe(), in one place: text_at().
///
/// The keys keep their order, so `--json` shows them in the daemon's order.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "vipd/base/result.hpp"

namespace vipd {

using Document = nlohmann::ordered_json;

/// Parses one line of the control socket. It must be an object with exactly this `schema`, for example "vipd.status/1".
/// A document "vipd.error/1" becomes the error that it carries.
Result<Document> parse_document(const std::string& line, std::string_view schema);

/// The member `key`; null if `object` is not an object or lacks the member.
const Document& member(const Document& object, const char* key);

/// The member as text for a terminal: strings through terminal_safe(), numbers and booleans in JSON notation, anything
/// else as "".
std::string text_at(const Document& object, const char* key);

/// True if the member is the boolean `true`.
bool is_true(const Document& object, const char* key);

/// The document as JSON in ASCII, which every terminal and locale reads alike. `indent` as for Document::dump; -1 = one
/// line. There is no newline at the end.
std::string json_text(const Document& document, int indent);

}  // namespace vipd
