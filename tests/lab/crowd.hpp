/// A crowd: the most instances that an interface can have, n1 to n255 on eth0, each with an address of its own. With
/// adverts every 100 ms they send 2550 adverts a second, so tests should read documents and frames seldom.
#pragma once

#include <map>

#include "pair.hpp"

namespace vipd::lab {

/// Fewer where sanitizers make us ten times slower.
#ifdef VIPD_SANITIZED
inline constexpr int kCrowd = 60;
#else
inline constexpr int kCrowd = 255;
#endif

/// The configuration of vipd; instance number `changed` has another priority.
inline std::string crowd(int priority, int changed = 0, const std::string& interval = "100ms") {
  std::string text;
  for (int i = 1; i <= kCrowd; ++i) {
    const std::string number = std::to_string(i);
    text += "[instance.n" + number + "]\ninterface = \"eth0\"\nvrid = " + number + "\nadvert_interval = \"" + interval +
            "\"\npriority = " + std::to_string(i == changed ? priority - 1 : priority) +
            "\naddresses = [\"198.51.100." + number + "/32\"]\n";
  }
  return text;
}

inline int transitions_of_all(const Node& node) {
  const Json status = node.status();
  int sum = 0;
  for (const Json& instance : status.at("instances")) sum += instance.at("transitions").get<int>();
  return sum;
}

inline bool all_are(const Node& node, const std::string& state) {
  const Json status = node.status();
  return !status.is_null() && std::ranges::all_of(status.at("instances"),
                                                  [&](const Json& instance) { return instance.at("state") == state; });
}

/// The longest gap between two adverts of one VRID, of those seen since a time.
inline Duration worst_gap(Sniffer& sniffer, const std::string& source, WallTime since) {
  std::map<int, std::vector<Json>> by_vrid;
  for (const Json& advert : sniffer.adverts_from(source))
    if (time_of(advert) >= since) by_vrid[advert.at("vrid").get<int>()].push_back(advert);
  CHECK(by_vrid.size() == kCrowd);
  Duration worst{};
  for (const auto& [vrid, adverts] : by_vrid) worst = std::max(worst, longest_gap(adverts));
  return worst;
}

}  // namespace vipd::lab
