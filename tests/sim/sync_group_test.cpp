// Sync groups: routers between two or three LANs, in virtual time, on the production daemon layer. What a node holds it
// holds in all LANs or in none.
#include <algorithm>
#include <array>
#include <map>
#include <ranges>

#include "sim.hpp"
#include "support/catch.hpp"

using namespace vipd;
using namespace vipd::sim;

namespace {

struct Member {
  const char *name, *lan, *address;
};
constexpr std::array<Member, 3> kMembers = {
    {{"lan", "eth0", "192.0.2.10"}, {"wan", "eth1", "198.51.100.10"}, {"dmz", "eth2", "203.0.113.10"}}};

IpAddress vip(std::size_t member) { return *IpAddress::parse(kMembers[member].address); }

/// A router between `lans` LANs, all of whose instances are in the group "edge".
Config edge_config(std::size_t lans, std::uint8_t priority) {
  Config config;
  SyncGroupConfig group{.name = "edge", .instances = {}, .hooks = {}};
  group.hooks.any = {"/etc/vipd/hooks/edge"};
  for (const Member& member : std::span(kMembers).first(lans)) {
    InstanceConfig instance = web_instance(priority);
    instance.name = member.name;
    instance.interface = member.lan;
    instance.addresses.front().prefix.address = *IpAddress::parse(member.address);
    instance.sync_group = group.name;
    group.instances.push_back(instance.name);
    config.instances.push_back(instance);
  }
  config.sync_groups = {group};
  return config;
}

const SyncGroup& edge(const Node& node) { return *node.supervisor->groups().front(); }
const VirtualRouter& member(const Node& node, std::size_t number) { return *node.supervisor->routers()[number]; }
bool is_active(const Node& node) { return node.alive() && edge(node).shown() == ShownState::active; }
std::size_t lans(const Node& node) { return node.config.instances.size(); }

void set_link(Node& node, const std::string& lan, bool running) {
  node.kernel.real(lan)->running = running;
  node.kernel.changed();
}

/// Looks after each event: are all members of each node Active or none, and for how long do two nodes hold the same
/// address that can hear each other on its LAN? A lost packet there starts that time anew.
class GroupWatch {
 public:
  explicit GroupWatch(World& world) : world_(world) {
    world.on_lost = [this](std::size_t a, std::size_t b, const std::string& lan) {
      since_.erase({std::min(a, b), std::max(a, b), lan});
    };
    world.after_each = [this] { look(); };
  }

  bool split = false;  ///< some members of a node were Active and some were not
  Duration longest{};

 private:
  void look() {
    for (const auto& node : world_.nodes)
      if (node->alive()) look_at(*node);
    for (std::size_t a = 0; a < world_.nodes.size(); ++a)
      for (std::size_t b = a + 1; b < world_.nodes.size(); ++b)
        for (std::size_t i = 0; i < lans(*world_.nodes[a]); ++i) look_between(a, b, i);
  }

  void look_at(const Node& node) {
    const auto& routers = node.supervisor->routers();
    const auto stopping = [](const auto& router) { return router->stopping(); };
    if (std::ranges::any_of(routers, stopping)) return;  // make before break is each member's own
    std::size_t active = 0, held = 0;
    for (std::size_t i = 0; i < routers.size(); ++i) {
      active += routers[i]->shown() == ShownState::active;
      held += node.kernel.has(vip(i));
    }
    split = split || (active != 0 && active != routers.size()) || held != active;
  }

  void look_between(std::size_t a, std::size_t b, std::size_t i) {
    const std::string lan = kMembers[i].lan;
    const auto holds = [&](std::size_t n) {
      Node& node = *world_.nodes[n];
      return node.alive() && node.kernel.has(vip(i)) && node.kernel.real(lan)->running;
    };
    const std::tuple key{a, b, lan};
    if (holds(a) && holds(b) && world_.connected(a, b, lan))
      longest = std::max(longest, world_.now - since_.emplace(key, world_.now).first->second);
    else
      since_.erase(key);
  }

