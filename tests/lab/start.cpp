// A pair starts: which node is Active, and its adverts and announcements on the wire.
#include <linux/if_addr.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <sstream>

#include "pair.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace {

std::string without_colons(std::string mac) {
  std::erase(mac, ':');
  return mac;
}

/// The frame of a gratuitous ARP in request form, real-MAC mode (RFC 9568 6.4.1, errata 7947 and 7949).
std::string expected_garp(const std::string& mac, const std::string& ip) {
  return "ffffffffffff" + mac + "0806" + "0001080006040001" + mac + ip + "ffffffffffff" + ip;
}

/// The frame of an unsolicited NA (RFC 4861 4.4) with its checksum as zero.
std::string expected_na(const std::string& mac, const std::string& ip, const std::string& flags) {
  return "333300000001" + mac + "86dd" + "6000000000203aff" + ip + "ff020000000000000000000000000001" + "88000000" +
         flags + "000000" + ip + "0201" + mac;
}

std::string without_checksum(std::string frame) { return frame.replace(2 * (14 + 40 + 2), 4, "0000"); }

std::vector<Json> announcements_of(Sniffer& sniffer, const std::string& kind, const std::string& address) {
  std::vector<Json> result = sniffer.of_kind(kind);
  std::erase_if(result, [&](const Json& frame) { return frame.at("address") != address; });
  return result;
}

}  // namespace

TEST_CASE("lab: of two that start together the higher is Active, alone", "[lab]") {
  Pair pair(each_family());
  pair.b.start_vipd(web(pair.family, 253));
  pair.a.start_vipd(web(pair.family, 254));
  REQUIRE(pair.a.wait_state("active"));
  REQUIRE(pair.b.wait_state("backup"));
  pair.await_adverts(pair.source_a, 1);  // b may have been Active first, and has released by now
  const std::size_t said_by_b = pair.sniffer.adverts_from(pair.source_b).size();
  pair.await_adverts(pair.source_a, 5);

  REQUIRE(pair.sniffer.adverts_from(pair.source_b).size() == said_by_b);
  REQUIRE(pair.a.has(pair.vip));
  REQUIRE_FALSE(pair.b.has(pair.vip));
  const Json status = pair.b.instance();
  REQUIRE(status.at("active") == Json{{"address", pair.source_a}, {"priority", 254}});
  REQUIRE(status.at("fault").is_null());
  REQUIRE(pair.a.instance().at("addresses").at(0).at("present") == true);
}

TEST_CASE("lab: adverts come from the right place with the right header",
          "[lab][A01+][A02+][A03+][A05+][A07+][A11+][B15+]") {
  Pair pair(each_family());
  const bool v4 = pair.family == Family::ipv4;
  pair.a.start_vipd(web(pair.family, 254));
  pair.await_adverts(pair.source_a, 5);

  for (const Json& advert : pair.sniffer.adverts_from(pair.source_a)) {
    CAPTURE(advert.dump());
    REQUIRE(advert.at("destination") == (v4 ? "224.0.0.18" : "ff02::12"));
    REQUIRE(advert.at("destination_mac") == (v4 ? "01:00:5e:00:00:12" : "33:33:00:00:00:12"));
    REQUIRE(advert.at("source_mac") == mac_of(pair.a));
    REQUIRE(advert.at("hop_limit") == 255);
    REQUIRE(advert.at("tos") == 0xc0);
    REQUIRE(advert.at("version") == 3);
    REQUIRE(advert.at("vrid") == 51);
    REQUIRE(advert.at("priority") == 254);
    REQUIRE(advert.at("interval_ms") == 100);
    REQUIRE(advert.at("addresses") == (v4 ? Json{"192.0.2.10"} : Json{"fe80::10", "2001:db8::10"}));
  }
  REQUIRE(longest_gap(pair.sniffer.adverts_from(pair.source_a)) < kInterval + kSlack);
}

TEST_CASE("lab: the group is joined while vipd runs", "[lab][A03+][A03-]") {
  Pair pair(each_family());
  const std::string group = pair.family == Family::ipv4 ? "224.0.0.18" : "ff02::12";
  const auto joined = [&] { return must(pair.a, "ip maddr show dev eth0").find(group + "\n") != std::string::npos; };
  pair.start();
  REQUIRE(joined());
  pair.a.vipd().signal(SIGTERM);
  REQUIRE(pair.a.vipd().wait_exit(10s) == 0);
  REQUIRE_FALSE(joined());
}

