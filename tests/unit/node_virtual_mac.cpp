#include "vipd/node/virtual_mac.hpp"

#include <cerrno>

#include "support/catch.hpp"
#include "vipd/sim/world.hpp"

using namespace vipd;
using namespace vipd::sim;

namespace {

const std::string kDevice = "vrrp4.51.eth0";

InstanceConfig with_virtual_mac(std::uint8_t vrid = 51) {
  InstanceConfig config = web_instance(254);
  config.virtual_mac = true;
  config.vrid = vrid;
  return config;
}

/// A machine with eth0 and settings of its own.
struct Bench {
  Bench() : world(1), kernel(world.add_node(254).kernel) {
    kernel.catch_up();
    kernel.settings["ipv4/conf/eth0/arp_announce"] = 1;
  }
  const Interface* device(const std::string& name = kDevice) const { return kernel.view().find(name); }
  int arp_ignore() const { return kernel.settings.at("ipv4/conf/eth0/arp_ignore"); }
  int arp_announce() const { return kernel.settings.at("ipv4/conf/eth0/arp_announce"); }

  World world;
  SimKernel& kernel;
};

std::string why(const Result<void>& result) { return result ? "" : result.error().message; }

}  // namespace

TEST_CASE("VirtualMac: the device's name is a link's name, the same each time, another for each router") {
  InstanceConfig config = with_virtual_mac();
  CHECK(virtual_mac_device(config) == "vrrp4.51.eth0");
  CHECK(address_interface(config) == "vrrp4.51.eth0");
  config.interface = "enp129s0f0np0";
  config.vrid = 255;
  const std::string one = virtual_mac_device(config);
  CHECK(one == virtual_mac_device(config));
  CHECK(one.size() <= 15);
  config.interface = "enp129s0f1np1";
  CHECK(virtual_mac_device(config) != one);
  config.addresses = {{{.prefix = {*IpAddress::parse("fe80::10"), 64}}}};
  CHECK(virtual_mac_device(config).starts_with("vrrp6.255."));
  config.virtual_mac = false;
  CHECK(address_interface(config) == config.interface);
}

TEST_CASE("VirtualMac: made down, quiet and with the MAC; up only when raised", "[A09+][C07+]") {
  Bench bench;
  VirtualMac mac(bench.kernel, with_virtual_mac());
  REQUIRE(mac.prepare());
  REQUIRE(bench.device() != nullptr);
  CHECK_FALSE(bench.device()->up);
  CHECK(bench.device()->mac.to_string() == "00:00:5e:00:01:33");
  CHECK(bench.kernel.settings.at("ipv6/conf/" + kDevice + "/addr_gen_mode") == 1);
  CHECK(bench.arp_ignore() == 0);
  REQUIRE(mac.raise());
  CHECK(bench.device()->up);
  CHECK(bench.arp_ignore() == 1);
  CHECK(bench.arp_announce() == 2);
  CHECK(bench.kernel.settings.at("ipv4/conf/" + kDevice + "/arp_ignore") == 1);
  REQUIRE(mac.prepare());  // changes nothing
  CHECK(bench.device()->up);
  mac.lower();
  CHECK_FALSE(bench.device()->up);
  CHECK(bench.arp_ignore() == 0);
  CHECK(bench.arp_announce() == 1);
  CHECK_FALSE(mac.remove());
  CHECK(bench.device() == nullptr);
}

TEST_CASE("VirtualMac: two on one interface; what was there before comes back with the last") {
  Bench bench;
  VirtualMac one(bench.kernel, with_virtual_mac(1)), other(bench.kernel, with_virtual_mac(2));
  for (auto* mac : {&one, &other}) {
    REQUIRE(mac->prepare());
    REQUIRE(mac->raise());
  }
  one.lower();
  CHECK(bench.arp_ignore() == 1);
  REQUIRE(one.raise());
  other.remove();
  CHECK(bench.arp_ignore() == 1);
  one.remove();
  CHECK(bench.arp_ignore() == 0);
  CHECK(bench.arp_announce() == 1);
}