  World& world_;
  std::map<std::tuple<std::size_t, std::size_t, std::string>, TimePoint> since_;
};

std::pair<Node&, Node&> settled_pair(World& world, const Config& first, const Config& second) {
  world.add_node(first);
  world.add_node(second);
  for (const auto& node : world.nodes) node->start();
  world.run_for(seconds(10));
  return {*world.nodes[0], *world.nodes[1]};
}

std::uint64_t events_of_all(const World& world) {
  std::uint64_t sum = 0;
  for (const auto& node : world.nodes) sum += node->supervisor->events().last_sequence();
  return sum;
}

/// Exactly this one is Active, with all it has to hold.
void check_only_active(const World& world, const Node& holder) {
  for (const auto& node : world.nodes) {
    if (!node->alive()) continue;
    INFO("node " << node->index);
    CHECK(is_active(*node) == (node.get() == &holder));
    for (std::size_t i = 0; i < lans(*node); ++i) CHECK(node->kernel.has(vip(i)) == (node.get() == &holder));
  }
}

/// The first of two nodes stops as planned, and each address is on a node all the time.
void check_stop_leaves_no_hole(World& world, std::size_t addresses) {
  bool always_held = true;
  world.after_each = [&] {
    for (std::size_t i = 0; i < addresses; ++i)
      always_held = always_held && (world.nodes[0]->kernel.has(vip(i)) || world.nodes[1]->kernel.has(vip(i)));
  };
  world.nodes[0]->stop();
  world.run_for(seconds(3));
  world.after_each = [] {};
  CHECK(always_held);
  CHECK_FALSE(world.nodes[0]->alive());
  check_only_active(world, *world.nodes[1]);
}

std::size_t count_active(const World& world) {
  return static_cast<std::size_t>(
      std::ranges::count_if(world.nodes, [](const auto& node) { return is_active(*node); }));
}

}  // namespace

TEST_CASE("sync group: the reason that is shown says nothing of an unfitness that is over") {
  World world(seed_from_environment(1));
  Config config = edge_config(2, 254);
  CheckConfig check;
  check.name = "app";
  check.kind = CommandCheck{{"/usr/bin/app"}};
  config.checks = {check};
  config.instances[1].checks = {"app"};
  bool works = false;
  Node& node = world.add_node(config);
  node.start();
  node.runner->outcome = [&](const Command&) { return Outcome{.exit_status = works ? 0 : 1}; };
  world.run_for(seconds(20));
  REQUIRE(is_active(node));
  const std::string failed = "check app failed: exit status 1";
  const std::string of_group = "; unfit: group edge: wan is unfit (" + failed + ")";
  CHECK(edge(node).reason().ends_with(of_group));
  CHECK(member(node, 0).reason().ends_with(of_group));
  CHECK(member(node, 1).reason().ends_with("; unfit: " + failed));
  works = true;
  world.run_for(seconds(20));
  CHECK(edge(node).reason().find("unfit") == std::string::npos);
  for (const std::size_t number : {0u, 1u}) CHECK(member(node, number).reason().find("unfit") == std::string::npos);
}

TEST_CASE("sync group: a link is lost in one network, and all addresses move") {
  World world(seed_from_environment(1));
  const auto [first, second] = settled_pair(world, edge_config(2, 254), edge_config(2, 253));
  GroupWatch watch(world);
  check_only_active(world, first);
  set_link(first, "eth1", false);
  world.run_for(milliseconds(2));
  CHECK_FALSE(first.kernel.has(vip(0)));
  CHECK_FALSE(first.kernel.has(vip(1)));
  world.run_for(active_down_interval(253, kInterval));  // nobody can hear in that network that it resigns there
  check_only_active(world, second);
  CHECK(edge(first).shown() == ShownState::fault);
  CHECK(edge(first).reason() == "wan is in fault (interface eth1 is down)");
  CHECK(*member(first, 0).standing().fault() == "group edge: wan is in fault (interface eth1 is down)");
  const auto addresses = std::exchange(first.kernel.real("eth1")->addresses, {});
  set_link(first, "eth1", true);
  world.run_for(milliseconds(2));
  CHECK(edge(first).reason() == "wan is in fault (interface eth1 has no IPv4 address of its own to send from)");
  first.kernel.real("eth1")->addresses = addresses;
  set_link(first, "eth1", false);
  world.run_for(milliseconds(2));
  CHECK(*member(first, 1).standing().fault() == "interface eth1 is down");
  world.run_for(seconds(5));
  const auto quiet = events_of_all(world);
  set_link(first, "eth1", true);
  world.run_for(milliseconds(50));
  CHECK(edge(first).shown() == ShownState::backup);
  world.run_for(seconds(5));
  check_only_active(world, first);
  CHECK(events_of_all(world) == quiet + 9);  // three of first to Backup, three to Active; three of second to Backup
  CHECK_FALSE(watch.split);
  CHECK(watch.longest <= kInterval + kSlack);
}

