#include "vipd/sim/phrases.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "vipd/config/text.hpp"
#include "vipd/sim/play.hpp"
#include "vipd/vrrp/announcement.hpp"

namespace vipd::sim {
namespace {

/// The host that is none of the nodes. Its address ends in 9.
constexpr MacAddress kStrangerMac{{2, 0, 0, 0, 0, 0x63}};
constexpr const char* kStrangerHost = "9";

struct NamedError {
  std::string_view name;
  int number;
};
constexpr NamedError kErrors[] = {{"EPERM", EPERM},
                                  {"EIO", EIO},
                                  {"EBUSY", EBUSY},
                                  {"EINVAL", EINVAL},
                                  {"ENOBUFS", ENOBUFS},
                                  {"ENODEV", ENODEV},
                                  {"ENOMEM", ENOMEM},
                                  {"ENETDOWN", ENETDOWN},
                                  {"ENETUNREACH", ENETUNREACH},
                                  {"EHOSTUNREACH", EHOSTUNREACH},
                                  {"EADDRNOTAVAIL", EADDRNOTAVAIL}};

// --- The deeds of the phrases.

Node& subject(Stage& stage, const Spoken& spoken) { return stage.node(spoken.nodes.front()); }

/// Changes an interface, if it exists, and has the kernel report it.
void change_link(Node& node, const std::string& name, bool up, bool running) {
  Interface* interface = node.kernel.real(name);
  if (interface == nullptr) return;
  interface->up = up;
  interface->running = running;
  node.kernel.changed();
}

Deed set_link(const Spoken& spoken, bool up, bool running) {
  return [=](Stage& stage) { change_link(subject(stage, spoken), spoken.interface, up, running); };
}

using Refuses = bool (*)(const KernelObject&);
bool is_any(const KernelObject&) { return true; }
bool is_address(const KernelObject& object) { return std::holds_alternative<AddressObject>(object); }
bool is_route(const KernelObject& object) { return std::holds_alternative<RouteObject>(object); }

Deed refuse(const Spoken& spoken, Refuses what) {
  return [=](Stage& stage) {
    const auto is_there = [name = spoken.interface](const KernelObject& object) {
      const auto* address = std::get_if<AddressObject>(&object);
      return name.empty() || (address != nullptr && address->interface == name);
    };
    subject(stage, spoken).kernel.refuse = [what, is_there, error = spoken.error](const KernelObject& object) {
      return what(object) && is_there(object) ? error : 0;
    };
  };
}

constexpr int (*kNoError)(const KernelObject&) = [](const KernelObject&) { return 0; };

void agree(SimKernel& kernel) { kernel.refuse = kernel.keep = kernel.misreport = kNoError; }

/// Another program deletes an address, on whichever interface it is.
void delete_address(SimKernel& kernel, const IpAddress& address) {
  for (const auto& [index, interface] : kernel.real_)
    for (const auto& [prefix, state] : interface.addresses)
      if (prefix.address == address) return kernel.others_remove(std::string(interface.name), IpPrefix(prefix));
}

Deed behave(const Spoken& spoken, const Behaviour& behaviour, const char* prefix = "") {
  return [=](Stage& stage) { stage.behave(spoken.nodes.front(), prefix + spoken.name, behaviour); };
}

void connect(Stage& stage, const Spoken& spoken, bool connected, bool both_ways) {
  World& world = stage.world();
  for (std::size_t lan = 0; lan < kLans.size(); ++lan) {
    if (!spoken.interface.empty() && lan != lan_of(spoken.interface)) continue;
    world.connect_one_way(spoken.nodes[0], spoken.nodes[1], connected, lan);
    if (both_ways) world.connect_one_way(spoken.nodes[1], spoken.nodes[0], connected, lan);
  }
}

template <bool connected, bool both_ways>
Deed connecting(const Spoken& spoken) {
  return [=](Stage& stage) { connect(stage, spoken, connected, both_ways); };
}

Deed mend_all(const Spoken&) {
  return [](Stage& stage) {
    World& world = stage.world();
    for (std::size_t a = 0; a < world.nodes.size(); ++a)
      for (std::size_t b = 0; b < a; ++b) world.connect(a, b, true);
  };
}

/// A gratuitous ARP or an unsolicited neighbour advertisement of the stranger, to all nodes of the LAN.
Deed forge(const Spoken& spoken) {
  return [=](Stage& stage) {
    const IpAddress& address = spoken.prefix.address;
    const std::size_t lan = spoken.interface.empty() ? 0 : lan_of(spoken.interface);
    for (const auto& node : stage.world().nodes) {
      if (address.family() == Family::ipv4)
        stage.world().announce_to(node->index, lan, gratuitous_arp(kStrangerMac, address));
      else
        stage.world().announce_to(node->index, lan, unsolicited_na(kStrangerMac, address, false));
    }
  };
}

/// The addresses that some node's instance of this VRID advertises, in wire form.
std::vector<std::uint8_t> advertised_with(const World& world, std::uint8_t vrid) {
  std::vector<std::uint8_t> octets;
  for (const auto& node : world.nodes)
    for (const InstanceConfig& instance : node->config.instances) {
      if (instance.vrid != vrid || instance.family() != Family::ipv4 || !octets.empty()) continue;
      for (const VirtualAddress& each : instance.addresses)
        if (each.advertised && each.prefix.address.family() == Family::ipv4)
          octets.insert(octets.end(), each.prefix.address.octets().begin(), each.prefix.address.octets().end());
    }
  return octets;
}

Deed advertise(const Spoken& spoken, std::uint8_t version) {
  return [=](Stage& stage) {
    World& world = stage.world();
    const std::size_t lan = spoken.interface.empty() ? 0 : lan_of(spoken.interface);
    const IpAddress source = *IpAddress::parse(std::string(kLans[lan].network) + kStrangerHost);
    const auto addresses = advertised_with(world, spoken.numbers[0]);
    const Advert advert{.version = version,
                        .vrid = spoken.numbers[0],
                        .priority = spoken.numbers[1],
                        .interval = Centiseconds(100),
                        .addresses = {Family::ipv4, addresses}};
    Packet packet{.lan = lan, .source = source, .destination = vrrp_group(Family::ipv4), .octets = {}};
    std::vector<std::uint8_t> message(kMaxAdvertSize);
    message.resize(encode(advert, source, packet.destination, message));
    append_ipv4_header(packet.octets, source, packet.destination, message.size());
    packet.octets.insert(packet.octets.end(), message.begin(), message.end());
    for (const auto& node : world.nodes)
      world.send(packet, node->index, world.between(world.delay_low, world.delay_high));
  };
}

template <bool has>
Deed stranger_has(const Spoken& spoken) {
  return [=](Stage& stage) {
    for (const auto& node : stage.world().nodes) {
      if (has)
        node->kernel.held_elsewhere.insert(spoken.prefix.address);
      else
        node->kernel.held_elsewhere.erase(spoken.prefix.address);
    }
  };
}

// Short names, so each row of the table is one line.
using S = const Spoken&;
using W = Stage&;

constexpr Phrase kPhrases[] = {
    // vipd
    {"NODE start", [](S s) -> Deed { return [=](W w) { w.start(s.nodes[0], s.config); }; }, true},
    {"NODE stop", [](S s) -> Deed { return [=](W w) { subject(w, s).stop(); }; }},
    {"NODE crash", [](S s) -> Deed { return [=](W w) { w.crash(s.nodes[0]); }; }},
    {"NODE power off", [](S s) -> Deed { return [=](W w) { w.power_off(s.nodes[0]); }; }},
    {"NODE pause TIME", [](S s) -> Deed { return [=](W w) { subject(w, s).sleep(s.times[0]); }; }},
    {"NODE reexec", [](S s) -> Deed { return [=](W w) { w.reexec(s.nodes[0]); }; }},
    {"NODE reload",
     [](S s) -> Deed { return [=](W w) { w.reload(s.nodes[0], s.config ? *s.config : subject(w, s).config); }; }, true},
    // its interfaces and addresses
    {"NODE link IFACE down", [](S s) { return set_link(s, false, false); }},
    {"NODE link IFACE up", [](S s) { return set_link(s, true, true); }},
    {"NODE carrier IFACE lost", [](S s) { return set_link(s, true, false); }},
    {"NODE carrier IFACE back", [](S s) { return set_link(s, true, true); }},
    {"NODE interface IFACE removed", [](S s) -> Deed { return [=](W w) { w.remove_link(s.nodes[0], s.interface); }; }},
    {"NODE interface IFACE made again",
     [](S s) -> Deed { return [=](W w) { w.bring_link_back(s.nodes[0], s.interface); }; }},
    {"NODE address ADDRESS deleted",
     [](S s) -> Deed { return [=](W w) { delete_address(subject(w, s).kernel, s.prefix.address); }; }},
    {"NODE address PREFIX added on IFACE",
     [](S s) -> Deed { return [=](W w) { subject(w, s).kernel.others_add(s.interface, s.prefix); }; }},
    {"NODE membership dropped",
     [](S s) -> Deed {
       return [=](W w) {
         for (auto& [key, socket] : subject(w, s).wire.listening) socket.member = false;
       };
     }},
    // its kernel
    {"NODE kernel refuses everything ERROR", [](S s) { return refuse(s, is_any); }},
    {"NODE kernel refuses addresses ERROR", [](S s) { return refuse(s, is_address); }},
    {"NODE kernel refuses addresses on IFACE ERROR", [](S s) { return refuse(s, is_address); }},
    {"NODE kernel refuses routes ERROR", [](S s) { return refuse(s, is_route); }},
    {"NODE kernel refuses removals ERROR",
     [](S s) -> Deed {
       return [=](W w) { subject(w, s).kernel.keep = [error = s.error](const KernelObject&) { return error; }; };
     }},
    {"NODE kernel misreports ERROR",
     [](S s) -> Deed {
       return [=](W w) { subject(w, s).kernel.misreport = [error = s.error](const KernelObject&) { return error; }; };
     }},
    {"NODE kernel agrees", [](S s) -> Deed { return [=](W w) { agree(subject(w, s).kernel); }; }},
    {"NODE kernel speaks", [](S s) -> Deed { return [=](W w) { subject(w, s).kernel.changed(); }; }},
    {"NODE nf_tables missing", [](S s) -> Deed { return [=](W w) { subject(w, s).kernel.can_refuse = false; }; }},
    {"NODE nf_tables there", [](S s) -> Deed { return [=](W w) { subject(w, s).kernel.can_refuse = true; }; }},
    {"NODE setting NAME NUMBER",
     [](S s) -> Deed { return [=](W w) { subject(w, s).kernel.settings[s.name] = s.numbers[0]; }; }},
    {"NODE sending fails ERROR",
     [](S s) -> Deed { return [=](W w) { subject(w, s).wire.fault = [error = s.error] { return error; }; }; }},
    {"NODE sending works", [](S s) -> Deed { return [=](W w) { subject(w, s).wire.fault = [] { return 0; }; }; }},
    {"NODE joining takes TIME",
     [](S s) -> Deed { return [=](W w) { subject(w, s).wire.joining_takes = s.times[0]; }; }},
    // its programs
    {"NODE check NAME passes", [](S s) { return behave(s, {}, "check "); }},
    {"NODE check NAME fails", [](S s) { return behave(s, {.fails = true}, "check "); }},
    {"NODE check NAME hangs", [](S s) { return behave(s, {.hangs = true}, "check "); }},
    {"NODE hook PATH works", [](S s) { return behave(s, {}); }},
    {"NODE hook PATH fails", [](S s) { return behave(s, {.fails = true}); }},
    {"NODE hook PATH hangs", [](S s) { return behave(s, {.hangs = true}); }},
    {"NODE hook PATH takes TIME", [](S s) { return behave(s, {.takes = s.times[0]}); }},
    {"NODE runner silent", [](S s) -> Deed { return [=](W w) { w.silence_runner(s.nodes[0], true); }; }},
    {"NODE runner answers", [](S s) -> Deed { return [=](W w) { w.silence_runner(s.nodes[0], false); }; }},
    // the network
    {"cut NODE <-> NODE", connecting<false, true>},
    {"cut NODE <-> NODE on IFACE", connecting<false, true>},
    {"cut NODE -> NODE", connecting<false, false>},
    {"cut NODE -> NODE on IFACE", connecting<false, false>},
    {"mend NODE <-> NODE", connecting<true, true>},
    {"mend NODE <-> NODE on IFACE", connecting<true, true>},
    {"mend NODE -> NODE", connecting<true, false>},
    {"mend NODE -> NODE on IFACE", connecting<true, false>},
    {"mend all", mend_all},
    {"loss SHARE", [](S s) -> Deed { return [=](W w) { w.world().loss = s.share; }; }},
    {"delay TIME to TIME",
     [](S s) -> Deed {
       return [=](W w) {
         w.world().delay_low = std::min(s.times[0], s.times[1]);
         w.world().delay_high = std::max(s.times[0], s.times[1]);
       };
     }},
    // a host that is none of the nodes
    {"stranger announces ADDRESS", forge},
    {"stranger announces ADDRESS on IFACE", forge},
    {"stranger has ADDRESS", stranger_has<true>},
    {"stranger leaves ADDRESS", stranger_has<false>},
    {"stranger advert vrid NUMBER priority NUMBER", [](S s) { return advertise(s, 3); }},
    {"stranger advert vrid NUMBER priority NUMBER on IFACE", [](S s) { return advertise(s, 3); }},
    {"stranger advert version 2 vrid NUMBER priority NUMBER", [](S s) { return advertise(s, 2); }},
    // the operator looks
    {"show", [](S) -> Deed { return [](W w) { w.timeline().show(); }; }},
};

// --- Recognising phrases.

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

template <typename Number>
bool read_number(std::string_view word, Number& number) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  return error == std::errc() && end == word.data() + word.size() && !word.empty();
}

bool take_node(std::string_view word, std::span<const std::string> nodes, Spoken& spoken) {
  const auto found = std::ranges::find(nodes, word);
  if (found == nodes.end()) return false;
  const auto index = static_cast<std::size_t>(found - nodes.begin());
  if (std::ranges::find(spoken.nodes, index) != spoken.nodes.end()) return false;  // a node is not paired with itself
  spoken.nodes.push_back(index);
  return true;
}

bool take_prefix(std::string_view word, Spoken& spoken) {
  const std::size_t slash = word.find('/');
  const auto address = IpAddress::parse(word.substr(0, slash));
  std::uint8_t length = 0;
  if (!address || slash == std::string_view::npos || !read_number(word.substr(slash + 1), length)) return false;
  spoken.prefix = {*address, length};
  return length <= 8 * address_size(address->family());
}

bool take_address(std::string_view word, Spoken& spoken) {
  const auto address = IpAddress::parse(word);
  if (address) spoken.prefix = {*address, 0};
  return address.has_value();
}

bool take_share(std::string_view word, Spoken& spoken) {
  unsigned percent = 0;
  if (!word.ends_with('%') || !read_number(word.substr(0, word.size() - 1), percent) || percent > 100) return false;
  spoken.share = percent / 100.0;
  return true;
}

bool take_time(std::string_view word, Spoken& spoken) {
  const auto time = parse_scenario_time(word);
  if (time) spoken.times.push_back(*time);
  return time.has_value();
}

bool take_error(std::string_view word, Spoken& spoken) {
  const auto found = std::ranges::find(kErrors, word, &NamedError::name);
  if (found == std::end(kErrors)) return false;
  spoken.error = found->number;
  return true;
}

bool take_number(std::string_view word, Spoken& spoken) {
  std::uint8_t number = 0;
  if (!read_number(word, number)) return false;
  spoken.numbers.push_back(number);
  return true;
}

/// True if `word` fits the place of a form; its value is added to `spoken`.
bool fits(std::string_view place, std::string_view word, std::span<const std::string> nodes, Spoken& spoken) {
  if (place == "NODE") return take_node(word, nodes, spoken);
  if (place == "IFACE") return spoken.interface = word, lan_of(word) < kLans.size();
  if (place == "ADDRESS") return take_address(word, spoken);
  if (place == "PREFIX") return take_prefix(word, spoken);
  if (place == "NAME") return spoken.name = word, true;
  if (place == "PATH") return spoken.name = word, word.starts_with('/');
  if (place == "TIME") return take_time(word, spoken);
  if (place == "NUMBER") return take_number(word, spoken);
  if (place == "SHARE") return take_share(word, spoken);
  if (place == "ERROR") return take_error(word, spoken);
  return word == place;
}

/// The words that fit a place of a form, for a message.
std::string describe_place(std::string_view place, std::span<const std::string> nodes) {
  if (place == "NODE") return fmt::format("a node ({})", fmt::join(nodes, ", "));
  if (place == "IFACE") return "an interface (eth0, eth1, eth2)";
  if (place == "ADDRESS") return "an address (192.0.2.10)";
  if (place == "PREFIX") return "an address with its length (192.0.2.10/24)";
  if (place == "NAME") return "a name";
  if (place == "PATH") return "the path of a program";
  if (place == "TIME") return "a time (250ms, 10.3s)";
  if (place == "NUMBER") return "a number of 0 to 255";
  if (place == "SHARE") return "a share (30%)";
  if (place == "ERROR") return "an error of the kernel (EPERM, EBUSY, ENOBUFS, ...)";
  return place.empty() ? "the end of the line" : fmt::format("\"{}\"", place);
}

/// How many words fit a form from its beginning. The end of both counts as one more if the whole phrase fits.
std::size_t fitting(const Phrase& phrase, std::span<const std::string_view> words, std::span<const std::string> nodes,
                    Spoken& spoken) {
  const auto places = words_of(phrase.form);
  std::size_t count = 0;
  while (count < places.size() && count < words.size() && fits(places[count], words[count], nodes, spoken)) ++count;
  return count == places.size() && count == words.size() ? count + 1 : count;
}

/// The words that the best fitting forms allow at the first place that does not fit.
std::string wanted_behind(std::size_t furthest, std::span<const std::string_view> words,
                          std::span<const std::string> nodes) {
  std::vector<std::string> wanted;
  for (const Phrase& phrase : kPhrases) {
    Spoken ignored;
    if (fitting(phrase, words, nodes, ignored) != furthest) continue;
    const auto places = words_of(phrase.form);
    wanted.push_back(describe_place(furthest < places.size() ? places[furthest] : "", nodes));
    if (std::ranges::count(wanted, wanted.back()) > 1) wanted.pop_back();
  }
  return fmt::format("{}", fmt::join(wanted, ", "));
}

}  // namespace

std::span<const Phrase> phrases() { return kPhrases; }

Result<Understood> understand(std::string_view words, std::span<const std::string> nodes) {
  const auto said = words_of(words);
  std::size_t furthest = 0;
  for (const Phrase& phrase : kPhrases) {
    Understood understood{.phrase = &phrase, .spoken = {}};
    const std::size_t fit = fitting(phrase, said, nodes, understood.spoken);
    if (fit > said.size()) return understood;
    furthest = std::max(furthest, fit);
  }
  const std::string wanted = wanted_behind(furthest, said, nodes);
  const std::string behind =
      furthest == 0 ? ""
                    : fmt::format(" behind \"{}\"",
                                  fmt::join(said.begin(), said.begin() + static_cast<std::ptrdiff_t>(furthest), " "));
  if (furthest == said.size())
    return failure(fmt::format("something is missing{}: write {}", printable(behind), wanted));
  return failure(fmt::format("{} cannot stand{}: write {}", in_quotes(said[furthest]),
                             furthest == 0 ? " here" : printable(behind) + " here", wanted));
}

}  // namespace vipd::sim
