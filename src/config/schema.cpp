#include "vipd/config/schema.hpp"

#include <algorithm>
#include <array>

namespace vipd {

namespace {

using namespace std::string_view_literals;

constexpr auto kSchema = std::to_array<KeySpec>({
    {"node",
     "name",
     "1 to 64 characters of A-Z a-z 0-9 _ . -",
     "",
     false,
     {},
     "the name of this node in logs and status; by default the host's name",
     [](Target t) -> Slot { return &t.config.node; }},

    {"instance",
     "interface",
     "the name of a network interface, 1 to 15 bytes",
     "",
     true,
     {},
     "where adverts are sent and the addresses are put",
     [](Target t) -> Slot { return &t.instance.interface; }},
    {"instance",
     "vrid",
     "1..255",
     "",
     true,
     {.min = 1, .max = 255},
     "the virtual router's number: the same on each node of a group, unique in a network",
     [](Target t) -> Slot { return &t.instance.vrid; }},
    {"instance",
     "addresses",
     "a list of \"ADDRESS/PREFIX-LENGTH\"",
     "",
     true,
     {},
     "the virtual addresses; the first one decides the family",
     [](Target t) -> Slot { return &t.instance.addresses; }},
    {"instance",
     "priority",
     "1..255",
     "100",
     false,
     {.min = 1, .max = 255},
     "the highest one of a group is Active; 255 is for the owner of the addresses",
     [](Target t) -> Slot { return &t.instance.priority; }},
    {"instance",
     "version",
     "2 or 3",
     "3",
     false,
     {.min = 2, .max = 3},
     "the version of VRRP",
     [](Target t) -> Slot { return &t.instance.version; }},
    {"instance",
     "advert_interval",
     "10ms..40.95s in steps of 10ms (version 2: 1s..255s in whole seconds)",
     "\"1s\"",
     false,
     {.min = 10, .max = 255'000, .step = 10},
     "how often the Active node speaks",
     [](Target t) -> Slot { return &t.instance.advert_interval; }},
    {"instance",
     "preempt",
     "true or false",
     "true",
     false,
     {},
     "take over from an Active node of lower priority",
     [](Target t) -> Slot { return &t.instance.preempt; }},
    {"instance",
     "preempt_delay",
     "0s or 10ms..1h",
     "\"0s\"",
     false,
     {.min = 10, .max = 3'600'000, .zero = true},
     "how long an Active node of lower priority is left alone before it is preempted",
     [](Target t) -> Slot { return &t.instance.preempt_delay; }},
    {"instance",
     "startup_delay",
     "0s or 10ms..1h",
     "\"0s\"",
     false,
     {.min = 10, .max = 3'600'000, .zero = true},
     "the least time to listen after a start before taking over from nobody",
     [](Target t) -> Slot { return &t.instance.startup_delay; }},
    {"instance",
     "max_adopted_interval",
     "10ms..40.95s in steps of 10ms",
     "",
     false,
     {.min = 10, .max = 40'950, .step = 10},
     "the longest advert interval of another node that is believed; by default ten times advert_interval",
     [](Target t) -> Slot { return &t.instance.max_adopted_interval; }},
    {"instance",
     "ipv4_checksum",
     "\"auto\", \"rfc9568\" or \"pseudo-header\"",
     "\"auto\"",
     false,
     {},
     "which of the two forms the checksum of an IPv4 advert has",
     [](Target t) -> Slot { return &t.instance.ipv4_checksum; }},
    {"instance",
     "auth_legacy",
     "1 to 8 octets",
     "",
     false,
     {},
     "the password of VRRPv2, in clear text, for nodes that cannot do without",
     [](Target t) -> Slot { return &t.instance.auth_legacy; },
     true},
    {"instance",
     "peers",
     "a list of addresses or of {address = \"ADDRESS\", min_hop_limit = 1..255}",
     "",
     false,
     {},
     "the other nodes, each spoken to by unicast; without it adverts go to the multicast group",
     [](Target t) -> Slot { return &t.instance.peers; }},
    {"instance",
     "source",
     "an address of the interface",
     "",
     false,
     {},
     "the address that adverts leave from",
     [](Target t) -> Slot { return &t.instance.source; }},

    {"instance",
     "virtual_mac",
     "true or false",
     "false",
     false,
     {},
     "the addresses have the virtual router's MAC instead of the interface's",
     [](Target t) -> Slot { return &t.instance.virtual_mac; }},
    {"instance",
     "accept",
     "true or false",
     "true",
     false,
     {},
     "an Active node takes in packets to the addresses",
     [](Target t) -> Slot { return &t.instance.accept; }},

    {"instance",
     "hooks.active",
     "a program or its argument list",
     "",
     false,
     {},
     "is run when this node has become Active",
     [](Target t) -> Slot { return &t.instance.hooks.active; }},
    {"instance",
     "hooks.backup",
     "a program or its argument list",
     "",
     false,
     {},
     "is run when this node has become Backup",
     [](Target t) -> Slot { return &t.instance.hooks.backup; }},
    {"instance",
     "hooks.fault",
     "a program or its argument list",
     "",
     false,
     {},
     "is run when the instance cannot take part",
     [](Target t) -> Slot { return &t.instance.hooks.fault; }},
    {"instance",
     "hooks.stop",
     "a program or its argument list",
     "",
     false,
     {},
     "is run when the instance is stopped",
     [](Target t) -> Slot { return &t.instance.hooks.stop; }},
    {"instance",
     "hooks.any",
     "a program or its argument list",
     "",
     false,
     {},
     "is run at each of these, with INSTANCE NAME STATE PRIORITY appended",
     [](Target t) -> Slot { return &t.instance.hooks.any; }},
    {"instance",
     "hooks.timeout",
     "100ms..1h",
     "\"30s\"",
     false,
     {.min = 100, .max = 3'600'000},
     "how long a hook may run before it is ended",
     [](Target t) -> Slot { return &t.instance.hooks.timeout; }},

    {"instance",
     "announce.count",
     "1..100",
     "5",
     false,
     {.min = 1, .max = 100},
     "announcements of each address in a burst",
     [](Target t) -> Slot { return &t.instance.announce.count; }},
    {"instance",
     "announce.again_after",
     "0s (never) or 1ms..1h",
     "\"5s\"",
     false,
     {.min = 1, .max = 3'600'000, .zero = true},
     "when the burst is repeated once",
     [](Target t) -> Slot { return &t.instance.announce.again_after; }},
    {"instance",
     "announce.refresh",
     "0s (never) or 1s..24h",
     "\"60s\"",
     false,
     {.min = 1'000, .max = 86'400'000, .zero = true},
     "how often an Active node announces each address once more",
     [](Target t) -> Slot { return &t.instance.announce.refresh; }},

    {"sync_group",
     "instances",
     "a list of names of instances",
     "",
     true,
     {},
     "the instances that are all Active or none",
     [](Target t) -> Slot { return &t.group.instances; }},
    {"sync_group",
     "hooks.active",
     "a program or its argument list",
     "",
     false,
     {},
     "is run when this node has become Active in all instances of the group",
     [](Target t) -> Slot { return &t.group.hooks.active; }},
    {"sync_group",
     "hooks.backup",
     "a program or its argument list",
     "",
     false,
     {},
     "is run when this node has become Backup in them",
     [](Target t) -> Slot { return &t.group.hooks.backup; }},
    {"sync_group",
     "hooks.fault",
     "a program or its argument list",
     "",
     false,
     {},
     "is run when one of the instances cannot take part, and so none",
     [](Target t) -> Slot { return &t.group.hooks.fault; }},
    {"sync_group",
     "hooks.stop",
     "a program or its argument list",
     "",
     false,
     {},
     "is run when the group is stopped",
     [](Target t) -> Slot { return &t.group.hooks.stop; }},
    {"sync_group",
     "hooks.any",
     "a program or its argument list",
     "",
     false,
     {},
     "is run at each of these, with GROUP NAME STATE 0 appended",
     [](Target t) -> Slot { return &t.group.hooks.any; }},
    {"sync_group",
     "hooks.timeout",
     "100ms..1h",
     "\"30s\"",
     false,
     {.min = 100, .max = 3'600'000},
     "how long a hook may run before it is ended",
     [](Target t) -> Slot { return &t.group.hooks.timeout; }},
});

/// What docs and files of later versions hold. "" is the top level.
struct LaterKey {
  std::string_view table, name;
};

constexpr auto kLater = std::to_array<LaterKey>({
    {"", "check"},
    {"", "key"},
    {"instance", "checks"},
    {"instance", "routes"},
    {"instance", "rules"},
    {"instance", "auth"},
    {"instance", "hooks.before_active"},
    {"instance", "hooks.before_release"},
});

char folded(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
  return c == '-' ? '_' : c;
}

/// Optimal string alignment: insertions, deletions, replacements and swaps of neighbours. Case and "-" for "_" are
/// free.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const char x = folded(a[i - 1]), y = folded(b[j - 1]);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + (x == y ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && x == folded(b[j - 2]) && y == folded(a[i - 2]);
      if (swapped) cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[a.size()][b.size()];
}

}  // namespace

std::span<const KeySpec> schema() { return kSchema; }

const KeySpec* find_key(std::string_view table, std::string_view name) {
  for (const KeySpec& key : kSchema) {
    if (key.table == table && key.name == name) return &key;
  }
  return nullptr;
}

bool is_group(std::string_view table, std::string_view name) {
  return std::ranges::any_of(kSchema, [&](const KeySpec& key) {
    return key.table == table && key.name.starts_with(name) && key.name.substr(name.size()).starts_with('.');
  });
}

bool is_unsupported(std::string_view table, std::string_view name) {
  return std::ranges::any_of(kLater, [&](const LaterKey& key) { return key.table == table && key.name == name; });
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> words) {
  constexpr std::size_t kLongest = 64;
  if (word.size() > kLongest) return {};
  std::string_view best;
  std::size_t smallest = std::clamp<std::size_t>(word.size() / 3, 1, 3) + 1;
  for (const std::string_view candidate : words) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance >= smallest) continue;
    smallest = distance;
    best = candidate;
  }
  return best;
}

std::string_view nearest_key(std::string_view table, std::string_view word) {
  std::vector<std::string_view> names;
  for (const KeySpec& key : kSchema) {
    if (key.table != table) continue;
    names.push_back(key.name);
    names.push_back(key.name.substr(0, key.name.find('.')));  // "hook" is near to "hooks"
  }
  if (const std::string_view found = nearest(word, names); !found.empty()) return found;
  // "timeout" is near to "hooks.timeout", if one does not mind the group.
  const auto same_end = std::ranges::find_if(names, [&](std::string_view name) {
    return name.ends_with(word) && name.size() > word.size() && name[name.size() - word.size() - 1] == '.';
  });
  return same_end == names.end() ? std::string_view() : *same_end;
}

}  // namespace vipd
