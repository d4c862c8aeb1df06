/// Advert sockets: raw sockets of IP protocol 112, one for each interface and family.
///
/// A socket is bound to its interface, so the kernel sorts packets by interface. Adverts leave with TTL or hop limit
/// 255 and DSCP CS6 (conformance A05, A11), and are not looped back. A fresh socket passes nothing until it has a
/// filter (os/packet_filters.hpp).
#pragma once

#include "vipd/base/ip.hpp"
#include "vipd/base/result.hpp"
#include "vipd/os/fd.hpp"

namespace vipd {

/// The priority of adverts and announcements in the queues of the kernel (TC_PRIO_CONTROL, linux/pkt_sched.h).
inline constexpr int kControlPriority = 7;

/// Opens the socket of an interface. Fails without CAP_NET_RAW, or with the errno of the option that was refused.
Result<Fd> open_advert_socket(int ifindex, Family family);
/// Joins the VRRP group on the interface (RFC 9568 5.1.1.2). Fails with the errno of setsockopt(2).
Result<void> join_group(const Fd& fd, int ifindex, Family family);
/// Leaves the VRRP group again. Fails with the errno of setsockopt(2).
Result<void> leave_group(const Fd& fd, int ifindex, Family family);

}  // namespace vipd