TEST_CASE("sync group: who still hears the Active router in one network takes nothing, and nothing moves for an hour") {
  World world(seed_from_environment(2));
  const auto [first, second] = settled_pair(world, edge_config(2, 254), edge_config(2, 253));
  const auto before = events_of_all(world);
  world.connect(0, 1, false, GENERATE("eth0", "eth1"));
  world.run_for(seconds(3600));
  check_only_active(world, first);
  CHECK(events_of_all(world) == before);
  CHECK(edge(second).awaited().size() == 1);
}

TEST_CASE("sync group: who comes back to a cut network takes over in both, since it hears nobody better in either") {
  World world(seed_from_environment(3));
  const auto [first, second] = settled_pair(world, edge_config(2, 254), edge_config(2, 253));
  GroupWatch watch(world);
  first.power_off();
  world.run_for(seconds(5));
  check_only_active(world, second);
  world.connect(0, 1, false, "eth0");
  first.start();
  world.run_for(seconds(10));
  check_only_active(world, first);
  CHECK(edge(second).reason() == "wan: heard 198.51.100.1 (priority 254), ours is 253");
  CHECK(member(second, 0).reason() == "gave up with its group, which heard 198.51.100.1 (priority 254)");
  CHECK_FALSE(watch.split);
}

TEST_CASE("sync group: a planned stop is make-before-break in each network") {
  World world(seed_from_environment(4));
  settled_pair(world, edge_config(3, 254), edge_config(3, 253));
  check_stop_leaves_no_hole(world, 3);
}

TEST_CASE("sync group: a planned stop leaves no address with nobody, whatever the intervals of the members") {
  World world(seed_from_environment(12));
  const bool version2 = GENERATE(false, true);
  CAPTURE(version2);
  const auto uneven = [&](std::uint8_t priority) {
    Config config = edge_config(2, priority);
    config.instances[0].advert_interval = milliseconds(100);
    config.instances[1].advert_interval = seconds(1);
    if (version2) config.instances[1].version = 2;  // its Skew_Time is a part of a second
    return config;
  };
  settled_pair(world, uneven(254), uneven(100));
  check_stop_leaves_no_hole(world, 2);
}

TEST_CASE("sync group: all claim before the first says an advert, and a refused claim leaves the peer alone") {
  World world(seed_from_environment(5));
  Node& sick = world.add_node(edge_config(2, 254));
  Node& fit = world.add_node(edge_config(2, 100));
  SECTION("the claim succeeds") {
    std::size_t adverts_before = 0;
    world.after_each = [&] {
      if (!sick.kernel.has(vip(0)) || !sick.kernel.has(vip(1))) adverts_before = world.adverts.size();
    };
    sick.start();
    world.run_for(seconds(5));
    CHECK(is_active(sick));
    CHECK(adverts_before == 0);
  }
  SECTION("the second one is refused") {
    sick.kernel.refuse = [](const KernelObject& object) {
      const auto* address = std::get_if<AddressObject>(&object);
      return address != nullptr && address->prefix.address == vip(1) ? EPERM : 0;
    };
    fit.start();
    world.run_for(seconds(10));
    GroupWatch watch(world);
    const auto before = fit.supervisor->events().last_sequence();
    sick.start();
    world.run_for(seconds(5));
    CHECK(edge(sick).shown() == ShownState::fault);
    CHECK(edge(sick).reason() == "wan is in fault (cannot add 198.51.100.10/24 on eth1: Operation not permitted)");
    world.run_for(seconds(100));
    check_only_active(world, fit);
    CHECK(std::ranges::count(world.adverts, sick.index, &SentAdvert::node) == 0);
    CHECK(fit.supervisor->events().last_sequence() == before);
    CHECK_FALSE(watch.split);
  }
}

TEST_CASE("sync group: it is Active when the last of hundreds of addresses is there") {
  World world(seed_from_environment(4));
  Config config = edge_config(2, 254);
  for (std::uint8_t last = 11; last < 200; ++last)
    config.instances[1].addresses.push_back(
        {{.prefix = {{Family::ipv4, std::array<std::uint8_t, 4>{198, 51, 100, last}}, 24}}});
  Node& node = world.add_node(config);
  std::size_t held = 0;  // when the group's hook starts
  node.start();
  node.runner->on_start = [&](const Command& command) {
    if (command.environment.front() == "VIPD_GROUP=edge") held = node.kernel.real("eth1")->addresses.size();
  };
  world.run_for(seconds(5));
  CHECK(is_active(node));
  CHECK(held == 2 + 190);
}

