// A sync group on real interfaces: two routers between two networks.
#include <csignal>
#include <fstream>

#include "pair.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace {

const std::vector<std::string> kVips = {"192.0.2.10", "198.51.100.10"};

struct RouterPair {
  RouterPair() : a(add("a", 1)), b(add("b", 2)) {}

  Node& add(const std::string& name, int number) {
    Node& node = lab.add_node(name, number);
    lab.wire(node, "eth1");
    must(node, "ip link set eth1 up");
    must(node, "ip addr add 198.51.100." + std::to_string(number) + "/24 dev eth1");
    return node;
  }

  /// Starts both, `a` first; returns when a is Active and b, Backup, has heard it in both networks.
  void start(const std::string& group_of_a = "") {
    a.start_vipd(edge(254, group_of_a));
    REQUIRE(wait_until(5s, [&] { return group(a).value("state", "") == "active"; }));
    b.start_vipd(edge(253, ""));
    REQUIRE(wait_until(5s, [&] { return heard(b, 0) > 0 && heard(b, 1) > 0; }));
  }

  static std::string edge(int priority, const std::string& more) {
    return instances(priority) + "[sync_group.edge]\ninstances = [\"lan\", \"wan\"]\n" + more;
  }
  static std::string instances(int priority) {
    std::string text;
    for (const auto& [name, interface, vip] :
         {std::tuple("lan", "eth0", kVips[0]), std::tuple("wan", "eth1", kVips[1])})
      text += std::string("[instance.") + name + "]\ninterface = \"" + interface +
              "\"\nvrid = 51\nadvert_interval = \"100ms\"\npriority = " + std::to_string(priority) +
              "\naddresses = [\"" + vip + "/24\"]\n";
    return text;
  }
  /// A configuration with a third instance on eth0, in the group or beside it.
  static std::string with_dmz(int priority, bool in_group) {
    return instances(priority) +
           "[instance.dmz]\ninterface = \"eth0\"\nvrid = 53\nadvert_interval = \"100ms\"\npriority = " +
           std::to_string(priority) + "\naddresses = [\"192.0.2.30/24\"]\n[sync_group.edge]\ninstances = [\"lan\", " +
           (in_group ? "\"wan\", \"dmz\"]\n" : "\"wan\"]\n");
  }

  static Json group(const Node& node) {
    const Json status = node.status();
    return status.is_null() ? Json::object() : status.at("sync_groups").at(0);
  }
  static int heard(const Node& node, std::size_t instance) {
    const Json status = node.status();
    return status.is_null() ? 0 : status.at("instances").at(instance).at("counters").at("adverts_received").get<int>();
  }
  static bool holds_both(const Node& node) { return node.has(kVips[0]) && node.has(kVips[1]); }
  static bool holds_any(const Node& node) { return node.has(kVips[0]) || node.has(kVips[1]); }

  Lab lab;
  Node &a, &b;
};

}  // namespace

TEST_CASE("lab: sync group: a cable is pulled in one network, both addresses move, and come back", "[lab]") {
  RouterPair pair;
  const auto record = pair.a.directory() / "record", hook = pair.a.directory() / "hook";
  std::ofstream(hook) << "#!/bin/sh\necho \"$* $VIPD_GROUP $(ip -o -4 addr show | grep -c '\\.10/24')\" >> "
                      << record.string() << "\n";
  std::filesystem::permissions(hook, std::filesystem::perms::owner_all);
  pair.start("hooks.any = \"" + hook.string() + "\"\n");
  const auto pulled = std::chrono::system_clock::now();
  pair.lab.set_port(pair.a, false, "eth1");
  REQUIRE(wait_until(5s, [&] { return RouterPair::holds_both(pair.b) && !RouterPair::holds_any(pair.a); }));
  measured("sync group: cable pulled to both addresses on the other", std::chrono::system_clock::now() - pulled);
  REQUIRE(RouterPair::group(pair.a).at("reason") == "wan is in fault (interface eth1 is down)");
  REQUIRE(pair.a.instance().at("fault") == "group edge: wan is in fault (interface eth1 is down)");
  pair.lab.set_port(pair.a, true, "eth1");
  REQUIRE(wait_until(5s, [&] { return RouterPair::holds_both(pair.a) && !RouterPair::holds_any(pair.b); }));
  REQUIRE(wait_until(5s, [&] { return lines_of(record).size() == 5; }));
  pair.a.vipd().signal(SIGTERM);
  REQUIRE(pair.a.vipd().wait_exit(10s) == 0);
  REQUIRE(lines_of(record) == std::vector<std::string>{"GROUP edge BACKUP 0 edge 0", "GROUP edge MASTER 0 edge 2",
                                                       "GROUP edge FAULT 0 edge 0", "GROUP edge BACKUP 0 edge 0",
                                                       "GROUP edge MASTER 0 edge 2", "GROUP edge STOP 0 edge 0"});
}

