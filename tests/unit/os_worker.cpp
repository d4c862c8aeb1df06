#include "vipd/os/worker.hpp"

#include <latch>
#include <string>

#include "support/catch.hpp"

using namespace vipd;

TEST_CASE("Worker: the loop goes on while work takes long, and the outcomes come in order") {
  auto loop = std::move(*EventLoop::create());
  const auto worker = std::move(*Worker::create(*loop));
  std::latch disk(1);
  std::string order;
  worker->give([&] {
    disk.wait();
    return [&] { order += "1"; };
  });
  worker->give([&] { return [&] { order += "2"; }; });
  for (int i = 0; i < 5; ++i) loop->turn(std::chrono::milliseconds(1));
  CHECK(order.empty());
  CHECK_FALSE(worker->idle());
  disk.count_down();
  for (int i = 0; i < 5000 && !worker->idle(); ++i) loop->turn(std::chrono::milliseconds(1));
  CHECK(worker->idle());
  CHECK(order == "12");
}

TEST_CASE("Worker: its end waits for the work, and drops the outcomes") {
  auto loop = std::move(*EventLoop::create());
  auto worker = std::move(*Worker::create(*loop));
  std::string done;
  for (const char* each : {"1", "2", "3"})
    worker->give([&done, each] {
      done += each;
      return [&done] { done += "never"; };
    });
  worker.reset();
  loop->turn(std::chrono::milliseconds(1));
  CHECK(done == "123");
}
