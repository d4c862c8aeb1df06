/// Golden packets: loads them from tests/data/vectors, whose README explains the format, and from the larger collection
/// that may lie beside the checkout.
#pragma once

#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/packet_builder.hpp"

namespace vipd::testing {

using Json = nlohmann::ordered_json;

/// What a valid vector says when it is decoded.
struct ExpectedAdvert {
  int vrid = 0, priority = 0, interval_cs = 0;
  std::optional<std::vector<std::string>> addresses;  ///< nullopt where the list is too long to write down
};

struct Vector {
  std::string name;
  Octets datagram;
  Family family = Family::ipv4;
  std::vector<int> vrids;  ///< configured at the receiver
  std::vector<IpAddress> own_sources;
  std::map<ChecksumPolicy, std::string> expect;  ///< "accept" or the counter's name
  std::optional<ExpectedAdvert> advert;

  ReceiveRules rules(ChecksumPolicy policy) const {
    ReceiveRules rules;
    rules.family = family;
    for (const int vrid : vrids) rules.vrids.set(static_cast<std::size_t>(vrid));
    rules.checksum.fill(policy);
    rules.own_sources = own_sources;
    return rules;
  }
};

inline constexpr ChecksumPolicy kPolicies[] = {ChecksumPolicy::automatic, ChecksumPolicy::rfc9568,
                                               ChecksumPolicy::pseudo_header};

inline Octets from_hex(const std::string& hex) {
  Octets octets(hex.size() / 2);
  for (std::size_t i = 0; i < octets.size(); ++i) {
    const char* digits = hex.data() + 2 * i;
    if (std::from_chars(digits, digits + 2, octets[i], 16).ptr != digits + 2) throw std::invalid_argument(hex);
  }
  return octets;
}

inline Json load_json(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return Json::parse(file);
}

inline std::filesystem::path own_vectors() { return std::filesystem::path(VIPD_SOURCE_DIR) / "tests/data/vectors"; }
/// The larger collection; it may not exist.
inline std::filesystem::path shared_vectors() { return std::filesystem::path(VIPD_SOURCE_DIR) / "../shared/vectors"; }

/// A VRID, a list of them, or "all".
inline std::vector<int> vrids_of(const Json& value) {
  if (value.is_number()) return {value.get<int>()};
  if (value.is_array()) return value.get<std::vector<int>>();
  std::vector<int> all;
  for (int vrid = 1; vrid <= 255; ++vrid) all.push_back(vrid);
  return all;
}

/// One verdict for all policies, or an object with one for each.
inline std::map<ChecksumPolicy, std::string> verdicts(const Json& value, const char* pseudo_header) {
  const auto of = [&](const char* policy) { return (value.is_string() ? value : value.at(policy)).get<std::string>(); };
  return {{ChecksumPolicy::automatic, of("auto")},
          {ChecksumPolicy::rfc9568, of("rfc9568")},
          {ChecksumPolicy::pseudo_header, of(pseudo_header)}};
}

inline ExpectedAdvert advert_of(const Json& fields, const char* interval) {
  ExpectedAdvert advert{fields.at("vrid"), fields.at("priority"), fields.at(interval), std::nullopt};
  if (fields.contains("addresses")) advert.addresses = fields.at("addresses").get<std::vector<std::string>>();
  return advert;
}

/// One entry of our own files.
inline Vector own_vector(const Json& entry, Family family) {
  Vector vector;
  vector.name = entry.at("name");
  vector.datagram = from_hex(entry.at("hex"));
  vector.family = family;
  vector.vrids = vrids_of(entry.at("vrids"));
  if (entry.contains("own_source")) vector.own_sources = {ip(entry.at("own_source").get<std::string>())};
  vector.expect = verdicts(entry.at("expect"), "pseudo-header");
  if (entry.contains("advert")) vector.advert = advert_of(entry.at("advert"), "interval_cs");
  return vector;
}

/// One entry of the larger collection; nullopt if it is not for a VRRPv3 receiver without authentication and unicast.
inline std::optional<Vector> shared_vector(const Json& entry) {
  const Json& receiver = entry.at("rx");
  if (receiver.at("version") != 3) return std::nullopt;
  for (const char* later : {"auth", "auth_hmac", "peers"})
    if (receiver.contains(later)) return std::nullopt;
  Vector vector;
  vector.name = entry.at("name");
  vector.datagram = from_hex(entry.at("hex"));
  vector.family = receiver.at("family") == 6 ? Family::ipv6 : Family::ipv4;
  vector.vrids = vrids_of(receiver.at("vrid"));
  if (receiver.contains("own_src")) vector.own_sources = {ip(receiver.at("own_src").get<std::string>())};
  const bool valid = entry.at("valid");
  const Json verdict = entry.contains("by_csum_policy") ? entry.at("by_csum_policy")
                       : valid                          ? Json("accept")
                                                        : entry.at("why_invalid");
  vector.expect = verdicts(verdict, "rfc5798");
  if (valid) vector.advert = advert_of(entry.at("fields"), "max_adver_int_cs");
  return vector;
}

/// Our own vectors of both families.
inline std::vector<Vector> load_own_vectors() {
  std::vector<Vector> vectors;
  for (const Json& entry : load_json(own_vectors() / "adverts_ipv4.json"))
    vectors.push_back(own_vector(entry, Family::ipv4));
  for (const Json& entry : load_json(own_vectors() / "adverts_ipv6.json"))
    vectors.push_back(own_vector(entry, Family::ipv6));
  return vectors;
}

/// Those of the larger collection that concern us.
inline std::vector<Vector> load_shared_vectors() {
  std::vector<Vector> vectors;
  for (const Json& entry : load_json(shared_vectors() / "vectors.json"))
    if (auto vector = shared_vector(entry)) vectors.push_back(*std::move(vector));
  return vectors;
}

}  // namespace vipd::testing
