#include "vipd/os/packet_filters.hpp"

#include <linux/if_packet.h>
#include <netinet/icmp6.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdint>

#include "vipd/os/socket_options.hpp"

namespace vipd {
namespace {

/// Above this number of addresses the filter tests a range. A filter has 4096 instructions at most (BPF_MAXINSNS), and
/// an address takes two.
constexpr std::size_t kMostAddressesByName = 1000;

/// The last four octets of an address, as a filter loads them.
std::uint32_t last_word(const IpAddress& address) {
  const auto octets = address.octets().last(4);
  return std::uint32_t{octets[0]} << 24 | std::uint32_t{octets[1]} << 16 | std::uint32_t{octets[2]} << 8 | octets[3];
}

/// Appends: pass if the accumulator holds the last four octets of one of the addresses.
void pass_addresses(PacketFilter& program, const std::vector<IpAddress>& addresses) {
  if (addresses.size() > kMostAddressesByName) {
    const auto [least, greatest] = std::ranges::minmax(addresses, {}, last_word);
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, last_word(least), 0, 2));
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, last_word(greatest), 1, 0));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, 0xffffffff));
  } else {
    for (const IpAddress& address : addresses) {
      program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, last_word(address), 0, 1));
      program.push_back(BPF_STMT(BPF_RET | BPF_K, 0xffffffff));
    }
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, 0));
}

/// Appends: drop the packet unless the loaded value is `value`.
void require(PacketFilter& program, std::uint32_t value) {
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0));
  program.push_back(BPF_STMT(BPF_RET | BPF_K, 0));
}

/// A filter for ARP over IPv4 whose sender has one of the addresses. Frames for other machines (PACKET_OTHERHOST), as a
/// hub brings them, are dropped: this machine does not learn from them.
PacketFilter pass_arp(const std::vector<IpAddress>& addresses) {
  constexpr auto kPacketType = static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_PKTTYPE);
  PacketFilter program = {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kPacketType),
                          BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, PACKET_MULTICAST, 0, 1), BPF_STMT(BPF_RET | BPF_K, 0)};
  program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 14));
  require(program, 0x00010800);  // Ethernet, IPv4
  program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 28));
  pass_addresses(program, addresses);
  return program;
}

/// A filter for neighbour advertisements of one of the addresses, or of an address with the same last four octets.
PacketFilter pass_advertisements(const std::vector<IpAddress>& addresses) {
  PacketFilter program = {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0)};
  require(program, ND_NEIGHBOR_ADVERT);
  program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 20));
  pass_addresses(program, addresses);
  return program;
}

}  // namespace

Result<void> attach(const Fd& fd, PacketFilter filter) {
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  return set_option(fd, SOL_SOCKET, SO_ATTACH_FILTER, program, "SO_ATTACH_FILTER");
}

PacketFilter drop_everything() { return {BPF_STMT(BPF_RET | BPF_K, 0)}; }

PacketFilter pass_vrids(Family family, const std::bitset<256>& vrids) {
  PacketFilter program;
  if (family == Family::ipv4) {
    program.push_back(BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0));  // X = IP header length
    program.push_back(BPF_STMT(BPF_LD | BPF_B | BPF_IND, 1));
  } else {
    program.push_back(BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 1));
  }
  for (unsigned vrid = 1; vrid < 256; ++vrid) {
    if (!vrids[vrid]) continue;
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, vrid, 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, 0xffffffff));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, 0));
  return program;
}

PacketFilter pass_announcements(Family family, const std::vector<IpAddress>& addresses) {
  return family == Family::ipv4 ? pass_arp(addresses) : pass_advertisements(addresses);
}

}  // namespace vipd