TEST_CASE("VirtualMac: what a dead vipd left is removed and what it had changed is put back") {
  Bench bench;
  {
    VirtualMac dead(bench.kernel, with_virtual_mac());
    REQUIRE(dead.prepare());
    REQUIRE(dead.raise());
  }
  CHECK(VirtualMac(bench.kernel, with_virtual_mac()).remove());  // the device was up
  CHECK(bench.device() == nullptr);
  CHECK(bench.arp_ignore() == 0);
  CHECK(bench.arp_announce() == 1);
  CHECK_FALSE(VirtualMac(bench.kernel, with_virtual_mac()).remove());
}

TEST_CASE("VirtualMac: raised again, it repairs the device and the settings, and still knows what was before") {
  Bench bench;
  VirtualMac mac(bench.kernel, with_virtual_mac());
  REQUIRE(mac.prepare());
  REQUIRE(mac.raise());
  bench.kernel.set_link(bench.device()->index, false, bench.device()->alias);
  bench.kernel.settings["ipv4/conf/eth0/arp_ignore"] = 0;
  REQUIRE(mac.raise());
  CHECK(bench.device()->up);
  CHECK(bench.arp_ignore() == 1);
  bench.kernel.remove_link(bench.device()->index);
  REQUIRE(mac.prepare());
  REQUIRE(mac.raise());
  CHECK(bench.device()->up);
  mac.lower();
  CHECK(bench.arp_ignore() == 0);
  CHECK(bench.arp_announce() == 1);
}

TEST_CASE("VirtualMac: what was changed is put back even if somebody has removed the device") {
  Bench bench;
  VirtualMac mac(bench.kernel, with_virtual_mac());
  REQUIRE(mac.prepare());
  REQUIRE(mac.raise());
  bench.kernel.remove_link(bench.device()->index);
  mac.lower();
  CHECK(bench.arp_ignore() == 0);
  CHECK(bench.arp_announce() == 1);
}

TEST_CASE("VirtualMac: a device of ours with another MAC is made anew") {
  Bench bench;
  VirtualMac mac(bench.kernel, with_virtual_mac());
  REQUIRE(mac.prepare());
  bench.kernel.real_.at(bench.device()->index).mac = {{2, 2, 2, 2, 2, 2}};
  bench.kernel.catch_up();
  REQUIRE(mac.prepare());
  CHECK(bench.device()->mac.to_string() == "00:00:5e:00:01:33");
}

TEST_CASE("VirtualMac: somebody else's device of that name is never touched") {
  Bench bench;
  const int parent = bench.kernel.real()->index;
  bench.kernel.add_macvlan(parent, kDevice, {{2, 0, 0, 0, 0, 9}}, GENERATE("", "backup of something", "vipds"));
  VirtualMac mac(bench.kernel, with_virtual_mac());
  CHECK(why(mac.prepare()) == "interface vrrp4.51.eth0 is not vipd's; the virtual MAC needs that name");
  CHECK_FALSE(mac.raise());
  CHECK_FALSE(mac.remove());
  REQUIRE(bench.device() != nullptr);
  CHECK(bench.device()->mac.to_string() == "02:00:00:00:00:09");
}

TEST_CASE("VirtualMac: what the machine does not allow is said with its place, and nothing stays half done") {
  Bench bench;
  VirtualMac mac(bench.kernel, with_virtual_mac());
  SECTION("a setting that cannot be written") {
    bench.kernel.read_only.insert("ipv4/conf/eth0/arp_ignore");
    REQUIRE(mac.prepare());
    CHECK(why(mac.raise()) == "cannot set /proc/sys/net/ipv4/conf/eth0/arp_ignore to 1: Read-only file system");
    CHECK_FALSE(bench.device()->up);
  }
  SECTION("unless it is right already") {
    bench.kernel.read_only.insert("ipv4/conf/eth0/arp_ignore");
    bench.kernel.settings["ipv4/conf/eth0/arp_ignore"] = 1;
    REQUIRE(mac.prepare());
    CHECK(mac.raise());
  }
  SECTION("a filter that keeps every macvlan from answering") {
    bench.kernel.settings["ipv4/conf/all/arp_filter"] = 1;
    CHECK(why(mac.prepare()).starts_with("net.ipv4.conf.all.arp_filter = 1"));
  }
  SECTION("no interface") {
    bench.kernel.real_.clear();
    bench.kernel.catch_up();
    CHECK(why(mac.prepare()) == "interface eth0 is missing");
  }
  SECTION("an alternative name of the interface") {
    for (auto& [index, interface] : bench.kernel.real_) {
      if (interface.name != "eth0") continue;
      interface.name = "lan0";
      interface.alternative_names = {"eth0"};
    }
    bench.kernel.catch_up();
    CHECK(why(mac.prepare()) == "interface eth0 is an alternative name of lan0: write \"lan0\"");
  }
}

