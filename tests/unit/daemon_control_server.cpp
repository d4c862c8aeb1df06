// A real socket on a real loop, the daemon's own Supervisor on a fake machine.
#include <sys/stat.h>

#include <set>
#include <string_view>

#include "unit/daemon_bench.hpp"
#include "vipd/base/control.hpp"

using namespace vipd;
using namespace vipd::test;

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

TEST_CASE("ControlServer: a status of 2000 instances, each with as many addresses as an advert lists, is an answer") {
  Config config;
  InstanceConfig instance = web_instance(254);
  VirtualAddress address = instance.addresses.front();
  instance.addresses.clear();
  for (int i = 0; i < 255; ++i) {
    address.prefix.address = *IpAddress::parse("198.151.100." + std::to_string(i));
    instance.addresses.push_back(address);
  }
  config.instances.push_back(instance);
  Bench bench(config);
  bench.world.run_for(seconds(10));
  const std::string answer = bench.ask("{\"verb\":\"status\"}\n");
  REQUIRE(Json::parse(answer)["instances"][0]["addresses"].size() == 255);
  CHECK(2000 * answer.size() < kLongestAnswer);
}

TEST_CASE("ControlServer: an answer is as long as a client takes it, or an error that says so") {
  const std::size_t around = to_text(Json{{"text", ""}}).size();
  const std::string most(kLongestAnswer - around, 'x');
  CHECK(answer_line({{"text", most}}).size() == kLongestAnswer + 1);
  CHECK(answer_line({{"text", most + "x"}}) ==
        "{\"schema\":\"vipd.error/1\",\"error\":\"the answer is longer than 32 MiB\"}\n");
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

TEST_CASE("ControlServer: each verb has its right, and only root has all") {
  constexpr uid_t kMember = 4242;
  for (const auto& verb : ControlServer::verbs()) {
    CAPTURE(verb.name);
    CHECK(may(0, verb.right));
    CHECK(may(kMember, verb.right) == (verb.right == Right::look));
    const bool acts = std::set<std::string_view>{"reload", "confirm", "reexec"}.contains(verb.name);
    CHECK((verb.right != Right::look) == acts);
  }
}

namespace {

/// Connects as another user; the kernel remembers that user.
Fd connect_as(const Bench& bench, uid_t user) {
  std::filesystem::permissions(std::filesystem::path(bench.path()).parent_path(), std::filesystem::perms(0755));
  std::filesystem::permissions(bench.path(), std::filesystem::perms(0666));
  REQUIRE(::seteuid(user) == 0);
  Fd fd = bench.connect();
  REQUIRE(::seteuid(0) == 0);
  return fd;
}

std::string ask_as(const Bench& bench, uid_t user, const std::string& request) {
  const Fd fd = connect_as(bench, user);
  (void)!::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL);
  bench.turn();
  return bench.read_all(fd);
}

}  // namespace

TEST_CASE("ControlServer: who is not root looks, and changes nothing") {
  if (::geteuid() != 0) return;
  Bench bench;
  bench.write_priority(200, "second");
  for (const char* request : {R"({"verb":"reload"})", R"({"verb":"reload","confirm_ms":1000})", R"({"verb":"confirm"})",
                              R"({"verb":"reexec"})"}) {
    const Json answer = Json::parse(ask_as(bench, 4242, std::string(request) + "\n"));
    CHECK(answer["kind"] == "right");
    CHECK(answer["error"].get<std::string>().find("only root") != std::string::npos);
  }
  CHECK(bench.priority() == 254);
  CHECK(bench.reexecs == 0);
  for (const char* request :
       {R"({"verb":"status"})", R"({"verb":"version"})", R"({"verb":"events"})", R"({"verb":"diff"})"})
    CHECK_FALSE(Json::parse(ask_as(bench, 4242, std::string(request) + "\n")).contains("error"));
}

