// HostWatch: which other hosts with the addresses of a router are named, and how often.
#include "support/catch.hpp"
#include "support/election_trace.hpp"
#include "vipd/node/host_watch.hpp"

using namespace vipd;
using namespace vipd::testing;

namespace {

AddressClaim claim(std::uint8_t host) {
  return {.address = *IpAddress::parse("192.0.2.10"), .mac = MacAddress{{2, 0, 0, 0, 0, host}}};
}

/// The sentence of the answer that is due.
std::optional<std::string> answered(HostWatch& hosts) { return hosts.answer(hosts.due()).warning; }

}  // namespace

TEST_CASE("HostWatch: the host that announces a virtual address is named, and the address is announced again") {
  HostWatch hosts;
  CHECK(hosts.due() == kNever);
  hosts.heard_virtual(claim(1), false, at(10s));
  REQUIRE(hosts.due() != kNever);
  const HostWatch::Answer answer = hosts.answer(hosts.due());
  CHECK(answer.addresses == std::set{claim(1).address});
  CHECK(answer.warning ==
        "another host (02:00:00:00:00:01) says that it has 192.0.2.10; the address is announced again");
  CHECK(hosts.due() == kNever);
}

TEST_CASE("HostWatch: each address is answered, and the log has one line a minute however many hosts announce it") {
  HostWatch hosts;
  hosts.heard_virtual(claim(1), false, at(10s));
  CHECK(answered(hosts));
  for (std::uint8_t host = 2; host < 10; ++host) {
    hosts.heard_virtual(claim(host), false, at(10s) + host * 1s);
    CHECK_FALSE(answered(hosts));
  }
  hosts.heard_virtual(claim(10), false, at(80s));
  CHECK(answered(hosts));
}

TEST_CASE("HostWatch: the old holder's announcement is answered without a word, and is no contest") {
  HostWatch hosts;
  hosts.heard_virtual(claim(1), true, at(10s));
  CHECK_FALSE(answered(hosts));
  CHECK_FALSE(hosts.contest());
}

TEST_CASE("HostWatch: a router that is not Active any more answers nothing") {
  HostWatch hosts;
  hosts.heard_virtual(claim(1), false, at(10s));
  hosts.forget();
  CHECK(hosts.due() == kNever);
}

TEST_CASE("HostWatch: a host with the source address is named once, and again when it was silent for a minute") {
  HostWatch hosts;
  CHECK(hosts.heard_source(claim(1), at(10s)));
  CHECK(hosts.twin()->claim == claim(1));
  CHECK_FALSE(hosts.heard_source(claim(1), at(50s)));
  CHECK_FALSE(hosts.heard_source(claim(1), at(109s)));
  CHECK(hosts.twin()->heard == at(109s));
  CHECK(hosts.heard_source(claim(1), at(169s)));
  CHECK_FALSE(hosts.heard_source(claim(2), at(170s)));  // one line a minute
  CHECK(hosts.twin()->claim == claim(2));
}