TEST_CASE("VirtualMac: a strict reverse path filter is loosened on the device, where all have none it has none") {
  Bench bench;
  const int all = GENERATE(0, 1, 2);
  bench.kernel.settings["ipv4/conf/all/rp_filter"] = all;
  VirtualMac mac(bench.kernel, with_virtual_mac());
  REQUIRE(mac.prepare());
  bench.kernel.settings["ipv4/conf/" + kDevice + "/rp_filter"] = 1;
  REQUIRE(mac.raise());
  CHECK(bench.kernel.settings.at("ipv4/conf/" + kDevice + "/rp_filter") == (all == 0 ? 0 : 2));
}

TEST_CASE("VirtualMac: without an IPv4 address the interface's ARP is left as it is") {
  Bench bench;
  InstanceConfig config = with_virtual_mac();
  config.addresses = {{{.prefix = {*IpAddress::parse("fe80::10"), 64}}}};
  VirtualMac mac(bench.kernel, config);
  REQUIRE(mac.prepare());
  REQUIRE(mac.raise());
  CHECK(bench.arp_ignore() == 0);
  CHECK(bench.device("vrrp6.51.eth0")->mac.to_string() == "00:00:5e:00:02:33");
}

namespace {

/// Adds a macvlan of the user on eth0, which is up; the settings of both differ.
const Interface* add_sub(Bench& bench, const std::string& name) {
  bench.kernel.add_macvlan(bench.kernel.real()->index, name, {{2, 0, 0, 0, 0, 9}}, "");
  bench.kernel.set_link(bench.device(name)->index, true, "");
  return bench.device(name);
}

InstanceConfig on_interface(const std::string& name, std::uint8_t vrid = 51) {
  InstanceConfig config = with_virtual_mac(vrid);
  config.interface = name;
  return config;
}

}  // namespace

TEST_CASE("VirtualMac: F5: on a macvlan the device stands beside it, is vipd's all the same and goes in the end") {
  Bench bench;
  const Interface* sub = add_sub(bench, "sub0");
  VirtualMac mac(bench.kernel, on_interface("sub0"));
  REQUIRE(mac.prepare());
  REQUIRE(bench.device("vrrp4.51.sub0") != nullptr);
  REQUIRE(bench.device("vrrp4.51.sub0")->parent == sub->parent);
  REQUIRE(mac.raise());
  REQUIRE(mac.prepare());  // changes nothing
  REQUIRE(bench.device("vrrp4.51.sub0")->up);
  CHECK(bench.kernel.settings.at("ipv4/conf/sub0/arp_ignore") == 1);
  CHECK(mac.remove());
  CHECK(bench.device("vrrp4.51.sub0") == nullptr);
  CHECK(bench.kernel.settings.at("ipv4/conf/sub0/arp_ignore") == 0);
  CHECK(bench.device("sub0") != nullptr);
}

TEST_CASE("VirtualMac: F5: the interface below a macvlan may be in another namespace") {
  Bench bench;
  const int sub = add_sub(bench, "sub0")->index;
  bench.kernel.real_.at(sub).parent = 4711;  // an index of the other namespace
  bench.kernel.catch_up();
  VirtualMac mac(bench.kernel, on_interface("sub0"));
  REQUIRE(mac.prepare());
  REQUIRE(mac.raise());
  CHECK(mac.remove());
  CHECK(bench.device("vrrp4.51.sub0") == nullptr);
}

