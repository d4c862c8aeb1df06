// Asks for the hardware address of an IP address, by ARP or neighbour solicitation. Reports all answers, while a
// neighbour table would keep only one. Sends whole frames, so that the asker may be any host, also one of another
// subnet.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <stdexcept>
#include <vector>

#include "traffic.hpp"

namespace vipd::traffic {
namespace {

using Octets = std::span<const std::uint8_t>;
using Bytes = std::vector<std::uint8_t>;

Bytes parse(const std::string& text) {
  Bytes octets(16);
  if (inet_pton(AF_INET6, text.c_str(), octets.data()) == 1) return octets;
  octets.resize(4);
  if (inet_pton(AF_INET, text.c_str(), octets.data()) != 1) throw std::runtime_error(text + " is no address");
  return octets;
}

Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

std::string mac_text(Octets mac) { return fmt::format("{:02x}", fmt::join(mac, ":")); }

Bytes arp_request(const Bytes& mac, const Bytes& from, const Bytes& target) {
  return joined({Bytes(6, 0xff), mac, {0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1}, mac, from, Bytes(6, 0), target});
}

/// A neighbour solicitation (RFC 4861 4.3) to the solicited-node group of the target.
Bytes solicitation(const Bytes& mac, const Bytes& from, const Bytes& target) {
  const Bytes end(target.end() - 3, target.end());
  const Bytes group = joined({{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff}, end});
  Bytes message = joined({{135, 0, 0, 0, 0, 0, 0, 0}, target, {1, 1}, mac});
  const Bytes summed = joined({from, group, {0, 0, 0, 32, 0, 0, 0, 58}, message});
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < summed.size(); i += 2) sum += summed[i] * 256u + summed[i + 1];
  while (sum > 0xffff) sum = (sum >> 16) + (sum & 0xffff);
  message[2] = static_cast<std::uint8_t>(~sum >> 8);
  message[3] = static_cast<std::uint8_t>(~sum);
  return joined({{0x33, 0x33, 0xff}, end, mac, {0x86, 0xdd, 0x60, 0, 0, 0, 0, 32, 58, 255}, from, group, message});
}

struct Asker {
  Asker(const AskOptions& options)
      : fd(checked(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "packet socket")),
        target(parse(options.address)) {
    ifreq request{};
    std::strncpy(request.ifr_name, options.interface.c_str(), IFNAMSIZ - 1);
    checked(ioctl(fd.get(), SIOCGIFHWADDR, &request), "SIOCGIFHWADDR");
    const auto* octets = reinterpret_cast<const std::uint8_t*>(request.ifr_hwaddr.sa_data);
    const Bytes mac(octets, octets + 6), from = parse(options.from);
    if (from.size() != target.size()) throw std::runtime_error("the two addresses are of different families");
    question = target.size() == 4 ? arp_request(mac, from, target) : solicitation(mac, from, target);
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = static_cast<int>(if_nametoindex(options.interface.c_str()));
    checked(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
  }

  void ask() const { checked(static_cast<int>(send(fd.get(), question.data(), question.size(), 0)), "send"); }

  /// Notes the frame if it is an answer.
  void note(Octets frame) {
    if (frame.size() >= 42 && frame[12] == 0x08 && frame[13] == 0x06 && frame[21] == 2)
      note_answer(frame, frame.subspan(28, 4), frame.subspan(22, 6));
    if (frame.size() < 86 || frame[12] != 0x86 || frame[20] != 58 || frame[54] != 136 || frame[78] != 2) return;
    if ((frame[58] & 0x40) != 0) note_answer(frame, frame.subspan(62, 16), frame.subspan(80, 6));
  }
  void note_answer(Octets frame, Octets address, Octets mac) {
    if (!std::ranges::equal(address, target)) return;
    ++answers;
    macs.insert(mac_text(mac));
    senders.insert(mac_text(frame.subspan(6, 6)));
  }

  void receive() {
    std::array<std::uint8_t, 2048> frame;
    ssize_t size = 0;
    while ((size = recv(fd.get(), frame.data(), frame.size(), 0)) > 0) note(Octets(frame).first(size));
  }

  Fd fd;
  Bytes target, question;
  int answers = 0;
  std::set<std::string> macs, senders;
};

}  // namespace

int ask(const AskOptions& options, const Until& until) {
  constexpr int kAgain = 50;  // ms
  Asker asker(options);
  std::array<pollfd, 2> events{{{asker.fd.get(), POLLIN, 0}, {until.fd(), POLLIN, 0}}};
  asker.ask();
  while (events[1].revents == 0) {
    if (checked(poll(events.data(), events.size(), kAgain), "poll") == 0) asker.ask();
    asker.receive();
  }
  fmt::print("{}\n", nlohmann::ordered_json{{"address", options.address},
                                            {"answers", asker.answers},
                                            {"macs", asker.macs},
                                            {"sender_macs", asker.senders}}
                         .dump());
  return 0;
}

}  // namespace vipd::traffic
