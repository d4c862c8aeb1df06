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
/// Not good yet: on a kernel older than 5.18 IFA_PROTO is ignored, so leftovers of a crash are not recognised there.
#pragma once

#include <memory>

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
  Result<NetworkView> read_all();
  void drain();
  Result<void> start_watching();
  void resync(std::vector<std::string>& changed);
  void resync_later();
  std::vector<int> change(std::span<const KernelObject> objects, bool adding);
  int change_some(std::span<const KernelObject> objects, bool adding, std::span<int> results);
  int request(std::span<nlmsghdr* const> messages);
  void read_link(const std::string& name);
  std::string name_of(int ifindex) const;

  Fd requests_, notifications_;
  unsigned sequence_ = 0;
  NetworkView view_;
  NetworkChanged changed_;
  EventLoop* loop_ = nullptr;
  EventLoop::Watch watch_, retry_;
  bool stale_ = false;  // notifications were lost, and nothing has been read anew
  RefusedAddresses refused_;
};

}  // namespace vipd