TEST_CASE("sync group: the lowest priority of the members counts for all") {
  World world(seed_from_environment(6));
  Config uneven = edge_config(2, 254);
  uneven.instances[1].priority = 100;
  const auto [first, second] = settled_pair(world, uneven, edge_config(2, 200));
  check_only_active(world, second);
  CHECK(member(first, 0).standing().effective_priority() == 100);
  CHECK(member(first, 0).standing().base_priority() == 254);
  second.power_off();
  world.run_for(seconds(5));
  check_only_active(world, first);
  CHECK(world.adverts.back().priority == 100);
}

TEST_CASE("sync group: an owner does not wait, and waits for the others") {
  World world(seed_from_environment(7));
  Node& owner = world.add_node(edge_config(2, 255));
  SECTION("all are well") {
    owner.start();
    CHECK(is_active(owner));
    CHECK(owner.kernel.has(vip(0)));
    CHECK(owner.kernel.has(vip(1)));
  }
  SECTION("one has no link") {
    owner.kernel.real("eth1")->running = false;
    owner.start();
    CHECK(edge(owner).shown() == ShownState::fault);
    CHECK_FALSE(owner.kernel.has(vip(0)));
    CHECK(owner.supervisor->events().transitions().front().to == ShownState::fault);  // never Backup in between
    set_link(owner, "eth1", true);
    world.run_for(milliseconds(2));
    CHECK(is_active(owner));
  }
}

TEST_CASE("sync group: without preemption in one member there is none in any") {
  World world(seed_from_environment(8));
  Config humble = edge_config(2, 254);
  humble.instances[1].preempt = false;
  Node& first = world.add_node(humble);
  Node& second = world.add_node(edge_config(2, 100));
  second.start();
  world.run_for(seconds(10));
  first.start();
  world.run_for(seconds(30));
  check_only_active(world, second);
  CHECK(edge(first).awaited() == std::vector<std::string>{"wan"});
  second.power_off();
  world.run_for(seconds(5));
  check_only_active(world, first);
}

namespace {

/// A pair of routers between three LANs. What is configured at first is not all that there is; watches the first two
/// addresses, which `first` holds.
struct Reloaded {
  Reloaded(const Config& of_first, const Config& of_second)
      : world(seed_from_environment(11)),
        first(world.add_node(edge_config(3, 254))),
        second(world.add_node(edge_config(3, 253))) {
    first.config = of_first;
    second.config = of_second;
    first.start();
    second.start();
    world.run_for(seconds(10));
    before = transitions_of_two();
    world.after_each = [this] {
      for (const std::size_t i : {0U, 1U})
        untouched = untouched && first.kernel.has(vip(i)) && !second.kernel.has(vip(i));
    };
  }

  void apply(Node& node, const Config& config) {
    node.config = config;
    node.apply(config);
    world.run_for(seconds(10));
  }
  std::uint64_t transitions_of_two() const {
    std::uint64_t sum = 0;
    for (const Node* node : {&first, &second})
      for (const char* name : {"lan", "wan"}) sum += node->supervisor->find(name)->counters().transitions;
    return sum;
  }
  void require_untouched() const {
    CHECK(untouched);
    CHECK(transitions_of_two() == before);
  }
  std::vector<std::string> told(const Node& node) const {
    std::vector<std::string> words;
    for (const auto& command : node.runner->started)
      if (command.arguments[1] == "GROUP") words.push_back(command.arguments[2] + " " + command.arguments[3]);
    return words;
  }
  void require_told(const std::vector<std::string>& more) {
    std::vector<std::string> all = {"edge BACKUP", "edge MASTER"};
    all.insert(all.end(), more.begin(), more.end());
    CHECK(told(first) == all);
  }

  World world;
  Node &first, &second;
  std::uint64_t before = 0;
  bool untouched = true;
};

/// The same instances, each for itself.
Config single(Config config) {
  for (auto& instance : config.instances) instance.sync_group.clear();
  config.sync_groups.clear();
  return config;
}

}  // namespace

