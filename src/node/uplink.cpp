#include "vipd/node/uplink.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace vipd {
namespace {

/// Can link-local addresses reach all that adverts are sent to? No peers: the group, which is on the link.
bool speaks_link_local(std::span<const UnicastPeer> peers) {
  return std::ranges::all_of(peers, [](const auto& peer) { return peer.address.is_link_local(); });
}

/// "route default via 203.0.113.9", for a sentence that names the interface elsewhere.
std::string without_interface(RouteObject route) {
  route.interface.clear();
  return "route " + to_string(route);
}

/// Of several links with one kind of trouble, the first is told.
void blame(Uplink::Findings& findings, FaultCause cause, std::string sentence) {
  if (std::ranges::find(findings.troubles, cause, &Uplink::Trouble::cause) != findings.troubles.end()) return;
  findings.troubles.push_back({cause, std::move(sentence)});
}

}  // namespace

Uplink::Uplink(const Kernel& kernel, SharedInstance config) : kernel_(kernel) { reconfigure(std::move(config)); }

void Uplink::reconfigure(SharedInstance config) {
  config_ = std::move(config);
  const std::vector<Link> before = std::exchange(links_, {});
  need(config_->interface, "", before);
  for (const VirtualAddress& address : config_->addresses)
    if (address.assigned && address.tracked) need(address.interface, " of " + to_string(address), before);
  for (const VirtualRoute& route : config_->routes)
    if (route.tracked) need(route.interface, " of " + without_interface(route), before);
}

void Uplink::need(const std::string& interface, const std::string& user, const std::vector<Link>& before) {
  if (interface.empty() || std::ranges::find(links_, interface, &Link::interface) != links_.end()) return;
  const auto known = std::ranges::find(before, interface, &Link::interface);
  links_.push_back(known != before.end() ? *known : Link{.interface = interface});
  links_.back().user = user;
}

Uplink::Findings Uplink::look(TimePoint now) {
  Findings findings;
  const int before = ifindex_;
  look_for_source(findings);  // first: a kind of interface that hears nothing is told rather than its link
  for (Link& link : links_) look_at(link, findings, now);
  findings.new_index = ifindex_ != before;
  return findings;
}

void Uplink::look_at(Link& link, Findings& findings, TimePoint now) const {
  const Interface* interface = kernel_.view().find(link.interface);
  const bool running = interface != nullptr && interface->running;
  hold(link, running, now);
  const std::string subject = "interface " + link.interface + link.user;
  if (interface == nullptr)
    blame(findings, FaultCause::interface_missing, subject + " " + kernel_.view().why_missing(link.interface));
  else if (!running)
    blame(findings, FaultCause::interface_down, subject + " is down");
  else if (link.was_down)
    blame(findings, FaultCause::interface_down,
          subject + " has not been up for " + format_duration(config_->link_hold) + " again");
}

void Uplink::hold(Link& link, bool running, TimePoint now) const {
  if (!running) {
    link.was_down = true;
    link.held = kNever;
  } else if (link.was_down) {
    if (link.held == kNever) link.held = now + config_->link_hold;
    link.was_down = now < link.held;
    if (!link.was_down) link.held = kNever;
  }
}

TimePoint Uplink::due() const {
  TimePoint due = kNever;
  for (const Link& link : links_) due = std::min(due, link.held);
  return due;
}

void Uplink::look_for_source(Findings& findings) {
  const Interface* interface = kernel_.view().find(config_->interface);
  if (interface == nullptr) return source_.reset();
  if (const std::string deaf = why_deaf(*interface); !deaf.empty())
    blame(findings, FaultCause::interface_down, "interface " + config_->interface + deaf);
  ifindex_ = interface->index;
  source_ = choose_source(*interface);
  if (!source_) blame(findings, FaultCause::no_source, why_no_source());
}

