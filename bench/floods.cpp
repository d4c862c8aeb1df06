// A third machine sends ten thousand or a hundred thousand packets a second, without effect, to the Active router.
// Measures the cost of refusing them, and whether the router's own adverts are on time.
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "scenarios.hpp"
#include "vipd/vrrp/advert.hpp"

namespace vipd::bench {
namespace {

constexpr int kMostPerMillisecond = 100;
constexpr Duration kMeasured = 4s, kInterval = 100ms;

struct Kind {
  const char* name;
  std::uint8_t vrid;
  std::uint8_t flaw;  ///< error of the checksum
  unsigned per_millisecond = 10;
};
constexpr Kind kKinds[] = {{"10 k/s bad checksums", 1, 1},        {"10 k/s foreign VRIDs", 77, 0},
                           {"10 k/s losing adverts", 1, 0},       {"100 k/s bad checksums", 1, 1, 100},
                           {"100 k/s foreign VRIDs", 77, 0, 100}, {"100 k/s losing adverts", 1, 0, 100}};

/// A raw socket of a stranger that sends one packet again and again.
class Stranger {
 public:
  Stranger(const lab::Node& node, const Kind& kind) : per_millisecond_(kind.per_millisecond) {
    const lab::Inside inside(node);
    fd_ = Fd(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, 112));
    ip_mreqn group{};
    group.imr_ifindex = static_cast<int>(if_nametoindex("eth0"));
    const int hop_limit = kVrrpHopLimit;
    if (::setsockopt(fd_.get(), IPPROTO_IP, IP_MULTICAST_IF, &group, sizeof group) < 0 ||
        ::setsockopt(fd_.get(), IPPROTO_IP, IP_MULTICAST_TTL, &hop_limit, sizeof hop_limit) < 0)
      throw std::runtime_error("a raw socket");
    const auto ip = [](const char* text) { return IpAddress::parse(text).value(); };
    const IpAddress address = ip(kVip.c_str()), all_routers = ip("224.0.0.18");
    size_ = encode({.vrid = kind.vrid,
                    .priority = 1,
                    .interval = std::chrono::duration_cast<Centiseconds>(kInterval),
                    .addresses = {Family::ipv4, address.octets()}},
                   ip("192.0.2.66"), all_routers, message_);
    message_[7] ^= kind.flaw;
    to_.sin_family = AF_INET;
    std::ranges::copy(all_routers.octets(), reinterpret_cast<std::uint8_t*>(&to_.sin_addr));
  }

  void send_for(Duration length) {
    iovec piece{message_.data(), size_};
    mmsghdr calls[kMostPerMillisecond] = {};
    for (auto& [head, sent] : calls) {
      head.msg_name = &to_;
      head.msg_namelen = sizeof to_;
      head.msg_iov = &piece;
      head.msg_iovlen = 1;
    }
    const auto began = std::chrono::steady_clock::now();
    for (auto due = began; due < began + length; due += 1ms) {
      std::this_thread::sleep_until(due);
      if (std::cmp_not_equal(::sendmmsg(fd_.get(), calls, per_millisecond_, 0), per_millisecond_))
        throw std::runtime_error("sendmmsg");
    }
  }

 private:
  unsigned per_millisecond_;
  Fd fd_;
  std::array<std::uint8_t, kMaxAdvertSize> message_{};
  std::size_t size_ = 0;
  sockaddr_in to_{};
};

void flood(Rig& rig, const lab::Node& node, const Kind& kind, Samples& load, Samples& longest) {
  Stranger stranger(node, kind);
  lab::Sniffer sniffer(rig.client);
  const auto since = std::chrono::system_clock::now();
  const Duration before = rig.a.processor_time();
  stranger.send_for(kMeasured);
  const Duration used = rig.a.processor_time() - before;
  load.push_back(100 * static_cast<double>(used.count()) /
                 static_cast<double>(Duration(std::chrono::system_clock::now() - since).count()));
  longest.push_back(percentile(gaps(sniffer, kSourceA, since), 1));
}

}  // namespace

std::vector<Figure> floods(int rounds) {
  std::vector<Figure> figures;
  for (const Kind& kind : kKinds) {
    const std::string when = std::string(", ") + kind.name;
    figures.push_back({.what = "load of a core" + when, .unit = "%"});
    figures.push_back({.what = "longest interval of 100ms" + when, .unit = "ms"});
  }
  in_turn(rounds, [&](Program program) {
    Rig rig(program, {.interval = kInterval});
    const lab::Node& node = rig.lab.add_node("stranger", 66);
    rig.lab.drop("oifname != a ip saddr 192.0.2.66");
    for (std::size_t i = 0; i < std::size(kKinds); ++i)
      flood(rig, node, kKinds[i], of(figures[2 * i], program), of(figures[2 * i + 1], program));
  });
  return figures;
}

}  // namespace vipd::bench