TEST_CASE("sync group: a reload that adds a member to it moves no other one, on both nodes in any order (F9)") {
  Reloaded pair(edge_config(2, 254), edge_config(2, 253));
  if (GENERATE(true, false)) {
    pair.apply(pair.first, edge_config(3, 254));
    CHECK(pair.first.kernel.has(vip(2)));
    pair.apply(pair.second, edge_config(3, 253));
  } else {
    pair.apply(pair.second, edge_config(3, 253));
    pair.apply(pair.first, edge_config(3, 254));
  }
  check_only_active(pair.world, pair.first);
  pair.require_untouched();
  pair.require_told({});
  CHECK(pair.first.supervisor->groups().size() == 1);
  pair.world.after_each = [] {};
  pair.first.power_off();  // and they are one group from now on
  pair.world.run_for(seconds(10));
  check_only_active(pair.world, pair.second);
}

TEST_CASE("sync group: a reload that removes a member, or makes it another router, moves no other one (F9)") {
  Reloaded pair(edge_config(3, 254), edge_config(3, 253));
  SECTION("removed") {
    pair.apply(pair.first, edge_config(2, 254));
    CHECK_FALSE(pair.first.kernel.has(vip(2)));
    pair.apply(pair.second, edge_config(2, 253));
  }
  SECTION("for itself from now on") {
    for (Node* node : {&pair.first, &pair.second}) {
      Config config = node->config;
      config.instances[2].sync_group.clear();
      config.sync_groups[0].instances.pop_back();
      pair.apply(*node, config);
      CHECK(pair.first.kernel.has(vip(2)));
    }
    set_link(pair.first, "eth2", false);
    pair.world.run_for(seconds(10));
    CHECK(pair.second.kernel.has(vip(2)));
  }
  SECTION("another VRID") {
    for (Node* node : {&pair.first, &pair.second}) {
      Config config = node->config;
      config.instances[2].vrid = 77;
      pair.apply(*node, config);
    }
    check_only_active(pair.world, pair.first);
    CHECK(pair.first.supervisor->groups().size() == 1);
    CHECK(pair.first.supervisor->routers().size() == 3);
  }
  pair.require_untouched();
  pair.require_told({});
}

TEST_CASE("sync group: a reload that makes the first member another router leaves the second where it is (F9)") {
  Reloaded pair(edge_config(2, 254), edge_config(2, 253));
  bool held = true;
  pair.world.after_each = [&] { held = held && pair.first.kernel.has(vip(1)) && !pair.second.kernel.has(vip(1)); };
  for (Node* node : {&pair.first, &pair.second}) {
    Config config = node->config;
    config.instances[0].vrid = 77;
    pair.apply(*node, config);
  }
  CHECK(held);
  check_only_active(pair.world, pair.first);
  CHECK(pair.first.supervisor->groups().size() == 1);
  pair.require_told({});
}

TEST_CASE("sync group: one that comes back while its hooks are told of its end is one group, and its hooks wait (F9)") {
  Reloaded pair(edge_config(2, 254), edge_config(2, 253));
  pair.first.runner->duration = [] { return Duration(seconds(2)); };
  pair.first.apply(single(pair.first.config));
  pair.world.run_for(milliseconds(100));
  pair.apply(pair.first, edge_config(2, 254));
  CHECK(pair.first.supervisor->groups().size() == 1);
  CHECK(pair.told(pair.first).back() == "edge MASTER");
  check_only_active(pair.world, pair.first);
  pair.require_untouched();
}

TEST_CASE("sync group: members that a reload makes other routers wait for no hook of theirs or of the group (F18)") {
  World world(seed_from_environment(62));
  Node& node = world.add_node(edge_config(2, 254));
  node.start();
  world.run_for(seconds(10));
  REQUIRE(is_active(node));
  node.runner->duration = [] { return Duration(std::chrono::hours(24)); };
  Config changed = node.config;
  for (auto& instance : changed.instances) instance.vrid += 20;
  node.apply(changed);
  world.run_for(milliseconds(5500));  // the stop and listening, as without hooks
  check_only_active(world, node);
  CHECK(node.supervisor->groups().size() == 1);
  CHECK(edge(node).shown() == ShownState::active);
}