/// Why no advert can be heard there, whatever its link and addresses; empty if one can.
std::string Uplink::why_deaf(const Interface& interface) const {
  // The receive handlers of these take each packet away, see rx_handler in net/core/dev.c. A port of a VRF hears.
  constexpr std::array<std::string_view, 6> kTakers = {"bridge", "bond", "team", "openvswitch", "hsr", "batadv"};
  if (interface.loopback) return " is the loopback, where no other node can be heard";
  if (std::ranges::find(kTakers, interface.port_of) != kTakers.end())
    return " is a port of a " + interface.port_of + ", which takes all its packets: use the " + interface.port_of +
           "'s own interface";
  if (!interface.multicast && config_->peers.empty()) return " has no multicast: it needs \"peers\"";
  return "";
}

std::string Uplink::why_no_source() const {
  const std::string interface = "interface " + config_->interface;
  if (config_->source) return interface + " does not have " + config_->source->to_string() + ", the source of adverts";
  const char* kind = config_->family() == Family::ipv4   ? "IPv4 address of its own"
                     : speaks_link_local(config_->peers) ? "usable link-local address"
                                                         : "usable IPv6 address beyond the link-local one";
  return interface + " has no " + kind + " to send from";
}

/// RFC 9568 5.1.1.1: never a virtual address; 5.1.2.1: the link-local one, but for peers that it cannot reach.
bool Uplink::may_be_source(const IpAddress& address, const AddressState& state) const {
  if (address.family() != config_->family() || !state.usable || state.tag == kKernelTag) return false;
  if (config_->source) return address == *config_->source;
  if (address.family() == Family::ipv6 && address.is_link_local() != speaks_link_local(config_->peers)) return false;
  return !config_->is_virtual(address) || config_->priority == kOwnerPriority;
}

/// RFC 9568 5.1.1.1: the primary address. The address in use stays for as long as it can.
std::optional<IpAddress> Uplink::choose_source(const Interface& interface) const {
  std::optional<IpAddress> primary, secondary;
  for (const auto& [prefix, state] : interface.addresses) {
    const IpAddress& address = prefix.address;
    if (!may_be_source(address, state)) continue;
    if (address == source_) return address;
    auto& candidate = state.secondary ? secondary : primary;
    if (!candidate) candidate = address;
  }
  return primary ? primary : secondary;
}

/// RFC 9568 1.7: an owner has the addresses as its interface's own. One that has not may outrank the node that has.
std::optional<std::string> Uplink::why_no_owner() const {
  if (config_->priority != kOwnerPriority) return std::nullopt;
  for (const VirtualAddress& address : config_->addresses) {
    if (!address.assigned) continue;
    const std::string& name = address.interface.empty() ? config_->interface : address.interface;
    const Interface* interface = kernel_.view().find(name);
    const IpAddress& wanted = address.prefix.address;
    const bool has_it = interface != nullptr && std::ranges::any_of(interface->addresses, [&](const auto& each) {
                          return each.first.address == wanted && each.second.tag != kKernelTag;
                        });
    if (has_it) continue;
    return "priority 255 says that the addresses are this node's own, but " + wanted.to_string() +
           " is not configured on " + name + ": configure it there, or use priority = 254";
  }
  return std::nullopt;
}

const Interface* Uplink::ethernet() const {
  const Interface* interface = kernel_.view().find(ifindex_);
  return interface != nullptr && interface->ethernet ? interface : nullptr;
}

std::vector<Interface> Uplink::surroundings() const {
  std::vector<Interface> all;
  for (const Link& link : links_) {
    const Interface* interface = kernel_.view().find(link.interface);
    if (interface == nullptr) continue;
    all.emplace_back(*interface).promotes = false;  // a removal changes that for a moment
    std::erase_if(all.back().addresses, [&](const auto& each) {
      return each.second.tag == kKernelTag || config_->is_virtual(each.first.address);
    });
  }
  return all;
}

}  // namespace vipd
