// Prints adverts and announcements of a segment, with the time at which the kernel saw them. It has a decoder of its
// own, so that an error in the daemon's codec cannot hide itself. Other packets are printed as "frame".
#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <span>

#include "traffic.hpp"

namespace vipd::traffic {
namespace {

using Octets = std::span<const std::uint8_t>;
using Json = nlohmann::ordered_json;

struct Captured {
  std::int64_t time_ns = 0;  ///< ns since 1970, by the kernel's clock
  bool outgoing = false;
  Octets frame;
};

unsigned word_at(Octets octets, std::size_t offset) { return octets[offset] * 256u + octets[offset + 1]; }

std::string hex(Octets octets) { return fmt::format("{:02x}", fmt::join(octets, "")); }

std::string mac_at(Octets frame, std::size_t offset) {
  return fmt::format("{:02x}", fmt::join(frame.subspan(offset, 6), ":"));
}

std::string ip_text(Octets address) {
  std::array<char, INET6_ADDRSTRLEN> text;
  return inet_ntop(address.size() == 4 ? AF_INET : AF_INET6, address.data(), text.data(), text.size());
}

/// Adds the fields of the VRRP message to an advert's line (RFC 9568 5.2).
void add_message(Json& line, Octets message, std::size_t address_size) {
  if (message.size() < 8) return;
  line["version"] = message[0] >> 4;
  line["vrid"] = message[1];
  line["priority"] = message[2];
  line["interval_ms"] = (word_at(message, 4) & 0xfff) * 10;
  line["addresses"] = Json::array();
  for (std::size_t i = 0; i < message[3] && 8 + (i + 1) * address_size <= message.size(); ++i)
    line["addresses"].push_back(ip_text(message.subspan(8 + i * address_size, address_size)));
}

Json ip_line(const char* kind, Octets source, Octets destination, unsigned hop_limit, unsigned tos) {
  return {{"kind", kind},
          {"source", ip_text(source)},
          {"destination", ip_text(destination)},
          {"hop_limit", hop_limit},
          {"tos", tos}};
}

Json ipv4_line(Octets packet) {
  if (packet.size() < 20 || packet[9] != 112) return {};
  const std::size_t header = (packet[0] & 15) * 4u, total = word_at(packet, 2);
  if (total < header || total > packet.size()) return {};
  Json line = ip_line("advert", packet.subspan(12, 4), packet.subspan(16, 4), packet[8], packet[1]);
  add_message(line, packet.subspan(header, total - header), 4);
  return line;
}

/// The line of an advert, or of an unsolicited neighbour advertisement.
Json ipv6_line(Octets packet) {
  if (packet.size() < 40 || packet.size() < 40 + word_at(packet, 4)) return {};
  const Octets payload = packet.subspan(40, word_at(packet, 4));
  const unsigned tos = (word_at(packet, 0) >> 4) & 0xff;
  const bool na = packet[6] == 58 && payload.size() >= 24 && payload[0] == 136 && (payload[4] & 0x40) == 0;
  if (packet[6] != 112 && !na) return {};
  Json line = ip_line(na ? "na" : "advert", packet.subspan(8, 16), packet.subspan(24, 16), packet[7], tos);
  if (na)
    line["address"] = ip_text(payload.subspan(8, 16));
  else
    add_message(line, payload, 16);
  return line;
}

/// The line of an ARP packet. In a gratuitous request (operation 1) or reply (2), sender and target are the same
/// address.
Json arp_line(Octets packet) {
  if (packet.size() < 28) return {};
  const std::string sender = ip_text(packet.subspan(14, 4)), target = ip_text(packet.subspan(24, 4));
  if (sender == target) return {{"kind", "garp"}, {"address", sender}, {"operation", packet[7]}};
  return {{"kind", "arp"},
          {"operation", packet[7]},
          {"sender", sender},
          {"sender_mac", mac_at(packet, 8)},
          {"target", target}};
}

Json line_of(const Captured& captured) {
  if (captured.frame.size() < 14) return {};
  const Octets packet = captured.frame.subspan(14);
  Json line;
  switch (word_at(captured.frame, 12)) {
    case ETHERTYPE_IP:
      line = ipv4_line(packet);
      break;
    case ETHERTYPE_IPV6:
      line = ipv6_line(packet);
      break;
    case ETHERTYPE_ARP:
      line = arp_line(packet);
      break;
    default:
      break;
  }
  if (line.is_null()) return line;
  line["time_ns"] = captured.time_ns;
  line["outgoing"] = captured.outgoing;
  line["destination_mac"] = mac_at(captured.frame, 0);
  line["source_mac"] = mac_at(captured.frame, 6);
  line["frame"] = hex(captured.frame);
  return line;
}

/// Drops other traffic in the kernel: a line for each packet of a busy client would slow down the whole lab.
void attach_filter(const Fd& fd) {
  std::array<sock_filter, 10> program{{
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_ARP, 6, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IP, 0, 2),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 14 + 9),  // protocol
      BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 14 + 6),  // next header; the decoder sorts ICMPv6 by type
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 112, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 58, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0xffff),
      BPF_STMT(BPF_RET | BPF_K, 0),
  }};
  const sock_fprog filter{program.size(), program.data()};
  checked(setsockopt(fd.get(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter), "SO_ATTACH_FILTER");
}

Fd packet_socket(const std::string& interface) {
  Fd fd(checked(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "packet socket"));
  const int on = 1;
  checked(setsockopt(fd.get(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on), "SO_TIMESTAMPNS");
  const int bursts = 16 << 20;  // octets; hundreds of announcements arrive within some milliseconds
  checked(setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &bursts, sizeof bursts), "SO_RCVBUFFORCE");
  attach_filter(fd);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
  if (address.sll_ifindex == 0) throw_errno(interface);
  checked(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
  return fd;
}

std::int64_t kernel_time(msghdr& message) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_TIMESTAMPNS) continue;
    timespec time{};
    std::memcpy(&time, CMSG_DATA(part), sizeof time);
    return time.tv_sec * 1'000'000'000 + time.tv_nsec;
  }
  return 0;
}

/// Prints the next frame if it is of interest. Returns false if there is no frame.
bool print_one(const Fd& fd) {
  std::array<std::uint8_t, 2048> frame;
  std::array<char, 256> control;
  sockaddr_ll from{};
  iovec piece{frame.data(), frame.size()};
  msghdr message{};
  message.msg_name = &from;
  message.msg_namelen = sizeof from;
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t octets = recvmsg(fd.get(), &message, 0);
  if (octets < 0) return false;  // no more frames, or the interface has just gone down
  const Json line = line_of({kernel_time(message), from.sll_pkttype == PACKET_OUTGOING,
                             Octets(frame).first(static_cast<std::size_t>(octets))});
  if (!line.is_null()) fmt::print("{}\n", line.dump());
  return true;
}

}  // namespace

int sniff(const std::string& interface, const Until& until) {
  const Fd fd = packet_socket(interface);
  fmt::print("{}\n", Json{{"kind", "listening"}, {"interface", interface}}.dump());
  std::fflush(stdout);
  std::array<pollfd, 2> events{{{fd.get(), POLLIN, 0}, {until.fd(), POLLIN, 0}}};
  while (events[1].revents == 0) {
    checked(poll(events.data(), events.size(), -1), "poll");
    while (print_one(fd)) {
    }
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace vipd::traffic