TEST_CASE("lab: sync group: adverts are lost in one network, and nothing moves", "[lab]") {
  RouterPair pair;
  pair.start();
  const Json before = pair.b.status().at("instances");
  pair.lab.drop("iifname a-eth1 ip protocol 112");
  REQUIRE(wait_until(5s, [&] { return RouterPair::group(pair.b).at("waiting_for") == Json::array({"lan"}); }));
  const int heard = RouterPair::heard(pair.b, 0);
  REQUIRE(wait_until(10s, [&] { return RouterPair::heard(pair.b, 0) > heard + 20; }));
  REQUIRE(RouterPair::holds_both(pair.a));
  REQUIRE_FALSE(RouterPair::holds_any(pair.b));
  const Json after = pair.b.status().at("instances");
  for (std::size_t i = 0; i < 2; ++i) REQUIRE(after[i].at("transitions") == before[i].at("transitions"));
}

TEST_CASE("lab: sync group: a planned stop moves both addresses without a hole", "[lab]") {
  RouterPair pair;
  pair.start();
  Sniffer sniffer(pair.a);
  const AddressMonitor at_a(pair.a);
  const auto stopped = std::chrono::system_clock::now();
  pair.a.vipd().signal(SIGTERM);
  REQUIRE(pair.a.vipd().wait_exit(10s) == 0);
  const auto adverts = [&] { return sniffer.adverts_from(pair.b.source(Family::ipv4)); };
  REQUIRE(wait_until(5s, [&] { return !adverts().empty(); }));
  const auto told = time_of(adverts().front());  // b speaks when it holds both
  for (const auto& vip : kVips) {
    const auto left = moment_of(at_a, vip, false, stopped);
    measured("sync group: stop, " + vip + " let go after the other's first advert", left - told);
    REQUIRE(told <= left);
  }
  REQUIRE(RouterPair::holds_both(pair.b));
}

TEST_CASE("lab: sync group: an instance that joins or leaves by reload moves no other one, on both nodes (F9)",
          "[lab]") {
  RouterPair pair;
  pair.start();
  const AddressMonitor at_a(pair.a), at_b(pair.b);
  const auto none_moved = [&] {
    const auto is_move = [](const AddressEvent& event) { return event.prefix.find(".10/24") != std::string::npos; };
    return std::ranges::none_of(at_a.events(), is_move) && std::ranges::none_of(at_b.events(), is_move);
  };
  const auto reload = [&](Node& node, bool in_group, const std::string& said) {
    INFO(said);
    std::ofstream(node.directory() / "vipd.toml") << RouterPair::with_dmz(&node == &pair.a ? 254 : 253, in_group);
    CHECK(vipctl(node, {"diff"}).output.starts_with(said + "\n"));
    REQUIRE(vipctl(node, {"reload"}).status == 0);
  };
  for (Node* node : {&pair.a, &pair.b}) reload(*node, true, "dmz: new: joins group edge");
  REQUIRE(wait_until(5s, [&] { return pair.a.has("192.0.2.30") && RouterPair::heard(pair.b, 2) > 0; }));
  for (Node* node : {&pair.b, &pair.a}) reload(*node, false, "dmz: leaves group edge");
  CHECK(none_moved());
  pair.lab.set_port(pair.a, false, "eth1");
  REQUIRE(wait_until(5s, [&] { return RouterPair::holds_both(pair.b); }));
  CHECK(pair.a.has("192.0.2.30"));  // its instance is no longer in the group
  pair.lab.set_port(pair.a, true, "eth1");
  REQUIRE(wait_until(5s, [&] { return RouterPair::holds_both(pair.a) && !RouterPair::holds_any(pair.b); }));
  const std::size_t before = at_a.count();
  for (Node* node : {&pair.b, &pair.a}) reload(*node, true, "dmz: joins group edge");
  pair.lab.set_port(pair.a, false, "eth1");
  REQUIRE(wait_until(5s, [&] { return RouterPair::holds_both(pair.b) && pair.b.has("192.0.2.30"); }));
  CHECK(at_a.count() > before);
  CHECK_FALSE(pair.a.has("192.0.2.30"));
}
