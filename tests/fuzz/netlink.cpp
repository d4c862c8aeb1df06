// Any octets as a datagram of the kernel: the view stays usable. An object of a request, reported back by the kernel,
// is in the view, and gone after the request that removes it.
#include <linux/netlink.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#include "fuzz/bytes.hpp"
#include "vipd/base/assert.hpp"
#include "vipd/os/netlink.hpp"
#include "vipd/os/network_messages.hpp"
#include "vipd/os/object_messages.hpp"

using namespace vipd;
using fuzz::Bytes;

namespace {

NetworkView machine() {
  NetworkView view;
  view.by_index[2] = {.index = 2, .name = "eth0", .mac = {}};
  return view;
}

void tell(NetworkView& view, std::span<const char> datagram) {
  for_each_message(datagram, [&](const nlmsghdr& message) {
    apply(message, view);
    if (message.nlmsg_type == NLMSG_ERROR) error_in(message);
  });
}

void check(const IpPrefix& prefix) {
  VIPD_ASSERT(prefix.length <= 8 * address_size(prefix.address.family()));
  VIPD_ASSERT(prefix.contains(prefix.address));
}

void check(const NetworkView& view) {
  for (const auto& [index, interface] : view.by_index) {
    VIPD_ASSERT(interface.index == index && index > 0);
    for (const auto& [prefix, state] : interface.addresses) {
      check(prefix);
      VIPD_ASSERT(view.find(index, prefix.address) != nullptr);
    }
  }
  for (const RouteObject& route : view.routes) {
    check(route.to);
    VIPD_ASSERT(view.has_tagged(route) && !describe(route).empty());
  }
  for (const RuleObject& rule : view.rules) {
    if (rule.from) check(*rule.from);
    if (rule.to) check(*rule.to);
    VIPD_ASSERT(view.has_tagged(rule) && !describe(rule).empty());
  }
}

/// Reads a datagram in an aligned buffer of exactly its size, so reading behind the end is detected.
void check_datagram(std::span<const std::uint8_t> octets) {
  const std::unique_ptr<char[]> copy(new char[octets.size()]);
  std::memcpy(copy.get(), octets.data(), octets.size());
  NetworkView view = machine();
  tell(view, {copy.get(), octets.size()});
  check(view);
}

IpAddress address(Bytes& bytes, Family family) {
  std::array<std::uint8_t, 16> octets{};
  std::ranges::copy(bytes.take(address_size(family)), octets.begin());
  return {family, std::span(octets).first(address_size(family))};
}

IpPrefix prefix(Bytes& bytes, Family family) {
  const auto length = static_cast<std::uint8_t>(1 + bytes.octet() % (8 * address_size(family)));
  return {address(bytes, family), length};
}

KernelObject object(Bytes& bytes) {
  const unsigned choice = bytes.octet();
  const Family family = (choice & 1) != 0 ? Family::ipv6 : Family::ipv4;
  const bool first = (choice & 2) != 0, second = (choice & 4) != 0, third = (choice & 8) != 0;
  if ((choice >> 6) == 0) {
    RuleObject rule{.interface = first ? "eth0" : "", .table = bytes.word(), .priority = bytes.word()};
    if (second) rule.to = prefix(bytes, family);
    if (third || !second) rule.from = prefix(bytes, family);
    return rule;
  }
  if ((choice >> 6) == 1) {
    static constexpr RouteType kTypes[] = {RouteType::unicast, RouteType::blackhole, RouteType::unreachable,
                                           RouteType::prohibit};
    RouteObject route{.interface = "eth0", .ifindex = 2, .table = bytes.word(), .metric = bytes.word()};
    route.type = kTypes[(choice >> 4) & 3];
    if (first) route.via = address(bytes, family);
    if (second) route.source = address(bytes, family);
    route.to = prefix(bytes, family);
    return route;
  }
  AddressObject wanted{.interface = "eth0", .ifindex = 2, .nodad = first, .prefix_route = second};
  if (third) wanted.peer = address(bytes, family);
  if ((choice & 16) != 0) wanted.label = "eth0:vipd-label";
  if ((choice & 32) != 0) wanted.preferred_lifetime = PreferredLifetime::zero;
  wanted.prefix = prefix(bytes, family);
  return wanted;
}

/// Checks a request as the kernel reports it: with the same attributes.
void check_request(const KernelObject& object) {
  alignas(nlmsghdr) std::array<char, kObjectMessageSize> buffer;
  NetworkView view = machine();
  tell(view, std::span(buffer).first(put_object(buffer.data(), object, true, 1)));
  VIPD_ASSERT(view.has(object) && view.has_tagged(object));
  tell(view, std::span(buffer).first(put_object(buffer.data(), object, false, 2)));
  VIPD_ASSERT(!view.has(object));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes bytes(data, size);
  if (bytes.octet() != 0)
    check_datagram(bytes.rest());
  else
    check_request(object(bytes));
  return 0;
}
