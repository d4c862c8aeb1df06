/// RtnlKernel: the Kernel seam over rtnetlink(7), with libmnl.
///
/// Two sockets, as lldpd does it: one asks and changes, one only listens to the kernel's notifications. The second
/// feeds the view; if it overruns (ENOBUFS) or a message is odd, everything is read anew and compared, so a lost
/// message costs time and never truth. Messages that do not come from the kernel (nl_pid != 0) are dropped. Changes go
/// out in batches whose last message asks for an acknowledgement. It is there as soon as the send returns, because
/// rtnetlink works in the caller's context: nothing here waits.
///
/// Of routes only ours are kept, filtered by the kernel both in dumps and among the notifications. It removes some IPv4
/// routes in silence (with an interface, with the address that is their source); so as long as we hold routes, ours are
/// read anew with every change.
///
/// A removal takes nothing of others along. The kernel removes the secondary IPv4 addresses of a subnet together with
/// its primary one unless promote_secondaries is on (net/ipv4/devinet.c). So the datagram that removes a primary
/// address switches that on before and off behind it, where it was off: all of it happens within one system call, which
/// no signal ends halfway. What the kernel refuses to remove is looked for in its list: whether an object is gone is
/// not read from an errno, which has many names for that.
///
/// Not good yet: the kernel takes an interface's IPv4 routes along with its last IPv4 address, whoever added them. On a
/// kernel older than 5.18 IFA_PROTO is ignored, so leftovers of a crash are not recognised there.
#pragma once

#include <functional>
#include <memory>
#include <set>

#include "vipd/base/result.hpp"
#include "vipd/os/event_loop.hpp"
#include "vipd/os/fd.hpp"
#include "vipd/os/kernel.hpp"
#include "vipd/os/refused_addresses.hpp"

struct nlmsghdr;

namespace vipd {

class RtnlKernel final : public Kernel {
 public:
  /// Opens both sockets and reads everything. `changed` is called from the loop, never from in here.
  static Result<std::unique_ptr<RtnlKernel>> open(EventLoop& loop, NetworkChanged changed);
  /// Without an event loop: the view is read once and stays as it is. For `vipd --last-will`.
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
  RtnlKernel() = default;

  Result<void> dump(int type, int family, NetworkView& into);
  Result<void> dump_routes(NetworkView& into);
  void reread_routes(std::vector<std::string>& changed);
  Result<void> dump_all(NetworkView& into);
  Result<void> dump_rules(NetworkView& into);
  Result<NetworkView> read(const std::function<Result<void>(NetworkView&)>& dumps);
  Result<void> dump_like(std::span<const KernelObject> objects, NetworkView& into);
  void judge_by_list(std::span<const KernelObject> objects, std::vector<int>& results);
  bool is_known_secondary(const AddressObject& address) const;
  std::vector<int> interfaces_to_switch(std::span<const KernelObject> objects);
  void drain();
  Result<void> start_watching();
  void resync(std::vector<std::string>& changed);
  void resync_later();
  std::vector<int> change(std::span<const KernelObject> objects, bool adding);
  int change_some(std::span<const KernelObject> objects, bool adding, std::span<int> results);
  int request(std::span<nlmsghdr* const> messages);
  void read_link(const std::string& name);
  void read_link(int ifindex);
  std::string name_of(int ifindex) const;

  Fd requests_, notifications_;
  unsigned sequence_ = 0;
  NetworkView view_;
  std::set<int> promoted_;  // interfaces with removals since notifications were read: the view's `secondary` may be old
  NetworkChanged changed_;
  EventLoop* loop_ = nullptr;
  EventLoop::Watch watch_, retry_;
  bool stale_ = false;  // notifications were lost, and nothing has been read anew
  RefusedAddresses refused_;
};

}  // namespace vipd