TEST_CASE("lab: gratuitous ARP, byte for byte", "[lab][C02+]") {
  Pair pair(Family::ipv4);
  pair.a.start_vipd(web(pair.family, 254, "announce.again_after = \"400ms\""));
  REQUIRE(wait_until(5s, [&] { return pair.sniffer.of_kind("garp").size() >= 10; }));  // two bursts
  const std::string expected = expected_garp(without_colons(mac_of(pair.a)), "c000020a");
  for (const Json& garp : announcements_of(pair.sniffer, "garp", pair.vip)) REQUIRE(garp.at("frame") == expected);
}

TEST_CASE("lab: unsolicited neighbour advertisement, byte for byte", "[lab][C03+]") {
  const bool router = GENERATE(false, true);
  Pair pair(Family::ipv6);
  if (router) pair.a.write_sysctl("ipv6/conf/eth0/forwarding", "1");
  pair.a.start_vipd(web(pair.family, 254));
  REQUIRE(wait_until(5s, [&] { return announcements_of(pair.sniffer, "na", pair.vip).size() >= 5; }));
  const std::string mac = without_colons(mac_of(pair.a)), flags = router ? "a0" : "20";
  for (const Json& na : announcements_of(pair.sniffer, "na", pair.vip))
    REQUIRE(without_checksum(na.at("frame")) == expected_na(mac, "20010db8000000000000000000000010", flags));
  REQUIRE_FALSE(announcements_of(pair.sniffer, "na", "fe80::10").empty());
}

TEST_CASE("lab: nothing is announced before the kernel has the address", "[lab][C26+][C26-]") {
  Pair pair(Family::ipv4);
  std::string slow = web(pair.family, 254);
  slow.replace(slow.find("100ms"), 5, "1s");
  const Process& vipd = pair.a.start_vipd(slow);
  REQUIRE(pair.a.wait_state("backup"));
  Process strace(pair.a, {"strace", "-s", "4096", "-e", "trace=sendto,sendmsg,recvfrom,recvmsg", "-p",
                          std::to_string(vipd.pid())});
  REQUIRE(wait_until(20s, [&] { return !pair.sniffer.of_kind("garp").empty(); }));
  std::string calls;
  REQUIRE(wait_until(5s, [&] { return (calls = strace.errors()).find("AF_PACKET") != std::string::npos; }));
  CAPTURE(calls);
  const auto asked = calls.find("RTM_NEWADDR"), announced = calls.find("AF_PACKET");
  REQUIRE(asked < announced);
  const auto acknowledged = calls.find("NLMSG_ERROR", asked);
  REQUIRE(acknowledged < announced);
}

TEST_CASE("lab: the address is tagged as ours and used at once", "[lab][C27+]") {
  Pair pair(each_family());
  pair.start();
  bool seen = false;
  for (const Held& held : addresses(pair.a)) {
    if (!held.prefix.starts_with(pair.vip + "/")) continue;
    seen = true;
    REQUIRE(held.protocol == kVrrpProtocol);
    REQUIRE((held.flags & IFA_F_TENTATIVE) == 0);
    if (pair.family == Family::ipv6) REQUIRE((held.flags & IFA_F_NODAD) != 0);
  }
  REQUIRE(seen);
}

TEST_CASE("lab: a bad file touches nothing", "[lab]") {
  Lab lab;
  Node& a = lab.add_node("a", 1);
  const std::size_t before = addresses(a).size();
  Process& vipd = a.start_vipd("[instance.web]\ninterface = \"eth0\"\nvrid = 256\naddresses = [\"192.0.2.10/24\"]\n");
  REQUIRE(vipd.wait_exit(5s) == 2);
  CAPTURE(vipd.errors());
  REQUIRE(vipd.errors().find("vipd.toml:3:8") != std::string::npos);
  REQUIRE(addresses(a).size() == before);
  REQUIRE(std::filesystem::is_empty(a.runtime_dir()));
}

TEST_CASE("lab: no file is exit status 2, too", "[lab]") {
  Lab lab;
  const Node& a = lab.add_bare_node("a", 1);
  const Finished finished = run(a, a.vipd_command());
  REQUIRE(finished.status == 2);
  REQUIRE(finished.errors.find("vipd.toml") != std::string::npos);
}