TEST_CASE("ControlServer: no user keeps root out, and who finds no place is told why") {
  if (::geteuid() != 0) return;
  Bench bench;
  const std::string follow = "{\"verb\":\"events\",\"follow\":true}\n";
  std::vector<Fd> followers;
  const auto follow_as = [&](uid_t user) {
    followers.push_back(connect_as(bench, user));
    (void)!::send(followers.back().get(), follow.data(), follow.size(), MSG_NOSIGNAL);
    bench.turn();
    return bench.read_all(followers.back());
  };
  for (int i = 0; i < 16; ++i) CHECK(follow_as(4242).starts_with(R"({"schema":"vipd.events/1")"));
  CHECK(follow_as(4242).find("too many clients of user 4242: 16") != std::string::npos);
  for (const uid_t user : {4243, 4244, 4245})
    for (int i = 0; i < 16; ++i) follow_as(user);
  for (const uid_t user : {4246, 4247, 4248})
    for (int i = 0; i < 16; ++i) follow_as(user);
  CHECK(follow_as(4249).find("too many clients are connected") != std::string::npos);
  CHECK(Json::parse(bench.ask("{\"verb\":\"version\"}\n"))["schema"] == "vipd.version/1");
  int of_root = 0;
  while (of_root < 64 && follow_as(0).starts_with(R"({"schema":"vipd.events/1")")) ++of_root;
  CHECK(of_root == 8);
}

TEST_CASE("ControlServer: root's followers leave places to those who ask") {
  Bench bench;
  if (::geteuid() != 0) return;
  const std::string follow = "{\"verb\":\"events\",\"follow\":true}\n";
  std::vector<Fd> followers;
  std::string last;
  for (int i = 0; i < 70; ++i) {
    followers.push_back(bench.connect());
    (void)!::send(followers.back().get(), follow.data(), follow.size(), MSG_NOSIGNAL);
    bench.turn();
    last = bench.read_all(followers.back());
  }
  CHECK(last.find("too many followers of user 0: 16") != std::string::npos);
  CHECK(Json::parse(bench.ask("{\"verb\":\"version\"}\n"))["schema"] == "vipd.version/1");
}

TEST_CASE("Reloader: a diff tells what would change and changes nothing") {
  Bench bench;
  bench.world.run_for(seconds(10));
  Config wanted = bench.node.config;
  wanted.instances[0].priority = 200;
  bench.write(wanted, "second");
  const Json diff = Json::parse(bench.ask("{\"verb\":\"diff\"}\n"));
  CHECK(diff["schema"] == "vipd.diff/1");
  CHECK(diff["valid"] == true);
  REQUIRE(diff["changes"].size() == 1);
  CHECK(diff["changes"][0]["text"] == "web: changed: priority 254 -> 200");
  CHECK(bench.node.router().standing().base_priority() == 254);
}

TEST_CASE("Reloader: another name of the node is told and shown at once") {
  Bench bench;
  Config wanted = bench.node.config;
  wanted.node = "lb9";
  bench.write(wanted, "second");
  const Json answer = Json::parse(bench.ask("{\"verb\":\"reload\"}\n"));
  REQUIRE(answer["changes"].size() == 1);
  CHECK(answer["changes"][0]["table"] == "node");
  CHECK(answer["changes"][0]["text"] == "node: changed: name unset -> \"lb9\"");
  CHECK(Json::parse(bench.ask("{\"verb\":\"status\"}\n"))["node"] == "lb9");
}

TEST_CASE("Reloader: what cannot be used changes nothing and says why") {
  Bench bench;
  const Json unreadable = Json::parse(bench.ask("{\"verb\":\"reload\"}\n"));
  CHECK(unreadable["valid"] == false);
  CHECK(unreadable["report"] == "cannot read vipd.toml\n");
  ParsedConfig parsed = parse_config("[instance.web]\nvrid = 999\n");
  bench.on_disk = LoadedConfig{
      .sources = {{"vipd.toml", "[instance.web]\nvrid = 999\n"}}, .diagnostics = parsed.diagnostics, .config = nullptr};
  const Json broken = Json::parse(bench.ask("{\"verb\":\"reload\"}\n"));
  CHECK(broken["valid"] == false);
  REQUIRE_FALSE(broken["diagnostics"].empty());
  CHECK(broken["diagnostics"].back()["file"] == "vipd.toml");
  CHECK(broken["diagnostics"].back()["line"] == 2);
  CHECK(broken["report"].get<std::string>().find("vipd.toml:2:8: error[range]") != std::string::npos);
  CHECK(bench.node.router().config() == bench.node.config.instances[0]);
}

