/// StringExplainer: reads strings and says what is wrong with them.
///
/// A string may lack its end, close with a quote that is none, or have an escape that TOML does not know. A string of
/// many lines is read to its end whatever is wrong in it: its lines are no statements.
#pragma once

#include <string>
#include <string_view>

#include "vipd/config/syntax_fault.hpp"

namespace vipd {

class StringExplainer : protected SyntaxFault {
 protected:
  StringExplainer(std::string_view text, const RefusedStatement& statement) : SyntaxFault(text, statement) {}

  /// On one line, between quotes of either kind.
  bool string();
  /// Between `quotes`, which are three.
  bool multi_line_string(std::string_view quotes);

 private:
  std::string closing_hint(std::size_t open) const;
  bool escape();
  bool joins_lines();
};

}  // namespace vipd
