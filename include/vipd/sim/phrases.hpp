/// Phrases: the words by which a scenario says what happens.
///
/// One table has each phrase as a form, "NODE link IFACE down", and the function that does it. The words in capitals
/// stand for what the author fills in. The reader, the error messages and docs/transcripts.md go by the same table.
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

/// What the author has filled in, in the order of the form.
struct Spoken {
  std::vector<std::size_t> nodes;  ///< indices into the scenario's nodes
  std::string interface;           ///< one of kLans
  std::string name;                ///< of a check, or the path of a hook's program
  IpPrefix prefix;                 ///< of an address alone: its length is 0
  std::vector<Duration> times;
  std::vector<std::uint8_t> numbers;
  double share = 0;                      ///< 0 to 1
  int error = 0;                         ///< errno
  std::shared_ptr<const Config> config;  ///< of indented lines; null if there are none
};

/// One entry of the table.
struct Phrase {
  std::string_view form;
  Deed (*make)(const Spoken& spoken);
  bool takes_lines = false;  ///< lines of a configuration may follow, indented
};

/// All phrases.
std::span<const Phrase> phrases();

/// A phrase that was recognised.
struct Understood {
  const Phrase* phrase = nullptr;
  Spoken spoken;
};

/// Recognises a phrase. `nodes`: the names of all nodes. The error says which word cannot stand where it stands, and
/// what could.
Result<Understood> understand(std::string_view words, std::span<const std::string> nodes);

}  // namespace vipd::sim
