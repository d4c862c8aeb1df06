/// RtnlKernel: the Kernel seam over rtnetlink(7), with libmnl.
///
/// There are two sockets: one asks and changes (RtnlRequests), the other only listens to notifications. The second
/// feeds the view. If it overruns (ENOBUFS) or a message is malformed, everything is read anew and compared. A lost
/// message thus costs time and never truth. Messages from other processes (nl_pid != 0) are dropped. Changes leave in
/// batches.
///
/// The view keeps only vipd's routes; the kernel filters dumps and notifications. The kernel removes some IPv4 routes
/// without a notification: together with an interface, or with the address that is their source. So while vipd holds
/// routes, they are read anew with every change.
///
/// A removal takes no addresses of others along. By default the kernel removes the secondary IPv4 addresses of a subnet
/// together with the primary one; promote_secondaries prevents that (net/ipv4/devinet.c). So the datagram that removes
/// a primary address first switches promote_secondaries on, if it was off, and switches it off at the end. All of that
/// is one system call, which no signal interrupts. After a refused removal the kernel's list decides whether an object
/// is gone, because too many errnos can mean "gone".
///
/// Not good yet: the kernel removes all IPv4 routes of an interface with its last IPv4 address. Kernels before 5.18
/// ignore IFA_PROTO, so leftovers of a crash are not recognised there.
#pragma once

#include <memory>
#include <set>
#include <utility>

#include "vipd/base/result.hpp"
#include "vipd/os/event_loop.hpp"
#include "vipd/os/fd.hpp"
#include "vipd/os/kernel.hpp"
#include "vipd/os/refused_addresses.hpp"
#include "vipd/os/rtnl_requests.hpp"

namespace vipd {

class RtnlKernel final : public Kernel {
 public:
  /// Opens both sockets and reads everything. The loop calls `changed` later, never from within open().
  static Result<std::unique_ptr<RtnlKernel>> open(EventLoop& loop, NetworkChanged changed);
  /// Opens a kernel without an event loop: the view is read once and stays as it is. For `vipd --last-will`.
  static Result<std::unique_ptr<RtnlKernel>> open_once();

  const NetworkView& view() const override { return view_; }
  std::vector<int> add(std::span<const KernelObject> objects) override;
  std::vector<int> remove(std::span<const KernelObject> objects) override;
  bool forwards_ipv6(const std::string& interface) const override;
  int add_macvlan(int parent, const std::string& name, const MacAddress& mac, const std::string& alias) override;
  int set_link(int ifindex, bool up, const std::string& alias) override;
  int remove_link(int ifindex) override;
  std::optional<int> setting(const std::string& name) const override;
  int set_setting(const std::string& name, int value) override;
  Result<void> refuse_packets(std::span<const IpAddress> addresses) override { return refused_.add(addresses); }
  Result<void> accept_packets(std::span<const IpAddress> addresses) override { return refused_.remove(addresses); }

 private:
  RtnlKernel(RtnlRequests requests, NetworkView view) : requests_(std::move(requests)), view_(std::move(view)) {}

  void reread_routes(std::vector<std::string>& changed);
  void judge_by_list(std::span<const KernelObject> objects, std::vector<int>& results);
  bool is_known_secondary(const AddressObject& address) const;
  std::vector<int> interfaces_to_switch(std::span<const KernelObject> objects);
  void drain();
  Result<void> start_watching();
  void resync(std::vector<std::string>& changed);
  void resync_later();
  std::vector<int> change(std::span<const KernelObject> objects, bool adding);
  void read_link(const std::string& name);
  void read_link(int ifindex);
  std::string name_of(int ifindex) const;

  RtnlRequests requests_;
  Fd notifications_;
  NetworkView view_;
  // interfaces with removals since notifications were read; `secondary` in the view may be outdated there
  std::set<int> promoted_;
  NetworkChanged changed_;
  EventLoop* loop_ = nullptr;
  EventLoop::Watch watch_, retry_;
  bool stale_ = false;  // true if notifications were lost and the view has not been read anew
  RefusedAddresses refused_;
};

}  // namespace vipd
