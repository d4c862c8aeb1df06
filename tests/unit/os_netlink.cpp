// Which senders are trusted, and the handling of truncated messages. NETLINK_USERSOCK needs no rights.
#include "vipd/os/netlink.hpp"

#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "support/catch.hpp"
#include "vipd/os/fd.hpp"

using namespace vipd;

namespace {

struct Port {
  Port() : fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_USERSOCK)) {
    address.nl_family = AF_NETLINK;
    REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    socklen_t size = sizeof address;
    REQUIRE(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  }
  Fd fd;
  sockaddr_nl address{};
};

struct Datagram {
  nlmsghdr* add(std::uint16_t type, std::uint32_t length = sizeof(nlmsghdr)) {
    auto* message = reinterpret_cast<nlmsghdr*>(octets.data() + size);
    *message = {.nlmsg_len = length, .nlmsg_type = type, .nlmsg_flags = 0, .nlmsg_seq = 0, .nlmsg_pid = 0};
    size += NLMSG_ALIGN(std::min<std::size_t>(length, 64));
    return message;
  }
  std::vector<int> types() const {
    std::vector<int> seen;
    for_each_message(std::span(octets).first(size), [&](const nlmsghdr& one) { seen.push_back(one.nlmsg_type); });
    return seen;
  }
  alignas(nlmsghdr) std::array<char, 512> octets{};
  std::size_t size = 0;
};

int error_of(int stated) {
  Datagram datagram;
  nlmsghdr* message = datagram.add(NLMSG_ERROR, sizeof(nlmsghdr) + sizeof(nlmsgerr));
  std::memcpy(NLMSG_DATA(message), &stated, sizeof stated);
  return error_in(*message);
}

}  // namespace

TEST_CASE("netlink: a datagram of another process is dropped, whatever it claims") {
  const Port ours, theirs;
  Datagram datagram;
  datagram.add(20);  // RTM_NEWADDR
  REQUIRE(::sendto(theirs.fd.get(), datagram.octets.data(), datagram.size, 0,
                   reinterpret_cast<const sockaddr*>(&ours.address), sizeof ours.address) > 0);
  int handled = 0;
  CHECK(receive(ours.fd.get(), [&](const nlmsghdr&) { ++handled; }) == Received::messages);
  CHECK(handled == 0);
  CHECK(receive(ours.fd.get(), [&](const nlmsghdr&) { ++handled; }) == Received::nothing);
}

TEST_CASE("netlink: messages are handed out in order, up to the first that is not whole") {
  Datagram datagram;
  datagram.add(1);
  datagram.add(2, sizeof(nlmsghdr) + 3);
  datagram.add(3);
  CHECK(datagram.types() == std::vector{1, 2, 3});
  for (const std::uint32_t length : {0u, 15u, 17u, 4000u, 0x7fff'ffffu, 0x8000'0000u, 0xffff'fff0u, 0xffff'ffffu}) {
    Datagram broken;
    broken.add(1);
    broken.add(2, length);
    broken.size = 2 * sizeof(nlmsghdr);
    CHECK(broken.types() == std::vector{1});
  }
}

TEST_CASE("netlink: an acknowledgement is 0, an error its errno, and what is neither is an error") {
  CHECK(error_of(0) == 0);
  CHECK(error_of(-EEXIST) == EEXIST);
  CHECK(error_of(1) == EIO);
  CHECK(error_of(std::numeric_limits<int>::min()) == EIO);
  Datagram shortened;
  CHECK(error_in(*shortened.add(NLMSG_ERROR)) == EIO);
}
