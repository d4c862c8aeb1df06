/// What an operator reads at three in the morning: documents of the daemon as text.
///
/// Pure functions, Document in and text out, so that each look of a state is a unit test. The order of the status
/// is the order of the questions: is it well (first line), which state and since when, why, who else, what of the
/// addresses. What is as it should be takes no line: refused adverts, hooks, and a differing priority appear only
/// when there is something to say. A fault stands in the first line, too, and in capitals.
///
/// A field that is missing or odd is left out or shown as "?"; an error is only a document that is not what its
/// schema promises at all. Not good yet: long reasons are not wrapped to the width of the terminal.
#pragma once

#include <string>

#include "vipd/base/result.hpp"
#include "vipd/ctl/document.hpp"
#include "vipd/ctl/text.hpp"

namespace vipd {

/// A "vipd.status/1" document as text, many lines. Fails if it has no list of instances.
Result<std::string> render_status(const Document& status, const Display& display);

/// The table of a "vipd.events/1" document, with its heading, the oldest event first. Fails if it has no list of
/// events.
Result<std::string> render_events(const Document& events, const Display& display);

/// One line of that table; `instance_width` is the width of its second column.
std::string render_event(const Document& event, const Display& display, std::size_t instance_width);

/// What is wrong with the files, of a "vipd.diff/1" or "vipd.reload/1" document; may be empty.
std::string render_report(const Document& answer);

/// What such a document changes, a line each.
std::string render_changes(const Document& answer);

/// The table of a "vipd.config/1" document, with its heading.
std::string render_configurations(const Document& answer, const Display& display);

/// The texts of all files in a "vipd.config/1" document, each behind its path as a comment.
std::string render_files(const Document& answer);

/// The width of the second column that fits the names in a "vipd.events/1" document.
std::size_t instance_width(const Document& events);

}  // namespace vipd