TEST_CASE("VirtualMac: F5: devices on one interface below note the settings of their own interface") {
  Bench bench;
  add_sub(bench, "sub0");
  bench.kernel.settings["ipv4/conf/sub0/arp_announce"] = 0;  // 1 on eth0
  VirtualMac on_eth(bench.kernel, with_virtual_mac(1)), on_sub(bench.kernel, on_interface("sub0", 2)),
      other_on_sub(bench.kernel, on_interface("sub0", 3));
  for (auto* mac : {&on_eth, &on_sub, &other_on_sub}) {
    REQUIRE(mac->prepare());
    REQUIRE(mac->raise());
  }
  on_sub.remove();
  CHECK(bench.kernel.settings.at("ipv4/conf/sub0/arp_ignore") == 1);
  other_on_sub.remove();
  CHECK(bench.kernel.settings.at("ipv4/conf/sub0/arp_ignore") == 0);
  CHECK(bench.kernel.settings.at("ipv4/conf/sub0/arp_announce") == 0);
  CHECK(bench.arp_ignore() == 1);
  on_eth.remove();
  CHECK(bench.arp_ignore() == 0);
  CHECK(bench.arp_announce() == 1);
}

TEST_CASE("VirtualMac: two on an interface whose name fits into one device's name only share what they change") {
  Bench bench;
  bench.kernel.add_macvlan(bench.kernel.real()->index, "macvlan", {{2, 0, 0, 0, 0, 9}}, "");
  VirtualMac one(bench.kernel, on_interface("macvlan", 1)), other(bench.kernel, on_interface("macvlan", 201));
  for (auto* mac : {&one, &other}) {
    REQUIRE(mac->prepare());
    REQUIRE(mac->raise());
  }
  one.remove();
  CHECK(bench.kernel.settings.at("ipv4/conf/macvlan/arp_ignore") == 1);
  other.remove();
  CHECK(bench.kernel.settings.at("ipv4/conf/macvlan/arp_ignore") == 0);
}

TEST_CASE("VirtualMac: F5: the device goes also when the macvlan that it was made for is gone") {
  Bench bench;
  const int sub = add_sub(bench, "sub0")->index;
  VirtualMac mac(bench.kernel, on_interface("sub0"));
  REQUIRE(mac.prepare());
  REQUIRE(mac.raise());
  bench.kernel.remove_link(sub);
  mac.lower();
  CHECK_FALSE(bench.device("vrrp4.51.sub0")->up);
  mac.remove();
  CHECK(bench.device("vrrp4.51.sub0") == nullptr);
}

TEST_CASE("VirtualMac: a device that has lost IPv6 by a small MTU is made anew when the interface has IPv6 again") {
  Bench bench;
  const bool needs_ipv6 = GENERATE(true, false);
  CAPTURE(needs_ipv6);
  InstanceConfig config = with_virtual_mac();
  if (needs_ipv6) config.addresses.push_back({{.prefix = {*IpAddress::parse("2001:db8::10"), 64}}});
  VirtualMac mac(bench.kernel, config);
  REQUIRE(mac.prepare());
  REQUIRE(mac.raise());
  bench.kernel.set_narrow("eth0", true);
  REQUIRE(mac.prepare());
  CHECK(bench.device()->up);  // the parent has no IPv6 either
  bench.kernel.set_narrow("eth0", false);
  REQUIRE(mac.prepare());
  CHECK(bench.device()->up != needs_ipv6);  // an instance without IPv6 keeps the device
  CHECK(bench.kernel.settings.contains("ipv6/conf/" + kDevice + "/addr_gen_mode") == needs_ipv6);
  REQUIRE(mac.raise());
  REQUIRE(mac.prepare());
  CHECK(bench.device()->up);
}

TEST_CASE("VirtualMac: a device of ours that stands on another interface is made anew") {
  Bench bench;
  VirtualMac mac(bench.kernel, with_virtual_mac());
  REQUIRE(mac.prepare());
  bench.kernel.real_.at(bench.device()->index).parent = 4711;
  bench.kernel.catch_up();
  REQUIRE(mac.prepare());
  CHECK(bench.device()->parent == bench.kernel.real()->index);
}
