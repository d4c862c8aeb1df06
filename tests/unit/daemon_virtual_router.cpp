#include "vipd/daemon/virtual_router.hpp"

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <sstream>

#include "support/catch.hpp"
#include "support/fake_world.hpp"

using namespace vipd;
using namespace vipd::test;

namespace {

const IpAddress kPeer = *IpAddress::parse("192.0.2.9");

/// A router on a fake machine whose log lines are kept; the logger of before is put back.
class Bench {
 public:
  Bench() : world_(1), node_(world_.add_node(100)), runner_(world_), before_(spdlog::default_logger()) {
    spdlog::set_default_logger(
        std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_st>(log_)));
    node_.kernel.catch_up();
    router_.emplace(node_.config.instances.front(), node_.kernel, node_.wire, runner_, events_);
    router_->reconsider(world_.now);
    log_.str("");
  }
  ~Bench() { spdlog::set_default_logger(before_); }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  void hear(Centiseconds interval, ChecksumForm form, Duration since_start) {
    static constexpr std::array<std::uint8_t, 4> wire = {192, 0, 2, 10};
    router_->heard({.vrid = 51,
                    .priority = 200,
                    .interval = interval,
                    .addresses = AddressList(Family::ipv4, wire),
                    .checksum_form = form},
                   kPeer, world_.now + since_start);
  }
  std::ptrdiff_t lines() const {
    const std::string text = log_.str();
    return std::ranges::count(text, '\n');
  }

 private:
  World world_;
  Node& node_;
  FakeRunner runner_;
  EventLog events_;
  std::ostringstream log_;
  std::shared_ptr<spdlog::logger> before_;
  std::optional<VirtualRouter> router_;
};

}  // namespace

TEST_CASE("VirtualRouter: a peer's other interval is said once (B20), a return to ours is not", "[B20+]") {
  Bench bench;
  for (int i = 0; i < 10; ++i) bench.hear(Centiseconds(200), ChecksumForm::pseudo_header, seconds(i));
  CHECK(bench.lines() == 1);
  bench.hear(Centiseconds(100), ChecksumForm::pseudo_header, std::chrono::minutes(5));
  CHECK(bench.lines() == 1);
}

TEST_CASE("VirtualRouter: a peer that alternates cannot fill the log, one line a kind and minute", "[B20+][B20-]") {
  Bench bench;
  for (int i = 0; i < 10'000; ++i)
    bench.hear(Centiseconds(150 + i % 2), i % 2 == 0 ? ChecksumForm::message_only : ChecksumForm::pseudo_header,
               milliseconds(i));
  CHECK(bench.lines() == 2);
  bench.hear(Centiseconds(170), ChecksumForm::message_only, std::chrono::minutes(2));
  CHECK(bench.lines() == 4);
}
