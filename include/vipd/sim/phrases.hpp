/// Phrases: the words with which a scenario tells an event.
///
/// A table has each phrase as a form, "NODE link IFACE down", and the function that carries it out. The author of a
/// scenario fills in the words in capitals. The reader, the error messages and docs/transcripts.md use this table.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vipd/base/ip.hpp"
#include "vipd/base/result.hpp"
#include "vipd/config/config.hpp"
#include "vipd/sim/transcript.hpp"

namespace vipd::sim {

/// The values that the author has filled in, in the order of the form.
struct Spoken {
  std::vector<std::size_t> nodes;  ///< indices into the scenario's nodes
  std::string interface;           ///< one of kLans
  std::string name;                ///< the name of a check, or the path of a hook's program
  IpPrefix prefix;                 ///< an address or a prefix; the length of an address is 0
  std::vector<Duration> times;
  std::vector<std::uint8_t> numbers;
  double share = 0;                      ///< 0 to 1
  int error = 0;                         ///< the errno
  std::shared_ptr<const Config> config;  ///< the configuration of the indented lines; null without such lines
};

/// One entry of the table.
struct Phrase {
  std::string_view form;
  Deed (*make)(const Spoken& spoken);
  bool takes_lines = false;  ///< true if indented lines of a configuration may follow
};

/// All phrases.
std::span<const Phrase> phrases();

/// A phrase that was recognised.
struct Understood {
  const Phrase* phrase = nullptr;
  Spoken spoken;
};

/// Recognises a phrase. `nodes` has the names of all nodes. The error names the first wrong word, and the words that
/// are allowed there.
Result<Understood> understand(std::string_view words, std::span<const std::string> nodes);

}  // namespace vipd::sim
