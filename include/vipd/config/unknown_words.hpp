/// UnknownWords: what to say of a key or a table that the schema does not have.
///
/// Each comes with what may be meant: a word of keepalived's, a key that belongs elsewhere, a key or table misspelt.
/// What is there under a wrong name is remembered, so that nobody is told that it is missing, too.
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

/// A table of the file that has keys of the schema.
struct Section {
  std::string_view table;  ///< as in the schema
  std::string title;       ///< as in the file: "[instance.web]"
};

class UnknownWords {
 public:
  /// Keys, by full names.
  using Names = std::set<std::string, std::less<>>;

  UnknownWords(std::span<const TomlFile> files, Report& report) : files_(files), report_(report) {}

  /// Begins another section, in which nothing is meant yet. Returns what was meant in the one before.
  Names begin_section(Names meant = {}) { return std::exchange(meant_, std::move(meant)); }
  /// True if nothing in the section is there under a wrong name.
  bool all_known() const { return meant_.empty(); }

  void refuse_key(const Section& section, const TomlNode& node, const std::string& name);
  void refuse_table(const TomlNode& node);
  /// What stands under [node.HOSTNAME] and is not `instance`.
  void refuse_in_host(const std::string& title, const TomlNode& node);
  /// One error for all required keys that the section lacks. What could not be read may have been there.
  void refuse_missing(const Section& section, const TomlNode& table);

  /// True if all of the file could be read that `node` is in.
  bool was_read_whole(const TomlNode& node) const {
    return files_[static_cast<std::size_t>(node.place.file)].faults.empty();
  }
  /// True if some of the files could not be read, which may be anything.
  bool may_have_hidden() const;
  /// True if a file has a table whose name may be a misspelling of `name`, or the beginning of a longer one.
  bool may_have_misspelt(std::string_view name) const;

 private:
  std::string hint_for_key(const Section& section, const std::string& name, std::string_view key);

  std::span<const TomlFile> files_;
  Report& report_;
  Names meant_;  ///< keys of the section at hand that are there under a wrong name
};

}  // namespace vipd
