/// Golden packets: loads them from tests/data/vectors, whose README explains the format, and from the larger collection
/// that may lie beside the checkout.
#pragma once

#include <algorithm>
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

/// The expected fields of a valid vector.
struct ExpectedAdvert {
  int vrid = 0, priority = 0, interval_cs = 0;
  std::optional<std::vector<std::string>> addresses;  ///< nullopt if the list is too long to write down
};

struct Vector {
  std::string name;
  Octets datagram;
  Family family = Family::ipv4;
  std::vector<int> vrids;  ///< VRIDs that the receiver has
  int version = 3;
  Centiseconds interval{100};  ///< interval of the receiver
  std::optional<SimplePassword> password;
  std::vector<UnicastPeer> peers;
  IpAddress local;  ///< the receiver's address, for unicast
  std::vector<IpAddress> own_sources;
  std::map<ChecksumPolicy, std::string> expect;  ///< "accept" or the name of the counter, by policy
  std::optional<ExpectedAdvert> advert;

  /// The rules of the instance that the packet names, or of the first instance.
  ReceiveRules rules(ChecksumPolicy policy) const {
    const std::size_t header = family == Family::ipv6 ? 40 : datagram.empty() ? 0 : (datagram[0] & 0x0fu) * 4u;
    const int named = header + 1 < datagram.size() ? datagram[header + 1] : 0;
    const int vrid = std::ranges::find(vrids, named) != vrids.end() ? named : vrids.front();
    return {.family = family,
            .vrid = static_cast<std::uint8_t>(vrid),
            .version = static_cast<std::uint8_t>(version),
            .checksum = policy,
            .interval = interval,
            .password = password,
            .peers = peers,
            .local = local,
            .own_sources = own_sources};
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
/// The directory of the larger collection; it may not exist.
inline std::filesystem::path shared_vectors() { return std::filesystem::path(VIPD_SOURCE_DIR) / "../shared/vectors"; }

/// The VRIDs in a JSON value: one VRID, a list, or "all".
inline std::vector<int> vrids_of(const Json& value) {
  if (value.is_number()) return {value.get<int>()};
  if (value.is_array()) return value.get<std::vector<int>>();
  std::vector<int> all;
  for (int vrid = 1; vrid <= 255; ++vrid) all.push_back(vrid);
  return all;
}

/// The verdicts in a JSON value: one for all policies, or an object with one for each.
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

/// Reads one entry of our own files.
inline Vector own_vector(const Json& entry, Family family) {
  Vector vector;
  vector.name = entry.at("name");
  vector.datagram = from_hex(entry.at("hex"));
  vector.family = family;
  vector.vrids = vrids_of(entry.at("vrids"));
  vector.version = entry.value("version", 3);
  vector.interval = Centiseconds(entry.value("interval_cs", 100));
  if (entry.contains("password")) vector.password = simple_password(entry.at("password").get<std::string>());
  for (const Json& peer : entry.value("peers", Json::array()))
    vector.peers.push_back(
        {ip(peer.get<std::string>()), static_cast<std::uint8_t>(entry.value("min_hop_limit", kVrrpHopLimit))});
  if (entry.contains("local")) vector.local = ip(entry.at("local").get<std::string>());
  if (entry.contains("own_source")) vector.own_sources = {ip(entry.at("own_source").get<std::string>())};
  vector.expect = verdicts(entry.at("expect"), "pseudo-header");
  if (entry.contains("advert")) vector.advert = advert_of(entry.at("advert"), "interval_cs");
  return vector;
}

/// The receiver's address for a unicast packet of the larger collection: the packet's destination.
inline IpAddress destination_of(const Octets& datagram, Family family) {
  if (family == Family::ipv4) return {family, std::span(datagram).subspan(16, 4)};
  return {family, std::span(datagram).subspan(24, 16)};
}

/// Reads one entry of the larger collection; nullopt if its receiver uses the authentication of drafts.
inline std::optional<Vector> shared_vector(const Json& entry) {
  const Json& receiver = entry.at("rx");
  if (receiver.contains("auth_hmac")) return std::nullopt;
  Vector vector;
  vector.name = entry.at("name");
  vector.datagram = from_hex(entry.at("hex"));
  vector.family = receiver.at("family") == 6 ? Family::ipv6 : Family::ipv4;
  vector.vrids = vrids_of(receiver.at("vrid"));
  vector.version = receiver.at("version");
  vector.interval = Centiseconds(receiver.at("adv_int_cs").get<int>());
  if (receiver.contains("auth"))
    vector.password = simple_password(receiver.at("auth").at("key").get<std::string>().substr(0, kAuthDataSize));
  for (const Json& peer : receiver.value("peers", Json::array())) {
    vector.peers.push_back({ip(peer.get<std::string>()), receiver.at("min_ttl").get<std::uint8_t>()});
    const IpAddress destination = destination_of(vector.datagram, vector.family);
    vector.local = destination.is_multicast() ? IpAddress() : destination;
  }
  if (receiver.contains("own_src")) vector.own_sources = {ip(receiver.at("own_src").get<std::string>())};
  const bool valid = entry.at("valid");
  const Json verdict = entry.contains("by_csum_policy") ? entry.at("by_csum_policy")
                       : valid                          ? Json("accept")
                                                        : entry.at("why_invalid");
  vector.expect = verdicts(verdict, "rfc5798");
  if (valid) vector.advert = advert_of(entry.at("fields"), vector.version == 2 ? "adver_int_s" : "max_adver_int_cs");
  if (valid && vector.version == 2) vector.advert->interval_cs *= 100;
  return vector;
}

/// Loads our own vectors of both families and versions.
inline std::vector<Vector> load_own_vectors() {
  std::vector<Vector> vectors;
  for (const Json& entry : load_json(own_vectors() / "adverts_v2.json"))
    vectors.push_back(own_vector(entry, Family::ipv4));
  for (const Json& entry : load_json(own_vectors() / "adverts_ipv4.json"))
    vectors.push_back(own_vector(entry, Family::ipv4));
  for (const Json& entry : load_json(own_vectors() / "adverts_ipv6.json"))
    vectors.push_back(own_vector(entry, Family::ipv6));
  return vectors;
}

/// Loads the applicable vectors of the larger collection.
inline std::vector<Vector> load_shared_vectors() {
  std::vector<Vector> vectors;
  for (const Json& entry : load_json(shared_vectors() / "vectors.json"))
    if (auto vector = shared_vector(entry)) vectors.push_back(*std::move(vector));
  return vectors;
}

}  // namespace vipd::testing
