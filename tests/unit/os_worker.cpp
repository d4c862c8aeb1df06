#include "vipd/os/worker.hpp"

#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <latch>
#include <string>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"
#include "vipd/os/user_group.hpp"

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

TEST_CASE("Worker: the mode of what it makes does not depend on what the loop's thread makes at the same time") {
  const test::TemporaryDirectory directory;
  auto loop = std::move(*EventLoop::create());
  const auto worker = std::move(*Worker::create(*loop));
  std::atomic<bool> done = false;
  int spoilt = 0;
  worker->give([&] {
    for (int i = 0; i < 1000; ++i) {
      const std::string made = directory.path() + "/" + std::to_string(i);
      struct stat status{};
      if (::mkdir(made.c_str(), 0700) < 0 || ::stat(made.c_str(), &status) < 0 || (status.st_mode & 0777) != 0700)
        ++spoilt;
    }
    done = true;
    return [] {};
  });
  while (!done) const SharedWithGroup shared(0640);
  CHECK(spoilt == 0);
}
