// Kinds of faults in a server's kernel.
#include <fmt/format.h>

#include <algorithm>

#include "faults.hpp"

namespace vipd::stress {
namespace {

/// Runs a command at a server when the fault begins, and restores the objects of others when it ends.
void and_restored(Plan& plan, const std::string& line) {
  plan.begin([=, index = plan.index](Site& site) { site.sh(site.node(index), line); });
  plan.end([index = plan.index, interface = plan.interface](Site& site) { site.restore(index, interface); });
}

void sysctl(Site& site, int index, const std::string& name, const std::string& value) {
  try {
    static_cast<const lab::Netns&>(site.node(index)).write_sysctl(name, value);
  } catch (const std::exception& error) {
    site.note(std::string("  ") + error.what());
  }
}

void link_down(Plan& plan) { and_restored(plan, "ip link set " + plan.interface + " down"); }

void port_down(Plan& plan) {
  const auto set = [index = plan.index, interface = plan.interface](bool up) {
    return [=](Site& site) { site.lab().set_port(site.node(index), up, interface); };
  };
  plan.begin(set(false));
  plan.end(set(true));
}

void port_flaps(Plan& plan) {
  const int count = 2 + plan.draw.below(6);
  plan.detail = fmt::format("{} times", count);
  for (int i = 0; i < 2 * count; ++i)
    plan.at(plan.from + i * (plan.to - plan.from) / (2 * count),
            [i, index = plan.index, interface = plan.interface](Site& site) {
              site.lab().set_port(site.node(index), i % 2 == 1, interface);
            });
}

/// The interface is renamed. The kernel renames the labels of its addresses, and never back, so they are added anew.
void rename(Plan& plan) {
  const auto name = [index = plan.index](const std::string& from, const std::string& to) {
    return [=](Site& site) {
      site.sh(site.node(index), "ip link set " + from + " down");
      site.sh(site.node(index), "ip link set " + from + " name " + to);
      site.sh(site.node(index), "ip addr flush dev " + to + " scope global");
      site.sh(site.node(index), "ip link set " + to + " up");
    };
  };
  plan.begin(name(plan.interface, "lan9"));
  plan.end(name("lan9", plan.interface));
  plan.end([index = plan.index, interface = plan.interface](Site& site) { site.restore(index, interface); });
}

template <bool same_number>
void recreate(Plan& plan) {
  plan.begin(
      [index = plan.index, interface = plan.interface](Site& site) { site.recreate(index, interface, same_number); });
}

template <int mtu>
void set_mtu(Plan& plan) {
  plan.begin([index = plan.index, interface = plan.interface](Site& site) {
    site.sh(site.node(index), fmt::format("ip link set {} mtu {}", interface, mtu));
  });
  plan.end([index = plan.index, interface = plan.interface](Site& site) {
    site.sh(site.node(index), "ip link set " + interface + " mtu 1500");
    site.restore(index, interface);
  });
}

void ipv6_off(Plan& plan) {
  const auto set = [index = plan.index, interface = plan.interface](const char* value) {
    return [=](Site& site) { sysctl(site, index, "ipv6/conf/" + interface + "/disable_ipv6", value); };
  };
  plan.begin(set("1"));
  plan.end(set("0"));
  plan.end([index = plan.index, interface = plan.interface](Site& site) { site.restore(index, interface); });
}

void own_address_gone(Plan& plan) {
  const int number = plan.index + 1;
  const bool v4 = plan.scene.family == Family::ipv4;
  and_restored(
      plan, plan.interface == "eth1"
                ? fmt::format("ip addr del {}{}/{} dev eth1", v4 ? "198.18.1." : "2001:db8:1::", number, v4 ? 24 : 64)
                : fmt::format("ip addr del {}{}/{} dev eth0", v4 ? "192.0.2." : "2001:db8::", number, v4 ? 24 : 64));
}

void addresses_flushed(Plan& plan) { and_restored(plan, "ip addr flush dev " + plan.interface + " scope global"); }

/// Deletes a virtual address at the Active node, wherever it is, again and again.
void virtual_gone(Plan& plan) {
  const auto all = plan.scene.virtuals("web");
  const Virtual& gone = all[static_cast<std::size_t>(plan.draw.below(static_cast<int>(all.size())))];
  const int times = 1 + plan.draw.below(5);
  plan.detail = fmt::format("{}, {} times", gone.prefix, times);
  const std::string device = plan.scene.virtual_mac
                                 ? fmt::format("vrrp{}.51.eth0", plan.scene.family == Family::ipv4 ? 4 : 6)
                                 : gone.interface;
  for (int i = 0; i < times; ++i)
    plan.at(plan.from + i * (plan.to - plan.from) / times, [=](Site& site) {
      for (const Server& server : site.servers())
        if (server.node->has(gone.address)) site.take_away(server.rank, gone.prefix, device);
    });
}

/// Runs one command at every server; the server that has the object loses it.
template <int which>
void object_gone(Plan& plan) {
  static constexpr std::array<const char*, 3> kLines = {
      "ip route del 10.1.0.0/16 table 10", "ip route del blackhole 10.2.0.0/16", "ip rule del priority 100"};
  plan.begin([](Site& site) {
    for (const Server& server : site.servers()) site.sh(*server.node, kLines[which]);
  });
}

void device_gone(Plan& plan) {
  const std::string device = fmt::format("vrrp{}.51.eth0", plan.scene.family == Family::ipv4 ? 4 : 6);
  const bool removed = plan.draw.chance(50);
  plan.detail = removed ? "removed" : "set down";
  plan.begin([=, index = plan.index](Site& site) {
    site.sh(site.node(index), (removed ? "ip link del " : "ip link set down dev ") + device);
  });
}

void table_gone(Plan& plan) {
  plan.begin([index = plan.index](Site& site) { site.sh(site.node(index), "nft delete table inet vipd"); });
}

/// Addresses of others arrive in the subnets of the virtual addresses, and stay until the life ends.
void others_address(Plan& plan) {
  const int number = 150 + plan.draw.below(50);
  const std::string subnet = plan.draw.one_of<std::string>({"192.0.2.", "203.0.113."});
  plan.detail = subnet + std::to_string(number);
  plan.begin([prefix = plan.detail + "/24", index = plan.index](Site& site) { site.arrive(index, prefix); });
}

void others_route(Plan& plan) {
  const int number = 100 + plan.draw.below(50);
  plan.begin([=, index = plan.index](Site& site) {
    site.node(index).changes(
        [&] {
          site.sh(site.node(index), fmt::format("ip route replace 10.{}.0.0/16 via 192.0.2.100 dev eth0", number));
        },
        lab::Depth::without_settings);
  });
  // A link that goes down takes the object along, and nothing else would restore it.
  plan.end([=, index = plan.index](Site& site) {
    site.node(index).changes([&] { site.sh(site.node(index), fmt::format("ip route del 10.{}.0.0/16", number)); },
                             lab::Depth::without_settings);
  });
}

void promotion(Plan& plan) {
  const auto set = [index = plan.index](const char* value) {
    return [=](Site& site) { sysctl(site, index, "ipv4/conf/eth0/promote_secondaries", value); };
  };
  plan.begin(set("1"));
  plan.end(set("0"));
}

void arp_settings(Plan& plan) {
  const auto set = [index = plan.index](const char* value) {
    return [=](Site& site) {
      sysctl(site, index, "ipv4/conf/eth0/arp_ignore", value);
      sysctl(site, index, "ipv4/conf/all/arp_announce", value);
    };
  };
  plan.begin(set("1"));
  plan.end(set("0"));
}

void neighbours_flushed(Plan& plan) {
  plan.begin([index = plan.index](Site& site) { site.sh(site.node(index), "ip neigh flush dev eth0"); });
}

bool always(const Scene& /*scene*/) { return true; }
bool is_ipv4(const Scene& scene) { return scene.family == Family::ipv4; }
bool has_routes(const Scene& scene) { return scene.routes; }
bool has_vmac(const Scene& scene) { return scene.virtual_mac; }
bool has_no_vmac(const Scene& scene) { return !scene.virtual_mac; }

}  // namespace

std::vector<Kind> network_kinds() {
  return {
      {"link down", Part::link, link_down},
      {"port down", Part::link, port_down},
      {"port flaps", Part::link, port_flaps},
      {"interface renamed", Part::link, rename},
      {"interface recreated", Part::link, recreate<false>},
      {"interface recreated with its number", Part::link, recreate<true>, always},
      {"MTU 1000", Part::link, set_mtu<1000>, always},
      {"MTU 1200", Part::link, set_mtu<1200>, always},
      {"IPv6 off", Part::link, ipv6_off},
      {"own address gone", Part::link, own_address_gone},
      {"addresses flushed", Part::link, addresses_flushed},
      {"virtual address gone", Part::objects, virtual_gone},
      {"route gone", Part::objects, object_gone<0>, has_routes},
      {"blackhole gone", Part::objects, object_gone<1>, has_routes},
      {"rule gone", Part::objects, object_gone<2>, has_routes},
      {"virtual MAC's device gone", Part::objects, device_gone, has_vmac},
      {"nf_tables table gone", Part::objects, table_gone, [](const Scene& scene) { return !scene.accept; }},
      {"others' address comes", Part::link, others_address, is_ipv4},
      {"others' route comes", Part::link, others_route},
      {"promote_secondaries", Part::objects, promotion, is_ipv4},
      {"ARP settings", Part::objects, arp_settings, has_no_vmac},
      {"neighbours flushed", Part::client, neighbours_flushed},
  };
}

}  // namespace vipd::stress