TEST_CASE("Reloader: a reload on trial goes back unless it is confirmed") {
  Bench bench;
  Config wanted = bench.node.config;
  wanted.instances[0].priority = 200;
  bench.write(wanted, "second");
  CHECK(bench.ask("{\"verb\":\"confirm\"}\n").find("no reload waits") != std::string::npos);
  CHECK(bench.ask("{\"verb\":\"reload\",\"confirm_ms\":\"soon\"}\n").find("vipd.error/1") != std::string::npos);
  CHECK(bench.ask("{\"verb\":\"reload\",\"confirm_ms\":999}\n").find("vipd.error/1") != std::string::npos);
  // As 64 bits of nanoseconds, this number would wrap to a minute.
  CHECK(bench.ask("{\"verb\":\"reload\",\"confirm_ms\":288230376151771744}\n").find("vipd.error/1") !=
        std::string::npos);
  CHECK(bench.node.router().standing().base_priority() == 254);

  CHECK(Json::parse(bench.ask("{\"verb\":\"reload\",\"confirm_ms\":1000}\n"))["on_trial"] == true);
  CHECK(bench.node.router().standing().base_priority() == 200);
  CHECK(Json::parse(bench.ask("{\"verb\":\"status\"}\n"))["reload_to_confirm"].is_string());
  for (int i = 0; i < 50 && bench.reloader->state().trial_ends; ++i) bench.loop->turn(milliseconds(100));
  CHECK(bench.node.router().standing().base_priority() == 254);

  bench.ask("{\"verb\":\"reload\",\"confirm_ms\":60000}\n");
  CHECK(Json::parse(bench.ask("{\"verb\":\"confirm\"}\n"))["confirmed"] == true);
  CHECK_FALSE(bench.reloader->state().trial_ends);
  CHECK(bench.node.router().standing().base_priority() == 200);
}

TEST_CASE("Reloader: nothing but a confirmation makes a trial permanent") {
  Bench bench;
  bench.write_priority(200, "second");
  CHECK(Json::parse(bench.ask(R"({"verb":"reload","confirm_ms":60000})"
                              "\n"))["on_trial"] == true);
  CHECK(bench.life.phase() == Phase::on_trial);
  const auto ends = bench.reloader->state().trial_ends;
  SECTION("not a reload without news") {
    CHECK(Json::parse(bench.ask("{\"verb\":\"reload\"}\n"))["on_trial"] == true);
    CHECK(bench.reloader->state().trial_ends == ends);
  }
  SECTION("not a reload of something else, which then is on trial as well") {
    bench.write_priority(150, "third");
    const Json answer = Json::parse(bench.ask("{\"verb\":\"reload\"}\n"));
    CHECK(answer["on_trial"] == true);
    CHECK(answer["confirm_within_ms"] <= 60000);
    CHECK(bench.priority() == 150);
    CHECK(bench.reloader->state().trial_ends == ends);
    CHECK(bench.unconfirmed().before(bench.on_disk->sources) == std::vector<ConfigSource>{{"vipd.toml", "first"}});
  }
  SECTION("not one more trial, whose time counts") {
    bench.ask(R"({"verb":"reload","confirm_ms":90000})"
              "\n");
    CHECK(bench.reloader->state().trial_ends > ends);
  }
  SECTION("not files that cannot be read") {
    bench.on_disk = failure("cannot read vipd.toml");
    CHECK(Json::parse(bench.ask("{\"verb\":\"reload\"}\n"))["valid"] == false);
    CHECK(bench.reloader->state().trial_ends == ends);
  }
  SECTION("not a re-exec, which is refused") {
    CHECK(bench.ask("{\"verb\":\"reexec\"}\n").find("a reload waits for its confirmation") != std::string::npos);
    CHECK(bench.reexecs == 0);
  }
  SECTION("not a stop, nor what comes after it") {
    REQUIRE(bench.life.take(LifeEvent::stop));
    bench.reloader->stop();
    for (const char* verb : {"reload", "confirm", "reexec", "diff"})
      CHECK(bench.ask(R"({"verb":")" + std::string(verb) + "\"}\n").find("it is stopping") != std::string::npos);
    CHECK(bench.unconfirmed().before(bench.on_disk->sources).has_value());
    return;
  }
  bench.reloader->reload(milliseconds(20));
  bench.turn();
  if (!bench.on_disk) return;
  for (int i = 0; i < 50 && bench.life.phase() == Phase::on_trial; ++i) bench.loop->turn(milliseconds(100));
  CHECK(bench.priority() == 254);
  CHECK_FALSE(bench.reloader->state().files_in_force);
  CHECK(bench.unconfirmed().before(bench.on_disk->sources).has_value());  // the files are still those of the trial
}

