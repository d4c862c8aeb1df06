// The control socket: vipctl with a live pair, and misbehaving clients.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>

#include "attacker.hpp"
#include "crowd.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace {

/// Writes until the socket takes no more or the daemon hangs up.
void pour(const Fd& fd, const std::string& text, std::size_t limit) {
  for (std::size_t sent = 0; sent < limit; sent += text.size())
    if (send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL) < 0) return;
}

}  // namespace

TEST_CASE("lab: clients that do not behave disturb nobody", "[lab]") {
  Pair pair(Family::ipv4);
  pair.start();
  const std::size_t before = pair.sniffer.adverts_from(pair.source_a).size();
  const int transitions = pair.a.instance().at("transitions");
  std::vector<Fd> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(connect_to(pair.a));  // a client that says nothing
    clients.push_back(connect_to(pair.a));
    pour(clients.back(), std::string("\0\xff\xfe{]}{\n\"verb\"\n{\"verb\":[[[[\n", 25), 100'000);
    clients.push_back(connect_to(pair.a));
    pour(clients.back(), std::string(65536, 'x'), 64 << 20);  // a line without an end
    clients.push_back(connect_to(pair.a));
    pour(clients.back(), "{\"verb\":\"status\"}\n", 10 << 20);  // asks for ever and never reads
    connect_to(pair.a);                                         // a client that leaves at once
  }
  pair.await_adverts(pair.source_a, 5);
  REQUIRE(pair.a.state() == "active");
  const Duration gap = longest_gap(pair.sniffer.adverts_from(pair.source_a), before);
  measured("longest gap between adverts beside clients that do not behave", gap);
  REQUIRE(gap < kInterval + kSlack);
  REQUIRE(pair.a.instance().at("transitions") == transitions);
}

TEST_CASE("lab: vipctl events -f shows a transition as it happens", "[lab]") {
  Pair pair(Family::ipv4);
  pair.start();
  const Process follower(pair.b, {program("vipctl"), "--runtime-dir", pair.b.runtime_dir(), "events", "-f", "--json"});
  REQUIRE(wait_until(5s, [&] { return !follower.output().empty(); }));  // the past transitions
  const std::size_t past = follower.output().size();
  pair.a.vipd().signal(SIGKILL);
  REQUIRE(wait_until(5s, [&] { return follower.output(past).find('\n') != std::string::npos; }));
  const std::string text = follower.output(past);
  CAPTURE(text);
  const Json document = Json::parse(text.substr(0, text.find('\n')));
  REQUIRE(document.at("schema") == "vipd.event/1");
  REQUIRE(document.at("event").at("from") == "backup");
  REQUIRE(document.at("event").at("to") == "active");
  REQUIRE(document.at("event").at("reason").get<std::string>().find(pair.source_a) != std::string::npos);
}

TEST_CASE("lab: a follower that never reads is cut, and nobody waits for it", "[lab]") {
  Lab lab;
  Node& a = lab.add_node("a", 1);
  a.start_vipd(crowd(254));
  REQUIRE(wait_until(20s, [&] { return all_are(a, "active"); }));
  const Fd slow = connect_to(a);
  pour(slow, "{\"verb\":\"events\",\"follow\":true}\n", 1);
  const auto cut = [&] {
    pollfd hung{slow.get(), 0, 0};
    return poll(&hung, 1, 0) == 1 && (hung.revents & POLLHUP) != 0;
  };
  const Process quick(a, {program("vipctl"), "--runtime-dir", a.runtime_dir(), "events", "-f", "--json"});
  REQUIRE(wait_until(5s, [&] { return quick.output().ends_with("\n"); }));  // the past transitions
  const auto flap = [&](bool up) {
    const std::size_t seen = quick.output().size();
    lab.set_port(a, up);
    const std::string told = std::string("\"to\":\"") + (up ? "active" : "fault");
    REQUIRE(wait_until(20s, [&] { return count_of(quick.output(seen), told) == kCrowd; }));
  };
  int flaps = 0;
  for (; !cut() && flaps < 100; ++flaps) {
    flap(false);
    flap(true);
  }
  std::cout << "measured: a follower that does not read is cut after " << flaps << " flaps of " << kCrowd
            << " instances; another one got " << quick.output().size() << " octets" << std::endl;
  REQUIRE(cut());
  REQUIRE(all_are(a, "active"));
}

TEST_CASE("lab: a user who is not root looks, changes nothing and keeps nobody out", "[lab]") {
  Lab lab;
  Node& a = lab.add_node("a", 1);
  a.start_vipd(web(Family::ipv4, 254));
  REQUIRE(a.wait_state("active"));
  std::filesystem::permissions(std::filesystem::path(a.runtime_dir()).parent_path(), std::filesystem::perms(0755));
  std::filesystem::permissions(a.runtime_dir(), std::filesystem::perms(0755));
  std::filesystem::permissions(a.runtime_dir() + "/control.sock", std::filesystem::perms(0666));
  const auto as_user = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"setpriv", "--reuid=4242", "--regid=4242", "--clear-groups", program("vipctl"),
                                 "--runtime-dir", a.runtime_dir()});
    return words;
  };
  for (const auto& words : std::vector<std::vector<std::string>>{{"status"}, {"events"}, {"diff"}})
    CHECK(run(a, as_user(words)).status == 0);
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"reload"}, {"reload", "--confirm", "9s"}, {"confirm"}}) {
    const Finished refused = run(a, as_user(words));
    CAPTURE(words, refused.errors);
    CHECK(refused.status == 5);
    CHECK(refused.errors.find("only root") != std::string::npos);
  }
  std::vector<std::unique_ptr<Process>> followers;
  for (int i = 0; i < 16; ++i) followers.push_back(std::make_unique<Process>(a, as_user({"events", "-f"})));
  for (const auto& follower : followers) REQUIRE(wait_until(5s, [&] { return !follower->output().empty(); }));
  const Finished crowded = run(a, as_user({"events", "-f"}));
  CHECK(crowded.status == 1);
  CHECK(crowded.errors.find("too many clients of user 4242") != std::string::npos);
  CHECK(vipctl(a, {"reload"}).status == 0);
}

TEST_CASE("lab: vipctl without a verb shows the state to a human", "[lab]") {
  Pair pair(each_family());
  pair.start();
  const std::string text = must(pair.a, program("vipctl") + " --runtime-dir " + pair.a.runtime_dir());
  CAPTURE(text);
  REQUIRE(text.find("web: ACTIVE") != std::string::npos);
  REQUIRE(text.find(pair.vip) != std::string::npos);
}

TEST_CASE("lab: vipctl says when there is no daemon", "[lab]") {
  Lab lab;
  const Node& a = lab.add_bare_node("a", 1);
  const Finished finished = run(a, {program("vipctl"), "--runtime-dir", a.runtime_dir(), "status"});
  REQUIRE(finished.status == 3);
  REQUIRE(finished.errors.find("no daemon") != std::string::npos);
}
