#include "vipd/daemon/verbs.hpp"

#include <algorithm>
#include <string>

namespace vipd {

const Verb* verb_of(const Json& request) {
  const std::string name = request["verb"];
  const auto* const found = std::ranges::find(kVerbs, name, &Verb::name);
  return found == kVerbs.end() ? nullptr : found;
}

bool may(uid_t user, Right right) { return user == 0 || right == Right::look; }

}  // namespace vipd
