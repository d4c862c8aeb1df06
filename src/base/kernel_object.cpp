#include "vipd/base/kernel_object.hpp"

namespace vipd {

std::string_view to_string(Scope scope) {
  switch (scope) {
    case Scope::global:
      return "global";
    case Scope::site:
      return "site";
    case Scope::link:
      return "link";
    case Scope::host:
      break;
  }
  return "host";
}

std::string_view to_string(RouteType type) {
  switch (type) {
    case RouteType::unicast:
      return "unicast";
    case RouteType::blackhole:
      return "blackhole";
    case RouteType::unreachable:
      return "unreachable";
    case RouteType::prohibit:
      break;
  }
  return "prohibit";
}

std::string_view to_string(PreferredLifetime lifetime) {
  return lifetime == PreferredLifetime::forever ? "forever" : "0s";
}

std::string to_string(const AddressObject& address) {
  return address.prefix.length == 0 ? address.prefix.address.to_string() : address.prefix.to_string();
}

std::string to_string(const RouteObject& route) {
  std::string text;
  if (route.type != RouteType::unicast) text += std::string(to_string(route.type)) + ' ';
  text += route.to.length == 0 ? "default" : route.to.to_string();
  if (route.via) text += " via " + route.via->to_string();
  if (!route.interface.empty()) text += " dev " + route.interface;
  if (route.source) text += " src " + route.source->to_string();
  if (route.table != RouteObject().table) text += " table " + std::to_string(route.table);
  if (route.metric != 0) text += " metric " + std::to_string(route.metric);
  return text;
}

std::string to_string(const RuleObject& rule) {
  std::string text;
  if (rule.from) text += "from " + rule.from->to_string() + " ";
  if (rule.to) text += "to " + rule.to->to_string() + " ";
  if (!rule.interface.empty()) text += "iif " + rule.interface + " ";
  return text + "lookup " + std::to_string(rule.table) + " priority " + std::to_string(rule.priority);
}

std::string describe(const KernelObject& object) {
  if (const auto* address = std::get_if<AddressObject>(&object))
    return to_string(*address) + " on " + address->interface;
  if (const auto* route = std::get_if<RouteObject>(&object)) return "route " + to_string(*route);
  return "rule " + to_string(std::get<RuleObject>(object));
}

RouteObject as_told(RouteObject route) {
  constexpr std::uint32_t kIpv6Metric = 1024;  // IP6_RT_PRIO_USER
  route.interface.clear();
  if (route.to.address.family() == Family::ipv6 && route.metric == 0) route.metric = kIpv6Metric;
  if (route.type != RouteType::unicast) {
    route.ifindex = 0;
    route.via.reset();
  }
  return route;
}

}  // namespace vipd
