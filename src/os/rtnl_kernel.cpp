#include "vipd/os/rtnl_kernel.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/filter.h>
#include <linux/rtnetlink.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <utility>

#include "vipd/base/assert.hpp"
#include "vipd/os/link_messages.hpp"
#include "vipd/os/log.hpp"
#include "vipd/os/netlink.hpp"
#include "vipd/os/network_messages.hpp"
#include "vipd/os/object_messages.hpp"

namespace vipd {
namespace {

/// The most changes of one batch: their acknowledgements fit any receive buffer.
constexpr std::size_t kBatch = 64;
constexpr int kNotificationBuffer = 8 << 20;
constexpr auto kResyncGap = std::chrono::milliseconds(100);

Result<Fd> open_socket(unsigned groups) {
  Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  if (!fd) return system_failure("cannot open a netlink socket", errno);
  sockaddr_nl local{};
  local.nl_family = AF_NETLINK;
  local.nl_groups = groups;
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&local), sizeof local) < 0)
    return system_failure("cannot bind a netlink socket", errno);
  const int on = 1;
  ::setsockopt(fd.get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  ::setsockopt(fd.get(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kNotificationBuffer, sizeof kNotificationBuffer) < 0)
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &kNotificationBuffer, sizeof kNotificationBuffer);
  return fd;
}

/// The routing table of a router may change a lot. The filter passes only routes with vipd's tag, and routes that
/// replace another one, which may have been vipd's. The kernel writes fields in host order and the filter reads
/// big-endian.
Result<void> filter_routes(int fd) {
  constexpr std::uint32_t kTypeOffset = offsetof(nlmsghdr, nlmsg_type), kFlagsOffset = offsetof(nlmsghdr, nlmsg_flags),
                          kProtocolOffset = sizeof(nlmsghdr) + offsetof(rtmsg, rtm_protocol);
  std::array<sock_filter, 9> program = {{
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, kTypeOffset),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWROUTE), 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELROUTE), 0, 4),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kProtocolOffset),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kKernelTag, 2, 0),
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, kFlagsOffset),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, htons(NLM_F_REPLACE), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, ~0u),
      BPF_STMT(BPF_RET | BPF_K, 0),
  }};
  const sock_fprog all{static_cast<unsigned short>(program.size()), program.data()};
  if (::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &all, sizeof all) == 0) return {};
  return system_failure("cannot filter netlink notifications", errno);
}

void add_names(std::vector<std::string>& names, const std::vector<std::string>& more) {
  for (const auto& name : more)
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
}

/// True if the object's interface does not exist. The kernel must not be asked then: RTA_OIF 0 means any interface.
bool lacks_interface(const KernelObject& object) {
  if (const auto* address = std::get_if<AddressObject>(&object)) return address->ifindex == 0;
  const auto* route = std::get_if<RouteObject>(&object);
  return route != nullptr && route->type == RouteType::unicast && route->ifindex == 0;
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
  std::unique_ptr<RtnlKernel> kernel(new RtnlKernel);
  auto requests = open_socket(0);
  if (!requests) return std::unexpected(requests.error());
  kernel->requests_ = std::move(*requests);
  auto view = kernel->read([&](NetworkView& into) { return kernel->dump_all(into); });
  if (!view) return std::unexpected(view.error());
  kernel->view_ = std::move(*view);
  return kernel;
}

