#include "vipd/os/rtnl_kernel.hpp"

#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <utility>

#include "vipd/os/link_messages.hpp"
#include "vipd/os/log.hpp"
#include "vipd/os/netlink.hpp"
#include "vipd/os/network_messages.hpp"

namespace vipd {
namespace {

constexpr auto kResyncGap = std::chrono::milliseconds(100);

void add_names(std::vector<std::string>& names, const std::vector<std::string>& more) {
  for (const auto& name : more)
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
}

/// True if the list has the object. An address with another prefix length and vipd's tag counts, too.
bool lists(const NetworkView& listed, const KernelObject& object) {
  if (listed.has_tagged(object)) return true;
  const auto* address = std::get_if<AddressObject>(&object);
  const Interface* interface = address != nullptr ? listed.find(address->ifindex) : nullptr;
  return interface != nullptr && interface->addresses.contains(address->prefix);
}

}  // namespace

Result<std::unique_ptr<RtnlKernel>> RtnlKernel::open_once() {
  auto requests = RtnlRequests::open();
  if (!requests) return std::unexpected(requests.error());
  auto view = requests->read_all();
  if (!view) return std::unexpected(view.error());
  return std::unique_ptr<RtnlKernel>(new RtnlKernel(std::move(*requests), std::move(*view)));
}

Result<std::unique_ptr<RtnlKernel>> RtnlKernel::open(EventLoop& loop, NetworkChanged changed) {
  // The notification socket is opened before the dump, so that no change between the two is missed.
  auto notifications = open_rtnl_socket(RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE |
                                        RTMGRP_IPV6_ROUTE | RTMGRP_IPV4_RULE | 1u << (RTNLGRP_IPV6_RULE - 1));
  if (!notifications) return std::unexpected(notifications.error());
  if (const auto filtered = filter_routes(notifications->get()); !filtered) return std::unexpected(filtered.error());
  auto kernel = open_once();
  if (!kernel) return kernel;
  RtnlKernel& self = **kernel;
  self.notifications_ = std::move(*notifications);
  self.changed_ = std::move(changed);
  self.loop_ = &loop;
  if (const auto watching = self.start_watching(); !watching) return std::unexpected(watching.error());
  return kernel;
}

Result<void> RtnlKernel::start_watching() {
  auto watch = loop_->watch(notifications_.get(), EPOLLIN, Urgency::network, [this] { drain(); });
  if (!watch) return std::unexpected(watch.error());
  watch_ = std::move(*watch);
  return {};
}

/// Reads vipd's IPv4 routes anew: the kernel does not report those that go with their interface or source address.
void RtnlKernel::reread_routes(std::vector<std::string>& changed) {
  NetworkView fresh;
  if (view_.routes.empty() || !requests_.dump_routes(fresh) || fresh.routes == view_.routes) return;
  view_.routes = std::move(fresh.routes);
  add_names(changed, {""});
}

void RtnlKernel::drain() {
  constexpr int kDatagramsPerTurn = 4096;  // then adverts have their turn
  std::vector<std::string> changed;
  for (int i = 0; i < kDatagramsPerTurn; ++i) {
    const auto got =
        receive(notifications_.get(), [&](const nlmsghdr& message) { add_names(changed, apply(message, view_)); });
    if (got == Received::nothing && !stale_) {
      promoted_.clear();
      break;
    }
    if (got != Received::messages) {
      resync(changed);
      break;
    }
  }
  // The kernel does not report an alias that is set while the link is down, so the view may have an older one.
  for (const auto& name : changed)
    if (const Interface* interface = view_.find(name); interface != nullptr && interface->macvlan) read_link(name);
  if (!changed.empty()) reread_routes(changed);
  if (!changed.empty()) changed_(changed);
}

void RtnlKernel::resync(std::vector<std::string>& changed) {
  const bool anew = !std::exchange(stale_, true);
  if (anew) log_warning("netlink notifications were lost; reading everything anew");
  auto view = requests_.read_all();
  if (!view) {
    if (anew) log_error("{}; vipd tries again until the dump succeeds", view.error().message);
    return resync_later();
  }
  stale_ = false;
  promoted_.clear();
  add_names(changed, {""});
  for (const auto& [index, interface] : view_.by_index) add_names(changed, {interface.name});
  for (const auto& [index, interface] : view->by_index) add_names(changed, {interface.name});
  view_ = std::move(*view);
}

/// Reads anew after a pause, because an immediate retry could take all time.
void RtnlKernel::resync_later() {
  auto retry = loop_->after(kResyncGap, [this] {
    if (start_watching())
      drain();
    else
      resync_later();
  });
  if (!retry) return;
  retry_ = std::move(*retry);
  watch_ = {};
}

std::vector<int> RtnlKernel::add(std::span<const KernelObject> objects) { return change(objects, true); }

std::vector<int> RtnlKernel::remove(std::span<const KernelObject> objects) {
  auto results = change(objects, false);
  if (std::ranges::any_of(results, [](int error) { return error != 0; })) judge_by_list(objects, results);
  return results;
}

/// After refused removals: an object that the kernel does not list is gone. If the list cannot be read, the errors stay
/// and the caller tries again.
void RtnlKernel::judge_by_list(std::span<const KernelObject> objects, std::vector<int>& results) {
  const auto listed = requests_.read_like(objects);
  if (!listed) return log(LogLevel::debug, "{}; vipd tries the failed removals again", listed.error().message);
  for (std::size_t i = 0; i < objects.size(); ++i)
    if (results[i] != 0 && !lists(*listed, objects[i])) results[i] = 0;
}

bool RtnlKernel::is_known_secondary(const AddressObject& address) const {
  const Interface* interface = view_.find(address.ifindex);
  if (interface == nullptr || promoted_.contains(address.ifindex)) return false;
  const auto known = interface->addresses.find(address.prefix);
  return known != interface->addresses.end() && known->second.secondary;
}

/// The interfaces on which the kernel would remove other addresses together with one of these.
std::vector<int> RtnlKernel::interfaces_to_switch(std::span<const KernelObject> objects) {
  std::set<int> found;
  for (const auto& object : objects)
    if (const auto* address = std::get_if<AddressObject>(&object))
      if (address->prefix.address.family() == Family::ipv4 && !is_known_secondary(*address))
        found.insert(address->ifindex);
  promoted_.insert(found.begin(), found.end());
  if (found.empty() || setting("ipv4/conf/all/promote_secondaries").value_or(0) != 0) return {};
  std::vector<int> off;
  for (const int ifindex : found) {
    read_link(ifindex);  // the kernel reports no change of this setting
    const Interface* interface = view_.find(ifindex);
    if (interface != nullptr && !interface->promotes) off.push_back(ifindex);
  }
  return off;
}

std::vector<int> RtnlKernel::change(std::span<const KernelObject> objects, bool adding) {
  std::vector<int> results(objects.size(), EIO);
  for (std::size_t begin = 0; begin < objects.size(); begin += RtnlRequests::kMost) {
    const auto some = objects.subspan(begin, std::min(RtnlRequests::kMost, objects.size() - begin));
    const std::vector<int> promoting = adding ? std::vector<int>() : interfaces_to_switch(some);
    const int error = requests_.change(some, adding, promoting, std::span(results).subspan(begin, some.size()));
    if (error == 0) continue;
    std::fill(results.begin() + static_cast<std::ptrdiff_t>(begin), results.end(), error);
    break;
  }
  return results;
}

bool RtnlKernel::forwards_ipv6(const std::string& interface) const {
  return setting("ipv6/conf/" + interface + "/forwarding") == 1;
}

/// Reads one link, so that the view includes the last change.
void RtnlKernel::read_link(int ifindex) {
  alignas(nlmsghdr) std::array<char, kLinkMessageSize> buffer{};
  if (requests_.send(std::array{put_link_query(buffer.data(), ifindex)}, view_) == ENODEV)
    view_.by_index.erase(ifindex);
}

/// Reads one link by name, before its index is known.
void RtnlKernel::read_link(const std::string& name) {
  alignas(nlmsghdr) std::array<char, kLinkMessageSize> buffer{};
  if (requests_.send(std::array{put_link_query(buffer.data(), name)}, view_) != ENODEV) return;
  std::erase_if(view_.by_index, [&](const auto& entry) { return entry.second.name == name; });
}

int RtnlKernel::add_macvlan(int parent, const std::string& name, const MacAddress& mac, const std::string& alias) {
  alignas(nlmsghdr) std::array<char, kLinkMessageSize> make{}, remark{};
  // One datagram makes the device and sets its alias. A vipd that is killed has thus done both or neither.
  const int error = requests_.send(
      std::array{put_macvlan(make.data(), parent, name, mac), put_link_alias(remark.data(), name, alias)}, view_);
  read_link(name);
  // Without its alias the device would never be removed. EEXIST: another device has the name.
  const Interface* made = error != 0 && error != EEXIST ? view_.find(name) : nullptr;
  if (made != nullptr && made->macvlan && made->mac == mac) remove_link(made->index);
  return error;
}

std::string RtnlKernel::name_of(int ifindex) const {
  const Interface* interface = view_.find(ifindex);
  return interface != nullptr ? interface->name : "";
}

int RtnlKernel::set_link(int ifindex, bool up, const std::string& alias) {
  alignas(nlmsghdr) std::array<char, kLinkMessageSize> buffer{};
  const int error = requests_.send(std::array{put_link_change(buffer.data(), ifindex, up, alias)}, view_);
  read_link(name_of(ifindex));
  return error;
}

int RtnlKernel::remove_link(int ifindex) {
  alignas(nlmsghdr) std::array<char, kLinkMessageSize> buffer{};
  const int error = requests_.send(std::array{put_link_removal(buffer.data(), ifindex)}, view_);
  read_link(name_of(ifindex));
  return error;
}

std::optional<int> RtnlKernel::setting(const std::string& name) const {
  std::ifstream file("/proc/sys/net/" + name);
  int value = 0;
  return file >> value ? std::optional(value) : std::nullopt;
}

int RtnlKernel::set_setting(const std::string& name, int value) {
  const Fd file(::open(("/proc/sys/net/" + name).c_str(), O_WRONLY | O_CLOEXEC));
  const std::string text = std::to_string(value);
  return file && ::write(file.get(), text.data(), text.size()) >= 0 ? 0 : errno;
}

}  // namespace vipd