TEST_CASE("lab: vipd --check says whether a file is good and does no more", "[lab]") {
  Lab lab;
  const Node& a = lab.add_node("a", 1);
  const auto check = [&](const std::string& config) {
    std::ofstream(a.directory() / "vipd.toml") << config;
    auto command = a.vipd_command();
    command.push_back("--check");
    return run(a, command).status;
  };
  REQUIRE(check(web(Family::ipv4, 254)) == 0);
  REQUIRE(check(web(Family::ipv4, 254, "prioritty = 1")) == 2);
  REQUIRE(std::filesystem::is_empty(a.runtime_dir()));
  REQUIRE_FALSE(a.has("192.0.2.10"));
}

TEST_CASE("lab: conf.d belongs to the configuration, and who may write it decides", "[lab]") {
  namespace fs = std::filesystem;
  Lab lab;
  const Node& a = lab.add_node("a", 1);
  const fs::path main = a.directory() / "vipd.toml", directory = a.directory() / "conf.d";
  const auto vipd = [&](const std::vector<std::string>& options) {
    auto command = a.vipd_command();
    command.insert(command.end(), options.begin(), options.end());
    return run(a, command);
  };
  const auto check = [&] { return vipd({"--check"}); };
  std::ofstream(main) << "# all of it is in conf.d\n";
  fs::create_directory(directory);
  std::ofstream(directory / "web.toml") << web(Family::ipv4, 254);
  std::ofstream(directory / ".hidden.toml") << "nonsense";
  std::ofstream(directory / "web.toml~") << "nonsense";
  REQUIRE(check().status == 0);
  REQUIRE(check().output.find("ok, 1 instance, 0 warnings") != std::string::npos);

  SECTION("files that are read are read whole") {
    fs::create_symlink("nowhere", directory / "x.toml");
    REQUIRE(check().status == 2);
    REQUIRE(check().errors.find("conf.d/x.toml") != std::string::npos);
    fs::remove(directory / "x.toml");
    REQUIRE(::mkfifo((directory / "x.toml").c_str(), 0600) == 0);
    REQUIRE(check().status == 2);
  }
  SECTION("an error names its file") {
    std::ofstream(directory / "db.toml") << "[instance.web]\nvrid = 1\n";
    const Finished finished = check();
    REQUIRE(finished.status == 2);
    REQUIRE(finished.errors.find("conf.d/web.toml:1:1: error[duplicate-table]") != std::string::npos);
  }
  SECTION("a file that others may write is a warning, an error with --strict, and no start as root") {
    fs::permissions(directory / "web.toml", fs::perms::others_write, fs::perm_options::add);
    const Finished finished = check();
    REQUIRE(finished.status == 0);
    REQUIRE(finished.errors.find("conf.d/web.toml:1:1: warning[permissions]") != std::string::npos);
    REQUIRE(vipd({"--check", "--strict"}).status == 2);
    const Finished refused = vipd({});
    REQUIRE(refused.status == 2);
    REQUIRE(refused.errors.find("conf.d/web.toml:1:1: error[permissions]") != std::string::npos);
  }
  SECTION("a directory that others may write, or that belongs to another user, too") {
    fs::permissions(directory, fs::perms::others_write, fs::perm_options::add);
    REQUIRE(vipd({"--check", "--strict"}).status == 2);
    fs::permissions(directory, fs::perms::others_write, fs::perm_options::remove);
    REQUIRE(vipd({"--check", "--strict"}).status == 0);
    REQUIRE(::chown((directory / "web.toml").c_str(), 1000, 1000) == 0);
    REQUIRE(vipd({"--check", "--strict"}).status == 2);
  }
  REQUIRE(fs::is_empty(a.runtime_dir()));
  REQUIRE_FALSE(a.has("192.0.2.10"));
}

TEST_CASE("lab: a second vipd on the same runtime directory refuses to start", "[lab]") {
  Pair pair(Family::ipv4);
  pair.start();
  const int transitions = pair.a.instance().at("transitions");
  const Finished second = run(pair.a, pair.a.vipd_command());
  CAPTURE(second.errors);
  REQUIRE(second.status == 1);
  REQUIRE(second.errors.find("another vipd") != std::string::npos);
  pair.await_adverts(pair.source_a, 3);
  REQUIRE(pair.a.has(pair.vip));
  REQUIRE(pair.a.instance().at("transitions") == transitions);
}

TEST_CASE("lab: F28: overrides of which none is for this host are said in the log", "[lab]") {
  Lab lab;
  Node& a = lab.add_node("a", 1);
  Process& vipd = a.start_vipd(web(Family::ipv4, 254) + "[node.lb1x.instance.web]\npriority = 200\n");
  REQUIRE(a.wait_state("active"));
  CAPTURE(vipd.errors());
  REQUIRE(vipd.errors().find("no overrides are for this node") != std::string::npos);
}
