/// UnknownWords: diagnostics for keys and tables that the schema does not have.
///
/// Each diagnostic suggests what may be meant: the key for a keepalived word, the table of a misplaced key, the right
/// spelling. A key under a wrong name is remembered, so it is not also reported as missing.
#pragma once

#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "vipd/config/report.hpp"
#include "vipd/config/toml.hpp"

namespace vipd {

/// A table of a file with keys of the schema.
struct Section {
  std::string_view table;  ///< the name of the table in the schema
  std::string title;       ///< the header in the file: "[instance.web]"
};

class UnknownWords {
 public:
  /// A set of keys, by their full names.
  using Names = std::set<std::string, std::less<>>;

  UnknownWords(std::span<const TomlFile> files, Report& report) : files_(files), report_(report) {}

  /// Begins another section, with `meant` as its keys under wrong names. Returns those of the previous section.
  Names begin_section(Names meant = {}) { return std::exchange(meant_, std::move(meant)); }
  /// True if no key of the section is under a wrong name.
  bool all_known() const { return meant_.empty(); }

  void refuse_key(const Section& section, const TomlNode& node, const std::string& name);
  void refuse_table(const TomlNode& node);
  /// Refuses a key of [node.HOSTNAME] that is not `instance`.
  void refuse_in_host(const std::string& title, const TomlNode& node);
  /// Reports all required keys that the section lacks, in one error. An unreadable statement may have been one of them.
  void refuse_missing(const Section& section, const TomlNode& table);

  /// True if the file of `node` could be read completely.
  bool was_read_whole(const TomlNode& node) const {
    return files_[static_cast<std::size_t>(node.place.file)].faults.empty();
  }
  /// True if some statements could not be read, which may define anything.
  bool may_have_hidden() const;
  /// True if a file has a table whose name may be a misspelling of `name`, or the beginning of a longer one.
  bool may_have_misspelt(std::string_view name) const;

 private:
  std::string hint_for_key(const Section& section, const std::string& name, std::string_view key);

  std::span<const TomlFile> files_;
  Report& report_;
  Names meant_;  ///< keys of the present section that are under a wrong name
};

}  // namespace vipd
