// The keys of VRRPv2 and of unicast: version, auth_legacy, peers, source.
#include <string>

#include "support/catch.hpp"
#include "vipd/config/parse.hpp"

using namespace vipd;

namespace {

/// An instance with `lines` from line 4 on; its address is on line 3.
ParsedConfig parsed(const std::string& lines, const std::string& addresses = "\"192.0.2.10/24\"") {
  return parse_config("[instance.web]\ninterface = \"eth0\"\nvrid = 51\naddresses = [" + addresses + "]\n" + lines +
                      "\n");
}

/// "kind line:column message" of the only diagnostic.
std::string only(const ParsedConfig& result) {
  REQUIRE(result.diagnostics.size() == 1);
  const Diagnostic& one = result.diagnostics[0];
  CHECK((one.severity == Severity::error) == !result.config.has_value());
  return one.kind + " " + std::to_string(one.line) + ":" + std::to_string(one.column) + " " + one.message;
}

constexpr const char* kIpv6 = "\"fe80::10/64\", \"2001:db8::10/64\"";

}  // namespace

TEST_CASE("config: VRRPv2 has whole seconds from 1 to 255", "[config][D06+][D06-]") {
  CHECK(only(parsed("version = 2\nadvert_interval = \"500ms\"")) ==
        "version 6:19 VRRPv2 carries whole seconds; 500 ms needs version = 3");
  CHECK(only(parsed("version = 2\nadvert_interval = \"1500ms\"")) ==
        "version 6:19 VRRPv2 carries whole seconds; 1500 ms needs version = 3");
  CHECK(parsed("version = 2\nadvert_interval = \"255s\"").config.has_value());
  CHECK(only(parsed("version = 2\nadvert_interval = \"256s\"")).starts_with("range 6:19"));
  CHECK(only(parsed("advert_interval = \"41s\"")).starts_with("range 5:19"));
  CHECK(parsed("advert_interval = \"40.95s\"").config.has_value());
}

TEST_CASE("config: VRRPv2 has priorities from 1 to 255 as VRRPv3 has", "[config][D04+][D04-]") {
  CHECK(parsed("version = 2\npriority = 254").config.has_value());
  CHECK(parsed("version = 2\npriority = 255").config.has_value());
  CHECK(only(parsed("version = 2\npriority = 0")).starts_with("range 6:12"));
  CHECK(only(parsed("version = 2\npriority = 256")).starts_with("range 6:12"));
}

TEST_CASE("config: a wrong interval of VRRPv2 says that both versions at once are not offered", "[config][C31+]") {
  const ParsedConfig result = parsed("version = 2\nadvert_interval = \"500ms\"");
  CHECK(result.diagnostics.at(0).hint.find("both at once") != std::string::npos);
}

TEST_CASE("config: VRRPv2 is for IPv4 and leaves no choice of the checksum", "[config][B01-][D07+]") {
  CHECK(only(parsed("version = 2", kIpv6)) == "version 5:11 VRRPv2 knows IPv4 only (RFC 3768)");
  CHECK(only(parsed("version = 2\nipv4_checksum = \"auto\"")) ==
        "conflict 6:17 \"ipv4_checksum\" has no effect with version = 2");
  CHECK(only(parsed("version = 2\nmax_adopted_interval = \"2s\"")).starts_with("conflict 6:24"));
}

TEST_CASE("config: a password of VRRPv2 is a warning, of VRRPv3 an error, and is never shown", "[config][D05+]") {
  CHECK(only(parsed("version = 2\nauth_legacy = \"s3cret\"")).starts_with("auth 6:15 everybody on the network"));
  CHECK(only(parsed("auth_legacy = \"s3cret\"")).starts_with("auth 5:15 VRRPv3 has no passwords"));
  for (const char* value : {"\"\"", "\"123456789\"", "\"a\\u0000b\"", "12345678", "[\"s3cret\"]"}) {
    INFO(value);
    const std::string said = only(parsed("version = 2\nauth_legacy = " + std::string(value)));
    CHECK(said.find("6:15 \"auth_legacy\" must be 1 to 8 octets") != std::string::npos);
    CHECK((said.find("s3cret") == said.npos && said.find("12345678") == said.npos));
  }
}

