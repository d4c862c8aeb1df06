/// Rendering: documents of the daemon as text for an operator at three in the morning.
///
/// The functions are pure, Document in and text out, so a unit test covers each form of a state. The status answers the
/// operator's questions in their order. Is all well (first line)? Which state, since when, and why? Which peers are
/// there, and what are the states of the addresses? Anything that is as it should be takes no line: refused adverts,
/// hooks and a different priority appear only if there is something to say. A fault is in the first line, too, and in
/// capitals.
///
/// A field that is missing or odd is left out or shown as "?". Only a document that breaks its schema altogether is an
/// error. Not good yet: long reasons are not wrapped to the width of the terminal.
#pragma once

#include <string>

#include "vipd/base/result.hpp"
#include "vipd/ctl/document.hpp"
#include "vipd/ctl/text.hpp"

namespace vipd {

/// A document "vipd.status/1" as text, many lines. Fails if it has no list of instances.
Result<std::string> render_status(const Document& status, const Display& display);

/// The table of a document "vipd.events/1", with its heading, the oldest event first. Fails if it has no list of
/// events.
Result<std::string> render_events(const Document& events, const Display& display);

/// One line of the table of events; `instance_width` is the width of its second column.
std::string render_event(const Document& event, const Display& display, std::size_t instance_width);

/// The faults of the files, from a document "vipd.diff/1" or "vipd.reload/1"; empty if there are none.
std::string render_report(const Document& answer);

/// The changes in a document "vipd.diff/1" or "vipd.reload/1", a line each.
std::string render_changes(const Document& answer);

/// The table of a document "vipd.config/1", with its heading.
std::string render_configurations(const Document& answer, const Display& display);

/// The texts of all files in a document "vipd.config/1", each after a comment with its path.
std::string render_files(const Document& answer);

/// The width of the second column that fits the names in a document "vipd.events/1".
std::size_t instance_width(const Document& events);

}  // namespace vipd
