/// StringExplainer: reads strings and explains their faults.
///
/// A string may lack its end, close with a lookalike of a quote, or have an unknown escape. A string of many lines is
/// read to its end in spite of faults, since its lines are no statements.
#pragma once

#include <string>
#include <string_view>

#include "vipd/config/syntax_fault.hpp"

namespace vipd {

class StringExplainer : protected SyntaxFault {
 protected:
  StringExplainer(std::string_view text, const RefusedStatement& statement) : SyntaxFault(text, statement) {}

  /// Reads a string on one line, with quotes of either kind.
  bool string();
  /// Reads a string of many lines between `quotes`, which are three.
  bool multi_line_string(std::string_view quotes);

 private:
  std::string closing_hint(std::size_t open) const;
  bool escape();
  bool joins_lines();
};

}  // namespace vipd
