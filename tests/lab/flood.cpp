// A hundred thousand packets of garbage a second, for a minute in the long form. Packets that must be refused cost
// neither an advert nor memory, and the log has a line for each kind and minute.
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/uio.h>

#include <random>

#include "attacker.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace {

/// Fewer where sanitizers make us ten times slower.
#ifdef VIPD_SANITIZED
constexpr int kPacketsPerSecond = 10'000;
#else
constexpr int kPacketsPerSecond = 100'000;
#endif
constexpr std::size_t kPacketsPerCall = 100;
const std::string kSource = "192.0.2.66";

/// A frame from a node's eth0 to all routers.
testing::Octets frame_of(const std::string& mac, const testing::Octets& packet) {
  testing::Octets frame = {0x01, 0x00, 0x5e, 0x00, 0x00, 0x12};
  for (std::size_t at = 0; at < mac.size(); at += 3)
    frame.push_back(static_cast<std::uint8_t>(std::stoi(mac.substr(at, 2), nullptr, 16)));
  frame.insert(frame.end(), {ETH_P_IP >> 8, ETH_P_IP & 0xff});
  frame.insert(frame.end(), packet.begin(), packet.end());
  return frame;
}

/// Every kind of packet that changes nothing: each defect, losing adverts, other VRIDs, noise with our VRID.
std::vector<testing::Octets> garbage(const std::string& mac) {
  std::minstd_rand noise(1);
  std::vector<testing::Octets> frames;
  const auto all = defects(Family::ipv4);
  for (std::size_t i = 0; i < kPacketsPerCall; ++i) {
    PacketParts parts = testing::ipv4_parts();
    parts.source = testing::ip(kSource);
    parts.priority = 255;
    if (i % 4 == 0) parts.priority = static_cast<std::uint8_t>(1 + i % 100);
    if (i % 4 == 1) all[i % all.size()].make(parts);
    if (i % 4 == 2) parts.vrid = static_cast<std::uint8_t>(52 + i % 100);
    testing::Octets packet = testing::build(parts);
    if (i % 4 == 3)
      for (std::size_t at = 22; at < packet.size(); ++at) packet[at] = static_cast<std::uint8_t>(noise());
    frames.push_back(frame_of(mac, packet));
  }
  return frames;
}

/// Sends many frames in one call.
class Flood {
 public:
  explicit Flood(const Node& node) : frames_(garbage(mac_of(node))), pieces_(frames_.size()), calls_(frames_.size()) {
    const Inside inside(node);
    fd_ = Fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
    sockaddr_ll to{};
    to.sll_family = AF_PACKET;
    to.sll_ifindex = static_cast<int>(if_nametoindex("eth0"));
    REQUIRE(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
    for (std::size_t i = 0; i < frames_.size(); ++i) {
      pieces_[i] = {frames_[i].data(), frames_[i].size()};
      calls_[i].msg_hdr.msg_iov = &pieces_[i];
      calls_[i].msg_hdr.msg_iovlen = 1;
    }
  }

  void send() {
    const int sent = ::sendmmsg(fd_.get(), calls_.data(), static_cast<unsigned>(calls_.size()), 0);
    if (sent > 0) sent_ += sent;
  }
  std::int64_t sent() const { return sent_; }

 private:
  std::vector<testing::Octets> frames_;
  std::vector<iovec> pieces_;
  std::vector<mmsghdr> calls_;
  Fd fd_;
  std::int64_t sent_ = 0;
};

std::string with_seconds(std::string config) { return config.replace(config.find("100ms"), 5, "1s"); }

std::int64_t refused_by(const Node& node) {
  std::int64_t sum = 0;
  const Json refused = node.instance().at("counters").at("adverts_refused");
  for (const auto& [reason, count] : refused.items()) sum += count.get<std::int64_t>();
  return sum;
}

}  // namespace

TEST_CASE("lab: a flood of garbage costs no advert, no transition, no memory and no log",
          "[lab][B01-][B02-][B05-][B07-][B16-][B22+]") {
  const int seconds = rounds(4, 60);
  Pair pair(Family::ipv4);
  const Node& stranger = pair.lab.add_node("stranger", 66);
  pair.lab.drop("oifname client ether saddr " + mac_of(stranger));  // keeps the sniffer from missing frames
  pair.a.start_vipd(with_seconds(web(pair.family, 254)));
  REQUIRE(pair.a.wait_state("active", 10s));
  pair.b.start_vipd(with_seconds(web(pair.family, 253)));
  pair.await_adverts(pair.source_a, 2);
  REQUIRE(pair.b.wait_state("backup"));
  Flood flood(stranger);
  at_rate(kPacketsPerSecond / static_cast<int>(kPacketsPerCall), 1s, [&] { flood.send(); });  // lets it see all frames
  const int transitions_a = pair.a.instance().at("transitions"), transitions_b = pair.b.instance().at("transitions");
  const int memory_a = memory_of(pair.a.vipd().pid()), memory_b = memory_of(pair.b.vipd().pid());
  const std::size_t from = pair.sniffer.adverts_from(pair.source_a).size() - 1;
  const std::int64_t sent_before = flood.sent();

  at_rate(kPacketsPerSecond / static_cast<int>(kPacketsPerCall), std::chrono::seconds(seconds), [&] { flood.send(); });
  const auto adverts = pair.sniffer.adverts_from(pair.source_a);
  const Duration gap = longest_gap(adverts, from);
  std::cout << "measured: " << (flood.sent() - sent_before) / seconds << " packets of garbage a second for " << seconds
            << " s, " << refused_by(pair.a) << " and " << refused_by(pair.b)
            << " of them refused by name: " << adverts.size() - from - 1
            << " adverts of 1 s (answers to losing ones among them), longest gap " << in_ms(gap) << " ms; memory "
            << memory_a << " -> " << memory_of(pair.a.vipd().pid()) << " and " << memory_b << " -> "
            << memory_of(pair.b.vipd().pid()) << " kB" << std::endl;
  REQUIRE(gap <= 1s + kSlack);
  REQUIRE(adverts.size() - from >= static_cast<std::size_t>(seconds));
  REQUIRE(pair.a.instance().at("transitions") == transitions_a);
  REQUIRE(pair.b.instance().at("transitions") == transitions_b);
  REQUIRE(pair.sniffer.adverts_from(pair.source_b).empty());
  REQUIRE(refused_by(pair.a) > seconds * kPacketsPerSecond / 20);
  for (Node* node : {&pair.a, &pair.b}) {
    const std::string log = node->vipd().errors();
    const Json refused = node->instance().at("counters").at("adverts_refused");
    REQUIRE(count_of(log, "refused an advert") <= refused.size() * static_cast<std::size_t>(2 + seconds / 60));
    REQUIRE(count_of(log, "\n") <= 100);
  }
#ifndef VIPD_SANITIZED
  REQUIRE(memory_of(pair.a.vipd().pid()) <= memory_a + 256);
  REQUIRE(memory_of(pair.b.vipd().pid()) <= memory_b + 256);
#endif
}
