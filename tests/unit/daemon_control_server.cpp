// A real socket on a real loop, the daemon's own Supervisor on a fake machine.
#include "vipd/daemon/control_server.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>

#include "support/catch.hpp"
#include "support/fake_world.hpp"

using namespace vipd;
using namespace vipd::test;
using Json = nlohmann::ordered_json;

namespace {

class Bench {
 public:
  Bench() : world(1), node(world.add_node(254)), loop(std::move(*EventLoop::create())) {
    char name[] = "/tmp/vipd-control-XXXXXX";
    directory_ = ::mkdtemp(name);
    node.start();
    server = std::move(
        *ControlServer::open(*loop, path(), *node.supervisor, {.node = "lb1", .started = loop->now(), .pid = 42}));
  }
  ~Bench() {
    server.reset();
    ::rmdir(directory_.c_str());
  }
  std::string path() const { return directory_ + "/control.sock"; }

  Fd connect() const {
    Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, path().c_str());
    REQUIRE(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    return fd;
  }
  /// Turns the loop until nothing is left to do.
  void turn() const {
    for (int i = 0; i < 20; ++i) loop->turn(Duration::zero());
  }
  /// All that the server has sent; `closed` when it has closed the connection.
  std::string read_all(const Fd& fd, bool* closed = nullptr) const {
    std::string text;
    char buffer[65536];
    ssize_t size = 0;
    while ((size = ::recv(fd.get(), buffer, sizeof buffer, MSG_DONTWAIT)) > 0)
      text.append(buffer, static_cast<std::size_t>(size));
    if (closed != nullptr) *closed = size == 0 || errno == ECONNRESET;
    return text;
  }
  std::string ask(const std::string& request) const {
    const Fd fd = connect();
    (void)!::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL);
    turn();
    bool closed = false;
    const std::string text = read_all(fd, &closed);
    CHECK(closed);
    return text;
  }

  World world;
  Node& node;
  std::unique_ptr<EventLoop> loop;
  std::unique_ptr<ControlServer> server;

 private:
  std::string directory_;
};

}  // namespace

TEST_CASE("ControlServer: status as in the contract") {
  Bench bench;
  bench.world.run_for(seconds(10));
  const Json status = Json::parse(bench.ask("{\"verb\":\"status\"}\n"));
  CHECK(status["schema"] == "vipd.status/1");
  CHECK(status["node"] == "lb1");
  CHECK(status["version"] == VIPD_VERSION);
  REQUIRE(status["instances"].size() == 1);
  const Json& web = status["instances"][0];
  CHECK(web["name"] == "web");
  CHECK(web["vrid"] == 51);
  CHECK(web["family"] == "ipv4");
  CHECK(web["interface"] == "eth0");
  CHECK(web["state"] == "active");
  CHECK(web["fault"] == nullptr);
  CHECK(web["reason"] == "no advert from anybody for 3.008s");
  CHECK(web["priority"] == Json({{"base", 254}, {"effective", 254}}));
  CHECK(web["addresses"] == Json::parse(R"([{"address":"192.0.2.10/24","present":true}])"));
  CHECK(web["active"] == Json({{"address", "192.0.2.1"}, {"priority", 254}}));
  CHECK(web["counters"]["adverts_sent"] > 0);
  CHECK(web["counters"]["adverts_refused"] == Json::object());
  CHECK(web["transitions"] == 2);
  CHECK(web["since"].get<std::string>().back() == 'Z');
}

TEST_CASE("ControlServer: refusals are counted by kind", "[B22+]") {
  Bench bench;
  for (int i = 0; i < 3; ++i) {
    const std::vector<std::uint8_t> octets = {0x45, 0,   0, 30, 0,  0,    0,  0,   255, 112, 0,   0, 192, 0, 2,
                                              9,    224, 0, 0,  18, 0x31, 51, 100, 1,   0,   100, 0, 0,   0, 0};
    auto packet = octets;
    const auto sum = static_cast<std::uint16_t>(~checksum_fold(checksum_add(0, std::span(packet).first(20))));
    packet[10] = static_cast<std::uint8_t>(sum >> 8);
    packet[11] = static_cast<std::uint8_t>(sum);
    bench.node.supervisor->received(
        {.ifindex = 2, .family = Family::ipv4, .octets = packet, .source = {}, .destination = {}}, bench.world.now);
  }
  const Json status = Json::parse(bench.ask("{\"verb\":\"status\"}\n"));
  CHECK(status["instances"][0]["counters"]["adverts_refused"] == Json({{"length", 3}}));
}

TEST_CASE("ControlServer: a follower gets the past, then each transition; its end ends nothing else") {
  Bench bench;
  const Fd fd = bench.connect();
  const std::string request = "{\"verb\":\"events\",\"follow\":true}\n";
  REQUIRE(::send(fd.get(), request.data(), request.size(), 0) > 0);
  bench.turn();
  const Json past = Json::parse(bench.read_all(fd));
  CHECK(past["schema"] == "vipd.events/1");
  CHECK(past["events"].size() == 1);
  bench.world.run_for(seconds(10));
  bench.server->publish();
  const Json next = Json::parse(bench.read_all(fd));
  CHECK(next["schema"] == "vipd.event/1");
  CHECK(next["event"]["sequence"] == 2);
  CHECK(next["event"]["from"] == "backup");
  CHECK(next["event"]["to"] == "active");
}

TEST_CASE("ControlServer: rude clients get an error or are cut, and the next one is served") {
  Bench bench;
  for (const char* rude : {"\n", "garbage\n", "{\"verb\":42}\n", "[]\n", "{\"verb\":\"shutdown\"}\n", "\xff\xfe\n",
                           "{\"verb\":\"status\"\n"}) {
    INFO(rude);
    CHECK(Json::parse(bench.ask(rude))["schema"] == "vipd.error/1");
  }
  CHECK(bench.ask(std::string(100'000, 'x')).empty());
  const Fd silent = bench.connect(), gone = bench.connect();
  ::shutdown(gone.get(), SHUT_RDWR);
  std::vector<Fd> crowd;
  for (int i = 0; i < 80; ++i) {
    crowd.push_back(bench.connect());
    bench.turn();
  }
  CHECK(Json::parse(bench.read_all(crowd.back()))["error"] == "too many clients are connected; try again");
  crowd.clear();
  for (int i = 0; i < 5; ++i) bench.turn();
  CHECK(Json::parse(bench.ask("{\"verb\":\"version\"}\n"))["schema"] == "vipd.version/1");
}

TEST_CASE("ControlServer: only root and the group may ask") {
  Bench bench;
  struct stat info{};
  REQUIRE(::stat(bench.path().c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0660);
}
