// 255 instances with adverts every 100 ms reload their file, without a change and with a change: the cost for vipd, and
// for keepalived in the same run.
#include <csignal>
#include <fstream>
#include <thread>

#include "contender.hpp"
#include "lab/crowd.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace {

constexpr int kPriority = 254, kChanged = 40;

/// The keepalived.conf for the configuration of crowd().
std::string crowd_of_keepalived(int changed) {
  std::string text = "global_defs {\n  vrrp_version 3\n}\n";
  for (int i = 1; i <= kCrowd; ++i) {
    const std::string number = std::to_string(i);
    text += "vrrp_instance n" + number + " {\n  state BACKUP\n  interface eth0\n  virtual_router_id " + number +
            "\n  priority " + std::to_string(i == changed ? kPriority - 1 : kPriority) +
            "\n  advert_int 0.1\n  virtual_ipaddress {\n    198.51.100." + number + "/32\n  }\n}\n";
  }
  return text;
}

/// A program with a crowd that holds all its addresses, and a listener.
class Reloaded {
 public:
  explicit Reloaded(bool ours)
      : ours_(ours), node_(lab_.add_node("a", 1)), listener_(lab_.add_node("listener", 100)), monitor_(node_) {
    write(0);
    if (ours) {
      node_.start_vipd(crowd(kPriority));
    } else {
      keepalived_.emplace(node_, listener_, Terms{}, kPriority);
      keepalived_->start_as_configured();
    }
    REQUIRE(wait_until(30s, [&] { return monitor_.events().size() >= kCrowd; }));
  }

  /// The longest gap between two adverts of an instance during `act` and its effects.
  Duration worst_gap_while(const std::function<void()>& act) {
    Sniffer sniffer(listener_);
    const WallTime since = std::chrono::system_clock::now();
    act();
    std::this_thread::sleep_for(is_long() ? 10s : 2s);  // the measured time
    last_ = sniffer.adverts_from(node_.source(Family::ipv4));
    return worst_gap(sniffer, node_.source(Family::ipv4), since);
  }
  void reload(int changed) {
    write(changed);
    if (ours_)
      node_.vipd().signal(SIGHUP);
    else
      keepalived_->reload();
  }
  /// The last advertised priority of the changed instance.
  int priority() const {
    const auto advert = std::ranges::find(last_.rbegin(), last_.rend(), kChanged,
                                          [](const Json& each) { return each.at("vrid").get<int>(); });
    return advert == last_.rend() ? 0 : advert->at("priority").get<int>();
  }
  /// How many addresses came or went since all were there.
  std::size_t moves() const { return monitor_.events().size() - kCrowd; }

 private:
  void write(int changed) const {
    std::ofstream(node_.directory() / (ours_ ? "vipd.toml" : "keepalived.conf"), std::ios::trunc)
        << (ours_ ? crowd(kPriority, changed) : crowd_of_keepalived(changed));
  }

  bool ours_;
  Lab lab_;
  Node &node_, &listener_;
  AddressMonitor monitor_;
  std::optional<Keepalived> keepalived_;
  std::vector<Json> last_;
};

}  // namespace

TEST_CASE("interop: a reload of 255 instances, without a change and with one", "[interop]") {
  for (const bool ours : {true, false}) {
    Reloaded crowd(ours);
    const Duration quiet = crowd.worst_gap_while([] {});
    const Duration same = crowd.worst_gap_while([&] { crowd.reload(0); });
    const Duration one = crowd.worst_gap_while([&] { crowd.reload(kChanged); });
    std::printf(
        "measured: worst gap of %d instances at 100 ms, %-10s: %6.1f ms quiet, %6.1f ms with a reload that changes "
        "nothing, %6.1f ms with one that changes one; %zu addresses moved\n",
        kCrowd, ours ? "vipd" : "keepalived", in_ms(quiet), in_ms(same), in_ms(one), crowd.moves());
    std::fflush(stdout);
    CHECK(crowd.priority() == kPriority - 1);
    if (!ours) continue;
    CHECK(crowd.moves() == 0);
    CHECK(std::max(same, one) < std::max(quiet, kInterval * 12 / 10) + kSlack);  // the goal is 1.2 intervals
  }
}