TEST_CASE("config: peers are addresses or tables", "[config]") {
  const ParsedConfig result = parsed("peers = [\"192.0.2.2\", {address = \"198.51.100.2\", min_hop_limit = 1}]");
  REQUIRE(result.config.has_value());
  const auto& peers = result.config->instances[0].peers;
  REQUIRE(peers.size() == 2);
  CHECK(peers[0] == UnicastPeer{*IpAddress::parse("192.0.2.2"), 255});
  CHECK(peers[1] == UnicastPeer{*IpAddress::parse("198.51.100.2"), 1});
}

TEST_CASE("config: what cannot be a peer is refused at its place", "[config]") {
  CHECK(only(parsed("peers = []")).starts_with("missing-key 5:9"));
  CHECK(only(parsed("peers = \"192.0.2.2\"")).starts_with("type 5:9"));
  CHECK(only(parsed("peers = [\"192.0.2.2/24\"]")).starts_with("address 5:10"));
  CHECK(only(parsed("peers = [\"192.0.2\"]")).starts_with("address 5:11"));
  CHECK(only(parsed("peers = [\"224.0.0.18\"]")).starts_with("address 5:10"));
  CHECK(only(parsed("peers = [\"127.0.0.1\"]")).starts_with("address 5:10"));
  CHECK(only(parsed("peers = [7]")).starts_with("type 5:10"));
  CHECK(only(parsed("peers = [\"2001:db8::2\"]")).starts_with("address 5:10"));
  CHECK(only(parsed("peers = [\"192.0.2.2\"]", kIpv6)).starts_with("address 5:10"));
  CHECK(only(parsed("peers = [\"192.0.2.10\"]")) == "address 5:10 peer 192.0.2.10 is a virtual address");
  CHECK(only(parsed("peers = [\"192.0.2.2\", \"192.0.2.2\"]")) == "address 5:23 peer 192.0.2.2 is listed twice");
  CHECK(only(parsed("source = \"192.0.2.1\"\npeers = [\"192.0.2.1\"]")) ==
        "address 6:10 peer 192.0.2.1 is this node's own source");
  CHECK(only(parsed("peers = [{min_hop_limit = 3}]")).starts_with("missing-key 5:10"));
  CHECK(only(parsed("peers = [{adress = \"192.0.2.2\"}]")).starts_with("unknown-key 5:11"));
  CHECK(only(parsed("peers = [{address = \"192.0.2.2\", min_hop_limit = 0}]")).starts_with("range 5:50"));
  CHECK(only(parsed("peers = [{address = \"192.0.2.2\", min_hop_limit = 256}]")).starts_with("range 5:50"));
  CHECK(only(parsed("peers = [{address = \"192.0.2.2\", min_hop_limit = \"1\"}]")).starts_with("type 5:50"));
}

TEST_CASE("config: a source is one of the instance's family and no virtual address", "[config][A01-][A02-]") {
  CHECK(parsed("source = \"192.0.2.1\"").config.has_value());
  CHECK(parsed("source = \"fe80::1\"", kIpv6).config.has_value());
  CHECK(parsed("source = \"2001:db8::1\"\npeers = [\"2001:db8::2\"]", kIpv6).config.has_value());
  CHECK(only(parsed("source = \"2001:db8::1\"")).starts_with("address 5:10 2001:db8::1 is not an address of IPv4"));
  CHECK(only(parsed("source = \"192.0.2.10\"")).starts_with("address 5:10 adverts cannot come from a virtual"));
  CHECK(parsed("source = \"192.0.2.10\"\npriority = 255").config.has_value());
  CHECK(only(parsed("source = \"2001:db8::1\"", kIpv6)).starts_with("address 5:10 adverts to the IPv6 group"));
  CHECK(only(parsed("source = \"192.0.2.1/24\"")).starts_with("address 5:10"));
}
