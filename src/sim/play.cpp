#include "vipd/sim/play.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vipd::sim {
namespace {

constexpr Duration kForever = 2 * kLongestScenario;  // longer than any scenario

std::vector<std::string> names_of(const Transcript& transcript) {
  std::vector<std::string> names;
  for (const ScenarioNode& node : transcript.nodes) names.push_back(node.name);
  return names;
}

/// The addresses that vipd adds to interfaces, each with the longest advert interval of its instances.
std::map<IpAddress, Duration> intervals_of(const Transcript& transcript) {
  std::map<IpAddress, Duration> intervals;
  for (const ScenarioNode& node : transcript.nodes)
    for (const InstanceConfig& instance : node.ever)
      for (const VirtualAddress& address : instance.addresses) {
        if (!address.assigned) continue;
        Duration& longest = intervals[address.prefix.address];
        longest = std::max(longest, instance.advert_interval);
      }
  return intervals;
}

std::vector<IpAddress> addresses_of(const Transcript& transcript) {
  std::vector<IpAddress> addresses;
  for (const auto& [address, interval] : intervals_of(transcript)) addresses.push_back(address);
  return addresses;
}

bool is_check(const Command& command) { return command.label.starts_with("check "); }

struct Due {
  Duration at;
  const Happening* happening;
};

/// All events with each repetition, by time; events of one time are in the order of the text.
std::vector<Due> all_due(const Transcript& transcript) {
  std::vector<Due> all;
  for (const Happening& each : transcript.happenings)
    for (Duration at = each.at; at <= each.last; at += each.period) {
      all.push_back({at, &each});
      if (each.period == Duration::zero()) break;
    }
  std::ranges::sort(all, {}, [](const Due& due) { return std::pair(due.at, due.happening); });
  return all;
}

}  // namespace

Stage::Stage(const Transcript& transcript)
    : world_(transcript.seed),
      parts_(transcript.nodes.size()),
      timeline_(world_, names_of(transcript), addresses_of(transcript)),
      promises_(world_, names_of(transcript), intervals_of(transcript), transcript.may_overlap, transcript.may_split) {
  world_.keeps_records = false;
  for (const ScenarioNode& node : transcript.nodes) {
    Config with_all_interfaces = node.config;
    with_all_interfaces.instances = node.ever;
    world_.add_node(with_all_interfaces).config = node.config;
  }
  world_.on_start = [this](Node& node) { attend(node); };
  world_.on_leave = [this](Node& node) { timeline_.left(node.index); };
  world_.on_advert = [this](const SentAdvert& advert, std::size_t lan, std::span<const std::uint8_t> message) {
    timeline_.advert_sent(advert, lan, message);
  };
  if (transcript.shows_announcements)
    world_.on_announced = [this](std::size_t node, std::span<const std::uint8_t> frame) {
      timeline_.announced(node, frame);
    };
  world_.on_lost = [this](std::size_t from, std::size_t to, const std::string& lan) { promises_.lost(from, to, lan); };
  world_.after_each = [this] { watch(); };
}

void Stage::watch() {
  promises_.look();
  timeline_.look();
}

/// Sets the callbacks of a vipd that begins.
void Stage::attend(Node& node) {
  const std::size_t index = node.index;
  timeline_.forget(index);
  promises_.forget(index);
  node.runner->fate = [this, index](const Command& command) { return fate(index, command); };
  node.runner->on_start = [this, index](const Command& command) {
    if (is_check(command)) return;
    timeline_.hook_called(index, command);
    promises_.hook_called(index, command, fate(index, command).took);
  };
}

Outcome Stage::fate(std::size_t node, const Command& command) const {
  const Part& part = parts_[node];
  if (part.silent) return {.took = kForever};
  const auto found = part.programs.find(is_check(command) ? command.label : command.arguments.front());
  const Behaviour behaviour = found == part.programs.end() ? Behaviour{} : found->second;
  const bool limited = command.timeout > Duration::zero();
  if (behaviour.hangs || (limited && behaviour.takes > command.timeout))
    return {.timed_out = limited, .took = limited ? command.timeout : kForever};
  return {.exit_status = behaviour.fails ? 1 : 0, .took = behaviour.takes};
}