TEST_CASE("Reloader: a reload to what was in force before the trial ends the trial") {
  Bench bench;
  const LoadedConfig first = loaded(bench.node.config, "first");
  bench.write_priority(200, "second");
  bench.ask(R"({"verb":"reload","confirm_ms":60000})"
            "\n");
  bench.on_disk = first;
  CHECK(Json::parse(bench.ask("{\"verb\":\"reload\"}\n"))["on_trial"] == false);
  CHECK(bench.priority() == 254);
  CHECK(bench.life.phase() == Phase::serving);
  bench.write_priority(200, "second");
  CHECK_FALSE(bench.unconfirmed().before(bench.on_disk->sources));
  CHECK(bench.ask("{\"verb\":\"confirm\"}\n").find("no reload waits") != std::string::npos);
}

TEST_CASE("Reloader: a trial whose way back cannot be kept does not begin, and one that stays unconfirmed is said") {
  Bench bench;
  bench.write_priority(200, "second");
  std::filesystem::create_directory(bench.unconfirmed_path());
  const std::string answer = bench.ask(R"({"verb":"reload","confirm_ms":60000})"
                                       "\n");
  CHECK(answer.find("reload refused: cannot") != std::string::npos);
  CHECK(bench.priority() == 254);
  CHECK(bench.life.phase() == Phase::serving);
}

TEST_CASE("Reloader: status says whether the files are in force, as of the last look at them") {
  Bench bench;
  const auto in_force = [&] { return Json::parse(bench.ask("{\"verb\":\"status\"}\n"))["files_in_force"]; };
  const auto diff = [&] { return Json::parse(bench.ask("{\"verb\":\"diff\"}\n"))["in_force"]; };
  CHECK(in_force() == true);
  bench.write_priority(200, "second");
  CHECK(diff() == false);
  CHECK(in_force() == false);
  bench.on_disk = loaded(bench.node.config, "first");  // the edit is taken back
  CHECK(diff() == true);
  CHECK(in_force() == true);
  bench.on_disk = failure("cannot read vipd.toml");
  bench.ask("{\"verb\":\"reload\"}\n");
  CHECK(in_force() == false);
  Config with_hooks = bench.node.config;
  with_hooks.hooks_d = {"/etc/vipd/hooks.d/new"};
  bench.write(with_hooks, "first");  // the same texts
  CHECK(diff() == false);
  bench.ask("{\"verb\":\"reload\"}\n");
  CHECK(in_force() == true);
  CHECK(bench.reloader->in_force().hooks == with_hooks.hooks_d);
}

TEST_CASE("ControlServer: a re-exec is answered with the version, or with the reason why there is none") {
  Bench bench;
  const std::string request = "{\"verb\":\"reexec\"}\n";
  REQUIRE_FALSE(bench.on_disk);  // unreadable files do not matter
  CHECK(Json::parse(bench.ask(request))["schema"] == "vipd.version/1");
  CHECK(bench.reexecs == 1);
  bench.no_reexec = "it is stopping";
  CHECK(Json::parse(bench.ask(request))["error"] == "it is stopping");
  CHECK(bench.reexecs == 1);
}

TEST_CASE("ControlServer: who asks while one program replaces the other is answered by the new one") {
  Bench bench;
  Fd kept(::dup(bench.server->listener()));
  const Fd asks = bench.connect();
  const std::string request = "{\"verb\":\"version\"}\n";
  REQUIRE(::send(asks.get(), request.data(), request.size(), 0) == std::ssize(request));
  const std::string path = bench.path(), elsewhere = path + ".kept";
  std::filesystem::rename(path, elsewhere);  // a process that is replaced does not remove it
  bench.server.reset();
  std::filesystem::rename(elsewhere, path);
  bench.server = std::move(*ControlServer::open(*bench.loop, path, std::move(kept), *bench.node.supervisor,
                                                *bench.reloader, *bench.reader, [&] { return bench.reexec(); },
                                                {.host = "lb1", .started = bench.loop->now(), .pid = 43}));
  bench.turn();
  std::string answer(4096, '\0');
  answer.resize(
      static_cast<std::size_t>(std::max<ssize_t>(::recv(asks.get(), answer.data(), answer.size(), MSG_DONTWAIT), 0)));
  CHECK(Json::parse(answer, nullptr, false)["pid"] == 43);
}