TEST_CASE("sync group: a reload that renames, makes or dissolves a group moves nobody (F9)") {
  Reloaded pair(edge_config(2, 254), edge_config(2, 253));
  SECTION("renamed: it goes on, and its hooks are told nothing") {
    for (Node* node : {&pair.first, &pair.second}) {
      Config config = node->config;
      config.sync_groups[0].name = "border";
      for (auto& instance : config.instances) instance.sync_group = "border";
      pair.apply(*node, config);
    }
    CHECK(edge(pair.first).config().name == "border");
    CHECK(is_active(pair.first));
    pair.require_told({});
  }
  SECTION("dissolved, and made anew of single instances: its hooks are told both") {
    for (Node* node : {&pair.first, &pair.second}) pair.apply(*node, single(node->config));
    CHECK(pair.first.supervisor->groups().empty());
    pair.require_told({"edge STOP"});
    pair.apply(pair.second, edge_config(2, 253));
    pair.apply(pair.first, edge_config(2, 254));
    pair.require_told({"edge STOP", "edge MASTER"});
    check_only_active(pair.world, pair.first);
  }
  pair.require_untouched();
}

TEST_CASE("sync group: a new member that cannot be Active takes the group along, as any member would") {
  Config more = edge_config(3, 253);
  SECTION("in fault") {
    Reloaded pair(edge_config(2, 254), edge_config(2, 253));
    set_link(pair.first, "eth2", false);
    pair.apply(pair.first, edge_config(3, 254));
    CHECK(edge(pair.first).shown() == ShownState::fault);
    CHECK(is_active(pair.second));
  }
  SECTION("lost to a peer") {
    more.instances[2].priority = 255;
    more.instances[2].sync_group.clear();
    more.sync_groups[0].instances.pop_back();
    Reloaded pair(edge_config(2, 254), more);
    REQUIRE(pair.second.kernel.has(vip(2)));
    pair.apply(pair.first, edge_config(3, 254));
    CHECK(edge(pair.first).shown() == ShownState::backup);
    CHECK(is_active(pair.second));
  }
}

TEST_CASE("sync group: a reload that changes priorities or hooks is taken where the group stands") {
  World world(seed_from_environment(12));
  const auto [first, second] = settled_pair(world, edge_config(2, 254), edge_config(2, 200));
  GroupWatch watch(world);
  Config changed = edge_config(2, 254);
  changed.instances[1].priority = 210;
  changed.sync_groups[0].hooks.any = {"/other"};
  const auto before = events_of_all(world);
  first.apply(changed);
  world.run_for(seconds(5));
  check_only_active(world, first);
  CHECK(events_of_all(world) == before);
  CHECK(world.adverts.back().priority == 210);
  changed.instances[1].priority = 100;
  first.apply(changed);
  world.run_for(seconds(5));
  check_only_active(world, second);
  CHECK(first.runner->started.back().arguments == std::vector<std::string>{"/other", "GROUP", "edge", "BACKUP", "0"});
  CHECK_FALSE(watch.split);
}

TEST_CASE("sync group: the group's hooks tell its states in order, and STOP last") {
  World world(seed_from_environment(9));
  const auto [first, second] = settled_pair(world, edge_config(2, 254), edge_config(2, 253));
  std::vector<std::string> told;
  const auto note = [&] {
    for (const auto& command : first.runner->started)
      if (command.arguments[1] == "GROUP") told.push_back(command.arguments[3]);
  };
  set_link(first, "eth0", false);
  world.run_for(seconds(5));
  set_link(first, "eth0", true);
  world.run_for(seconds(10));
  first.stop();
  while (first.alive()) {
    told.clear();
    note();
    world.run_for(milliseconds(1));
  }
  CHECK(told == std::vector<std::string>{"BACKUP", "MASTER", "FAULT", "BACKUP", "MASTER", "STOP"});
  const Command& last = second.runner->started.back();
  CHECK(last.arguments == std::vector<std::string>{"/etc/vipd/hooks/edge", "GROUP", "edge", "MASTER", "0"});
  CHECK(std::ranges::find(last.environment, "VIPD_GROUP=edge") != last.environment.end());
  CHECK(std::ranges::find(last.environment, "VIPD_ADDRESSES=192.0.2.10/24 198.51.100.10/24") != last.environment.end());
}