void Stage::start(std::size_t index, const std::shared_ptr<const Config>& files) {
  Node& one = node(index);
  if (files) one.config = *files;
  if (one.alive()) return;
  std::vector<InstanceConfig>& last = parts_[index].ran_last;
  const bool other = !last.empty() && last != one.config.instances;
  const std::vector<InstanceConfig> before = other ? last : std::vector<InstanceConfig>();
  one.start(before);
  last = one.config.instances;
}

void Stage::crash(std::size_t index) {
  node(index).kill();
  timeline_.forget(index);
}

void Stage::power_off(std::size_t index) {
  node(index).power_off();
  timeline_.forget(index);
}

void Stage::reexec(std::size_t index) {
  if (!node(index).alive() || node(index).asleep()) return;
  node(index).supervisor->hand_over(world_.now);
  crash(index);
  start(index);
}

void Stage::reload(std::size_t index, const Config& files) {
  Node& one = node(index);
  one.config = files;
  if (!one.alive() || one.asleep()) return;
  one.apply(files);
  parts_[index].ran_last = files.instances;
}

void Stage::remove_link(std::size_t index, const std::string& name) {
  SimKernel& kernel = node(index).kernel;
  Interface* interface = kernel.real(name);
  if (interface == nullptr) return;
  std::erase_if(interface->addresses, [](const auto& each) { return each.second.tag == kKernelTag; });
  const Interface kept = *interface;
  parts_[index].removed[name] = kept;
  kernel.erase_links([&kept](const Interface& each) {
    return each.index == kept.index || (each.macvlan && each.parent == kept.index);
  });
  std::erase_if(kernel.real_routes_, [&](const RouteObject& route) { return route.ifindex == kept.index; });
  kernel.changed();
}

void Stage::bring_link_back(std::size_t index, const std::string& name) {
  SimKernel& kernel = node(index).kernel;
  const auto kept = parts_[index].removed.extract(name);
  if (kept.empty()) return;
  Interface interface = kept.mapped();
  interface.index += 50;  // the kernel never uses an index twice
  kernel.real_[interface.index] = interface;
  kernel.changed();
}

void Stage::behave(std::size_t index, const std::string& program, const Behaviour& behaviour) {
  parts_[index].programs[program] = behaviour;
}

void Stage::run(const Transcript& transcript) {
  std::string who;
  for (const auto& each : world_.nodes)
    who += fmt::format("; {} is {}", transcript.nodes[each->index].name,
                       own_address(0, each->index, each->config.instances.front().family()).to_string());
  timeline_.say(fmt::format("seed {}{}", transcript.seed, who));
  const auto all = all_due(transcript);
  const TimePoint begin = world_.now;
  bool started = false;
  const auto start_all = [&] {
    if (std::exchange(started, true)) return;
    for (const ScenarioNode& each : transcript.nodes)
      if (!each.off) start(static_cast<std::size_t>(&each - transcript.nodes.data()));
  };
  for (const Due& due : all) {
    if (due.at > Duration::zero()) start_all();
    world_.run_for(begin + due.at - world_.now);
    timeline_.say(due.happening->words);
    due.happening->deed(*this);
    watch();
  }
  start_all();
  world_.run_for(begin + transcript.length - world_.now);
  timeline_.end();
}

Played play(const Transcript& transcript) {
  Stage stage(transcript);
  stage.run(transcript);
  Played played{.timeline = stage.timeline().text(), .broken = stage.promises().broken()};
  if (transcript.has_no_gap && stage.timeline().longest_gap() > Duration::zero())
    played.broken.push_back(
        fmt::format("an address was with nobody for {}", format_measured(stage.timeline().longest_gap())));
  return played;
}

}  // namespace vipd::sim