Result<std::unique_ptr<RtnlKernel>> RtnlKernel::open(EventLoop& loop, NetworkChanged changed) {
  // The notification socket is opened before the dump, so that no change between the two is missed.
  auto notifications = open_socket(RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE |
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

Result<void> RtnlKernel::dump(int type, int family, NetworkView& into) {
  std::array<char, 256> buffer{};
  nlmsghdr* request = mnl_nlmsg_put_header(buffer.data());
  request->nlmsg_type = static_cast<std::uint16_t>(type);
  request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request->nlmsg_seq = ++sequence_;
  if (type == RTM_GETROUTE) {
    auto* wanted = static_cast<rtmsg*>(mnl_nlmsg_put_extra_header(request, sizeof(rtmsg)));
    wanted->rtm_family = static_cast<std::uint8_t>(family);
    wanted->rtm_protocol = kKernelTag;  // with NETLINK_GET_STRICT_CHK the kernel leaves out other routes
  } else if (type == RTM_GETADDR) {
    mnl_nlmsg_put_extra_header(request, sizeof(ifaddrmsg));
  } else {
    auto* any = static_cast<std::uint8_t*>(
        mnl_nlmsg_put_extra_header(request, type == RTM_GETLINK ? sizeof(ifinfomsg) : sizeof(fib_rule_hdr)));
    *any = static_cast<std::uint8_t>(family);
  }
  if (::send(requests_.get(), request, request->nlmsg_len, 0) < 0)
    return system_failure("cannot ask the kernel", errno);

  bool done = false, interrupted = false;
  int error = 0;
  while (!done) {
    const auto got = receive(requests_.get(), [&](const nlmsghdr& message) {
      if (message.nlmsg_seq != sequence_) return;
      interrupted |= (message.nlmsg_flags & NLM_F_DUMP_INTR) != 0;
      if (message.nlmsg_type == NLMSG_DONE)
        done = true;
      else if (message.nlmsg_type == NLMSG_ERROR) {
        done = true;
        error = error_in(message);
      } else {
        apply(message, into);
      }
    });
    if (got != Received::messages) return failure("the kernel aborted a netlink dump");
  }
  if (error != 0) return system_failure("the kernel refused a netlink dump", error);
  if (interrupted) return failure("links or addresses changed during a netlink dump");
  return {};
}

/// Reads the view; a dump that a change interrupted is read again.
Result<NetworkView> RtnlKernel::read(const std::function<Result<void>(NetworkView&)>& dumps) {
  constexpr int kTries = 5;
  Error last;
  for (int i = 0; i < kTries; ++i) {
    NetworkView view;
    const auto result = dumps(view);
    if (result) return view;
    last = result.error();
  }
  return std::unexpected(last);
}

Result<void> RtnlKernel::dump_all(NetworkView& into) {
  auto result = dump(RTM_GETLINK, AF_UNSPEC, into);
  if (result) result = dump(RTM_GETADDR, AF_UNSPEC, into);
  if (result) result = dump_routes(into);
  if (result) result = dump_rules(into);
  return result;
}

Result<void> RtnlKernel::dump_rules(NetworkView& into) {
  auto result = dump(RTM_GETRULE, AF_INET, into);
  return result ? dump(RTM_GETRULE, AF_INET6, into) : result;
}

Result<void> RtnlKernel::dump_routes(NetworkView& into) {
  auto result = dump(RTM_GETROUTE, AF_INET, into);
  return result ? dump(RTM_GETROUTE, AF_INET6, into) : result;
}

/// Reads vipd's IPv4 routes anew: the kernel does not report those that go with their interface or source address.
void RtnlKernel::reread_routes(std::vector<std::string>& changed) {
  NetworkView fresh;
  if (view_.routes.empty() || !dump_routes(fresh) || fresh.routes == view_.routes) return;
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
  auto view = read([this](NetworkView& into) { return dump_all(into); });
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

/// Reads the kernel's objects of the same kinds, and all addresses on the same interfaces.
Result<void> RtnlKernel::dump_like(std::span<const KernelObject> objects, NetworkView& into) {
  bool routes = false, rules = false;
  for (const auto& object : objects) {
    routes |= std::holds_alternative<RouteObject>(object);
    rules |= std::holds_alternative<RuleObject>(object);
    if (const auto* address = std::get_if<AddressObject>(&object)) into.by_index[address->ifindex] = {};
  }
  Result<void> result;
  if (!into.by_index.empty()) result = dump(RTM_GETADDR, AF_UNSPEC, into);
  if (result && routes) result = dump_routes(into);
  if (result && rules) result = dump_rules(into);
  return result;
}

/// After refused removals: an object that the kernel does not list is gone. If the list cannot be read, the errors stay
/// and the caller tries again.
void RtnlKernel::judge_by_list(std::span<const KernelObject> objects, std::vector<int>& results) {
  const auto listed = read([&](NetworkView& into) { return dump_like(objects, into); });
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
  for (std::size_t begin = 0; begin < objects.size(); begin += kBatch) {
    const std::size_t count = std::min(kBatch, objects.size() - begin);
    const int error = change_some(objects.subspan(begin, count), adding, std::span(results).subspan(begin, count));
    if (error == 0) continue;
    std::fill(results.begin() + static_cast<std::ptrdiff_t>(begin), results.end(), error);
    break;
  }
  return results;
}

/// The kernel works through a batch in order and answers each failure. It acknowledges the last message, and receive()
/// reports lost answers. Returns the errno of the send itself.
int RtnlKernel::change_some(std::span<const KernelObject> objects, bool adding, std::span<int> results) {
  const std::vector<int> switched = adding ? std::vector<int>() : interfaces_to_switch(objects);
  constexpr std::size_t kEach = kObjectMessageSize + 2 * kPromotionSize;
  alignas(nlmsghdr) std::array<char, kBatch * kEach> buffer{};  // zeroed, so that no other memory is sent
  const unsigned first = sequence_ + 1;
  sequence_ += static_cast<unsigned>(objects.size());
  std::size_t size = 0;
  const auto promote = [&](bool on) {
    for (const int ifindex : switched) size += put_promotion(buffer.data() + size, ifindex, on, ++sequence_);
  };
  promote(true);
  nlmsghdr* last = nullptr;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    results[i] = lacks_interface(objects[i]) ? ENODEV : 0;
    if (results[i] != 0) continue;
    last = reinterpret_cast<nlmsghdr*>(buffer.data() + size);
    size += put_object(last, objects[i], adding, first + static_cast<unsigned>(i));
  }
  if (last == nullptr) return 0;
  last->nlmsg_flags |= NLM_F_ACK;
  promote(false);
  VIPD_ASSERT(size <= buffer.size());
  if (::send(requests_.get(), buffer.data(), size, 0) < 0) return errno;
  bool reached_last = false;
  const auto note = [&](const nlmsghdr& message) {
    const std::size_t at = message.nlmsg_seq - first;
    if (message.nlmsg_type != NLMSG_ERROR || message.nlmsg_seq < first || at >= objects.size()) return;
    results[at] = error_in(message);
    reached_last = reached_last || message.nlmsg_seq == last->nlmsg_seq;
  };
  while (receive(requests_.get(), note) == Received::messages) {
  }
  if (!reached_last) std::ranges::replace(results, 0, EIO);  // the outcome is unknown
  return 0;
}

bool RtnlKernel::forwards_ipv6(const std::string& interface) const {
  return setting("ipv6/conf/" + interface + "/forwarding") == 1;
}

/// Sends requests together, applies the answers to the view, and returns the first error.
int RtnlKernel::request(std::span<nlmsghdr* const> messages) {
  std::array<iovec, 2> pieces{};
  VIPD_ASSERT(messages.size() <= pieces.size());
  for (std::size_t i = 0; i < messages.size(); ++i) {
    messages[i]->nlmsg_seq = ++sequence_;
    pieces[i] = {messages[i], MNL_ALIGN(messages[i]->nlmsg_len)};
  }
  msghdr header{};
  header.msg_iov = pieces.data();
  header.msg_iovlen = messages.size();
  if (::sendmsg(requests_.get(), &header, 0) < 0) return errno;
  std::size_t answers = 0;
  int error = 0;
  const auto note = [&](const nlmsghdr& message) {
    if (message.nlmsg_type != NLMSG_ERROR) return static_cast<void>(apply(message, view_));
    ++answers;
    if (error == 0) error = error_in(message);
  };
  while (receive(requests_.get(), note) == Received::messages) {
  }
  return error == 0 && answers < messages.size() ? EIO : error;
}

/// Reads one link, so that the view includes the last change.
void RtnlKernel::read_link(int ifindex) {
  alignas(nlmsghdr) std::array<char, kLinkMessageSize> buffer{};
  if (request(std::array{put_link_query(buffer.data(), ifindex)}) == ENODEV) view_.by_index.erase(ifindex);
}

/// Reads one link by name, before its index is known.
void RtnlKernel::read_link(const std::string& name) {
  alignas(nlmsghdr) std::array<char, kLinkMessageSize> buffer{};
  if (request(std::array{put_link_query(buffer.data(), name)}) != ENODEV) return;
  std::erase_if(view_.by_index, [&](const auto& entry) { return entry.second.name == name; });
}

int RtnlKernel::add_macvlan(int parent, const std::string& name, const MacAddress& mac, const std::string& alias) {
  alignas(nlmsghdr) std::array<char, kLinkMessageSize> make{}, remark{};
  // One datagram makes the device and sets its alias. A vipd that is killed has thus done both or neither.
  const int error =
      request(std::array{put_macvlan(make.data(), parent, name, mac), put_link_alias(remark.data(), name, alias)});
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
  const int error = request(std::array{put_link_change(buffer.data(), ifindex, up, alias)});
  read_link(name_of(ifindex));
  return error;
}

int RtnlKernel::remove_link(int ifindex) {
  alignas(nlmsghdr) std::array<char, kLinkMessageSize> buffer{};
  const int error = request(std::array{put_link_removal(buffer.data(), ifindex)});
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
