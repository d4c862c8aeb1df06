#include "vipd/os/event_loop.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <array>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "vipd/os/fd.hpp"

using namespace vipd;

TEST_CASE("EventLoop: network before the deadline, the deadline before the rest, after_each after each") {
  auto loop = std::move(*EventLoop::create());
  const Fd network(::eventfd(1, EFD_CLOEXEC)), client(::eventfd(1, EFD_CLOEXEC));
  std::string order;
  auto rest = loop->watch(client.get(), EPOLLIN, Urgency::rest, [&] {
    order += "r";
    loop->exit(0);
  });
  EventLoop::Watch net;
  net = std::move(*loop->watch(network.get(), EPOLLIN, Urgency::network, [&] {
    order += "n";
    net = {};  // a handler may end its own watch
  }));
  REQUIRE(loop->on_deadline([&] { order += "d"; }));
  loop->after_each([&] { order += "."; });
  loop->set_deadline(loop->now());
  CHECK(loop->run().value() == 0);
  CHECK(order.substr(0, 5) == "n.d.r");
}

TEST_CASE("EventLoop: a deadline is met within a millisecond or so, not within sd-event's quarter of a second") {
  auto loop = std::move(*EventLoop::create());
  const TimePoint due = loop->now() + std::chrono::milliseconds(20);
  TimePoint came{};
  REQUIRE(loop->on_deadline([&] {
    came = loop->now();
    loop->exit(0);
  }));
  loop->set_deadline(due);
  loop->run().value();
  CHECK(came >= due);
  CHECK(came - due < std::chrono::milliseconds(150));  // generous: the machine may be busy
}

TEST_CASE("EventLoop: kNever switches the deadline off") {
  auto loop = std::move(*EventLoop::create());
  bool came = false;
  REQUIRE(loop->on_deadline([&] { came = true; }));
  loop->set_deadline(loop->now());
  loop->set_deadline(kNever);
  auto end = loop->after(std::chrono::milliseconds(20), [&] { loop->exit(7); });
  CHECK(loop->run().value() == 7);
  CHECK_FALSE(came);
}

TEST_CASE("EventLoop: in a burst, all sockets have their turn before it rests") {
  auto loop = std::move(*EventLoop::create());
  std::array<Fd, 8> sockets;
  std::set<std::size_t> read;  // events since the last rest
  int rests = 0, early = 0;
  std::vector<EventLoop::Watch> watches;
  const TimePoint end = loop->now() + std::chrono::milliseconds(200);
  TimePoint last = loop->now();
  for (std::size_t i = 0; i < sockets.size(); ++i) {
    sockets[i] = Fd(::eventfd(1, EFD_CLOEXEC));
    watches.push_back(std::move(*loop->watch(sockets[i].get(), EPOLLIN, Urgency::network, [&, i] {
      const TimePoint now = boot_time();
      if (now - std::exchange(last, now) > std::chrono::microseconds(300)) {  // a rest, or a busy machine
        ++rests;
        if (read.size() < sockets.size()) ++early;
        read.clear();
      }
      read.insert(i);
      if (now >= end) loop->exit(0);
    })));
  }
  loop->run().value();
  CAPTURE(rests, early);
  CHECK(rests >= 10);
  CHECK(early <= rests / 4);
}

TEST_CASE("EventLoop: a burst is read a few times a millisecond, but the deadline is not slept over") {
  constexpr auto kTime = std::chrono::milliseconds(200);
  auto loop = std::move(*EventLoop::create());
  const Fd network(::eventfd(1, EFD_CLOEXEC));
  int turns = 0;
  const TimePoint end = loop->now() + kTime;
  auto net = loop->watch(network.get(), EPOLLIN, Urgency::network, [&] {
    ++turns;
    if (loop->now() >= end) loop->exit(0);
  });
  REQUIRE(loop->on_deadline([] {}));
  const bool has_deadline = GENERATE(false, true);
  loop->after_each([&] {
    if (has_deadline) loop->set_deadline(loop->now() + std::chrono::microseconds(10));
  });
  loop->run().value();
  constexpr int kMostWithRests = 2 * 200 + 5;  // four in the first millisecond, then two
  CHECK((turns > kMostWithRests) == has_deadline);
}
