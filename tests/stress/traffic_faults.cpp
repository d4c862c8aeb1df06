// Kinds of faults on the way between nodes: adverts lost, forged or misdirected.
#include <fmt/format.h>

#include <array>
#include <csignal>

#include "faults.hpp"
#include "forger.hpp"

namespace vipd::stress {
namespace {

bool always(const Scene& /*scene*/) { return true; }
bool is_multicast(const Scene& scene) { return !scene.unicast; }

/// For the length of the fault, the switch drops matching packets, in the chain of the server.
void drop(Plan& plan, const std::vector<std::string>& matches) {
  plan.begin([=, index = plan.index](Site& site) {
    for (const auto& match : matches)
      site.at_switch(fmt::format("nft add rule bridge lab {} {} drop", site.node(index).name(), match));
  });
  plan.end(
      [index = plan.index](Site& site) { site.at_switch("nft flush chain bridge lab " + site.node(index).name()); });
}

std::string port(const Plan& plan) {
  return std::string(1, static_cast<char>('a' + plan.index)) + (plan.interface == "eth0" ? "" : "-" + plan.interface);
}
std::string adverts(const Plan& plan) {
  return plan.scene.family == Family::ipv4 ? "ip protocol 112" : "ip6 nexthdr 112";
}

void deaf(Plan& plan) { drop(plan, {"oifname " + port(plan) + " " + adverts(plan)}); }
void mute(Plan& plan) { drop(plan, {"iifname " + port(plan) + " " + adverts(plan)}); }
void no_adverts(Plan& plan) {
  drop(plan, {"iifname " + port(plan) + " " + adverts(plan), "oifname " + port(plan) + " " + adverts(plan)});
}
void partition(Plan& plan) { drop(plan, {"iifname " + port(plan), "oifname " + port(plan)}); }
void no_arp(Plan& plan) {
  drop(plan, {"iifname " + port(plan) + " ether type arp", "oifname " + port(plan) + " ether type arp"});
}
void some_loss(Plan& plan) {
  const int percent = 5 + plan.draw.below(60);
  plan.detail = fmt::format("{} %", percent);
  const std::string some = fmt::format(" numgen random mod 100 < {}", percent);
  drop(plan, {"iifname " + port(plan) + some, "oifname " + port(plan) + some});
}

/// Takes the port out of the bridge; its carrier stays.
void out_of_the_bridge(Plan& plan) {
  const std::string bridge = plan.interface == "eth0" ? "switch" : "switch-" + plan.interface, name = port(plan);
  plan.begin([=](Site& site) { site.at_switch("ip link set " + name + " nomaster"); });
  plan.end([=](Site& site) { site.at_switch("ip link set " + name + " master " + bridge); });
}

void output_dropped(Plan& plan) {
  const std::string match = plan.draw.chance(50) ? adverts(plan) : "oifname " + plan.interface;
  plan.detail = match;
  plan.begin([=, index = plan.index](Site& site) {
    site.sh(site.node(index), "nft add table inet stress");
    site.sh(site.node(index), "nft add chain inet stress out { type filter hook output priority 0; }");
    site.sh(site.node(index), "nft add rule inet stress out " + match + " drop");
  });
  plan.end([index = plan.index](Site& site) { site.sh(site.node(index), "nft delete table inet stress"); });
}

/// Sends `count` forged adverts over the length of the fault.
void forge(Plan& plan, int count, std::uint8_t priority, const std::function<void(testing::PacketParts&)>& spoil) {
  for (int i = 0; i < count; ++i)
    plan.at(plan.from + i * (plan.to - plan.from) / count, [=](Site& site) {
      testing::PacketParts parts = forged_advert(site, priority);
      spoil(parts);
      send_advert(site, parts);
    });
}

void bad_adverts(Plan& plan) {
  using Parts = testing::PacketParts;
  static const std::array<std::pair<const char*, void (*)(Parts&)>, 6> kDefects = {{
      {"checksum", [](Parts& parts) { parts.checksum_xor = 1; }},
      {"TTL", [](Parts& parts) { parts.hop_limit = 254; }},
      {"version", [](Parts& parts) { parts.version = 4; }},
      {"type", [](Parts& parts) { parts.type = 2; }},
      {"length", [](Parts& parts) { parts.trailer.assign(3, 0); }},
      {"no address", [](Parts& parts) { parts.addresses.clear(); }},
  }};
  const auto& [name, spoil] = kDefects[static_cast<std::size_t>(plan.draw.below(6))];
  plan.detail = name;
  forge(plan, 50, 255, spoil);
}
void resignations(Plan& plan) {
  forge(plan, 1 + plan.draw.below(20), 0, [](auto&) {});
}
void rival(Plan& plan) {
  const auto length = plan.to - plan.from;
  forge(plan, static_cast<int>(length / plan.scene.interval) + 1, 250, [](auto&) {});
  plan.extra = plan.scene.active_down();
}
void long_interval(Plan& plan) {
  forge(plan, 1, 250, [](auto& parts) { parts.interval = 4095; });
  plan.extra = 40 * plan.scene.interval;  // max_adopted_interval is ten times the interval
}
void garbage(Plan& plan) {
  for (int i = 0; i < 40; ++i) {
    testing::Octets octets(static_cast<std::size_t>(plan.draw.below(200)));
    for (auto& octet : octets) octet = static_cast<std::uint8_t>(plan.draw.below(256));
    plan.at(plan.from + i * (plan.to - plan.from) / 40, [=](Site& site) { send_octets(site, octets); });
  }
}

/// Another vipd with the same virtual router runs on the stranger.
template <int priority>
void second_router(Plan& plan) {
  plan.begin(
      [](Site& site) { site.stranger().start_vipd(config_of(site.scene(), site.stranger(), priority, Change::none)); });
  plan.end([](Site& site) {
    site.stranger().vipd().signal(SIGTERM);
    if (!site.stranger().vipd().wait_exit(15s)) throw Broken("the stranger's vipd does not stop within 15 s");
  });
  plan.extra = plan.scene.active_down();
}

void wrong_neighbour(Plan& plan) {
  const Virtual target = plan.scene.virtuals("web").back();
  plan.begin([=](Site& site) {
    site.sh(site.client(), "ip neigh replace " + target.address + " lladdr 02:00:00:00:00:99 dev " + target.interface +
                               " nud permanent");
  });
  plan.end([=](Site& site) { site.sh(site.client(), "ip neigh del " + target.address + " dev " + target.interface); });
}

/// Another host gets the address, too. At the end the client's cache is cleared, as an operator would do.
void duplicate(Plan& plan) {
  const auto all = plan.scene.virtuals("web");
  const Virtual target = all[static_cast<std::size_t>(plan.draw.below(static_cast<int>(all.size())))];
  plan.detail = target.prefix;
  plan.begin(
      [=](Site& site) { site.sh(site.stranger(), "ip addr replace " + target.prefix + " dev " + target.interface); });
  plan.end([=](Site& site) {
    site.sh(site.stranger(), "ip addr del " + target.prefix + " dev " + target.interface);
    site.sh(site.client(), "ip neigh flush dev " + target.interface);
  });
}

void client_flushed(Plan& plan) {
  plan.begin([](Site& site) { site.sh(site.client(), "ip neigh flush dev eth0"); });
}

}  // namespace

std::vector<Kind> traffic_kinds() {
  return {
      {"deaf", Part::traffic, deaf, always},
      {"mute", Part::traffic, mute, always},
      {"no adverts", Part::traffic, no_adverts, always},
      {"partition", Part::traffic, partition, always},
      {"out of the bridge", Part::traffic, out_of_the_bridge, always},
      {"some loss", Part::traffic, some_loss, always},
      {"no ARP", Part::traffic, no_arp, always},
      {"output dropped", Part::traffic, output_dropped, always},
      {"bad adverts", Part::lan, bad_adverts},
      {"forged resignations", Part::lan, resignations},
      {"forged rival", Part::lan, rival},
      {"forged long interval", Part::lan, long_interval, [](const Scene& scene) { return scene.version == 3; }},
      {"garbage", Part::lan, garbage},
      {"lower router on the network", Part::lan, second_router<50>, is_multicast},
      {"higher router on the network", Part::lan, second_router<250>, is_multicast},
      {"wrong neighbour entry at the client", Part::client, wrong_neighbour},
      {"duplicate address", Part::client, duplicate},
      {"client's neighbours flushed", Part::client, client_flushed},
  };
}

}  // namespace vipd::stress