TEST_CASE("sync group: equal priorities converge, though each wins a tie in another network") {
  const std::uint64_t first_seed = seed_from_environment(100);
  const bool prepares = GENERATE(false, true);
  const Duration hooks = prepares ? milliseconds(300) : Duration();
  const Duration round = active_down_interval(100, kInterval) + kInterval + hooks;
  int quickly = 0;
  for (std::uint64_t seed = first_seed; seed < first_seed + 200; ++seed) {
    INFO("seed " << seed);
    World world(seed);
    for (int i = 0; i < 2; ++i) {
      Config config = edge_config(2, 100);
      for (InstanceConfig& each : config.instances)
        if (prepares) each.hooks.before_active = {"/promote"};
      world.add_node(config);
    }
    std::swap(world.nodes[0]->kernel.real("eth1")->addresses, world.nodes[1]->kernel.real("eth1")->addresses);
    GroupWatch watch(world);
    for (const auto& node : world.nodes) world.at(world.between({}, microseconds(300)), [&node] { node->start(); });
    world.run_for(2 * round + kSlack);
    quickly += count_active(world) == 1;
    world.run_for(round);  // seldom, both have drawn the same lot
    CHECK(count_active(world) == 1);
    const auto settled = events_of_all(world);
    world.run_for(seconds(60));
    CHECK(events_of_all(world) == settled);
    CHECK_FALSE(watch.split);
    CHECK(watch.longest <= kInterval + kSlack);
  }
  CHECK(quickly >= 190);
}

TEST_CASE("sync group: through cuts in each network, loss, crashes and stops; settled after the last fault") {
  const std::uint64_t first_seed = seed_from_environment(7000);
  for (std::uint64_t seed = first_seed; seed < first_seed + 400; ++seed) {
    INFO("seed " << seed);
    World world(seed);
    const std::size_t count = 2 + seed % 3, networks = 2 + seed / 3 % 2;
    for (std::size_t i = 0; i < count; ++i)  // all differ
      world.add_node(edge_config(networks, static_cast<std::uint8_t>(1 + world.random() % 60 + 60 * ((i + seed) % 4))));
    GroupWatch watch(world);
    for (const auto& node : world.nodes) world.at(world.between({}, seconds(2)), [&node] { node->start(); });
    world.run_for(seconds(2));
    for (int fault = 0; fault < 30; ++fault) {
      Node& node = *world.nodes[world.random() % count];
      const std::string lan = kMembers[world.random() % networks].lan;
      const std::size_t a = world.random() % count, b = world.random() % count;
      switch (world.random() % 8) {
        case 0:
          node.kill();
          break;
        case 1:
          node.power_off();
          break;
        case 2:
          node.stop();
          break;
        case 3:
        case 4:
          world.connect(a, b, world.random() % 2 == 0, lan);
          break;
        case 5:
          world.loss = 0.3 * world.chance();
          break;
        case 6:
          set_link(node, lan, world.random() % 2 == 0);
          break;
        default:
          if (!node.alive()) node.start();
      }
      world.run_for(world.between(milliseconds(10), seconds(6)));
    }
    world.loss = 0;
    for (const auto& node : world.nodes)
      for (std::size_t i = 0; i < networks; ++i) set_link(*node, kMembers[i].lan, true);
    for (std::size_t a = 0; a < count; ++a)
      for (std::size_t b = 0; b < a; ++b) world.connect(a, b, true);
    for (const auto& node : world.nodes)
      if (!node->alive()) node->start();
    world.run_for(active_down_interval(1, kInterval) + skew_time(1, kInterval) + kSlack);
    const auto alive = [](const auto& node) { return node->alive(); };
    auto running = world.nodes | std::views::filter(alive);
    const auto best =
        std::ranges::max_element(running, {}, [](const auto& node) { return node->config.instances.front().priority; });
    check_only_active(world, **best);
    REQUIRE_FALSE(watch.split);
    REQUIRE(watch.longest <= kInterval + kSlack);
  }
}

TEST_CASE("sync group: three nodes, a network cut through the middle: nothing moves for an hour") {
  World world(seed_from_environment(10));
  for (const int priority : {254, 253, 252}) world.add_node(edge_config(2, static_cast<std::uint8_t>(priority)));
  for (const auto& node : world.nodes) node->start();
  world.run_for(seconds(10));
  world.connect(0, 1, false, "eth0");
  world.connect(1, 2, false, "eth1");
  world.run_for(seconds(10));
  const auto before = events_of_all(world);
  world.run_for(seconds(3600));
  CHECK(events_of_all(world) == before);
  check_only_active(world, *world.nodes[0]);
}
