/// What the daemon says, as a Document: one line of JSON that has been checked, and careful ways to look into it.
///
/// The program that shows a state must survive an odd one: a daemon of another version, a field that is missing, a text
/// that a peer or a script had a hand in. So a line is refused as a whole only where nothing sensible can be shown
/// (no JSON, another schema, nested beyond reason); after that every look into it answers with something harmless
/// instead of throwing. Text that may reach a terminal goes through terminal_safe(), in one place: text_at().
///
/// The order of keys is kept, so that `--json` shows a document the way the daemon meant it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "vipd/base/result.hpp"

namespace vipd {

using Document = nlohmann::ordered_json;

/// Parses one line of the control socket. It must be an object with exactly this `schema`, for example
/// "vipd.status/1". A "vipd.error/1" document becomes the error that it carries.
Result<Document> parse_document(const std::string& line, std::string_view schema);

/// The member `key`, or null where `object` is no object or has no such member.
const Document& member(const Document& object, const char* key);

/// The member as text that a terminal can take: strings through terminal_safe(), numbers and booleans as they are
/// written in JSON, everything else "".
std::string text_at(const Document& object, const char* key);

/// True where the member is the boolean `true`.
bool is_true(const Document& object, const char* key);

/// The document as JSON in ASCII, which no terminal and no locale can misread; `indent` as for Document::dump, -1 for
/// a single line. Without a newline at the end.
std::string json_text(const Document& document, int indent);

}  // namespace vipd
