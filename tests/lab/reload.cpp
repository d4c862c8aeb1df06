// The file changes while the daemon runs. Unchanged instances are not touched, and a faulty file changes nothing.
#include <csignal>
#include <fstream>
#include <sstream>

#include "crowd.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace {

/// `vipctl reload --json` with this file in place.
Json reload(const Node& node, const std::string& text) {
  write_config(node, text);
  return Json::parse(vipctl(node, {"reload", "--json"}).output);
}

/// Waits until instance n1 has sent `more` further adverts. It reads few documents: with 255 instances each is long.
void await_own_adverts(const Node& node, int more) {
  const auto sent = [&] { return node.instance().at("counters").at("adverts_sent").get<int>(); };
  const int before = sent();
  REQUIRE(wait_until(30s, [&] { return sent() >= before + more; }));
}

/// Faulty files, each with its first expected diagnostic.
struct Broken {
  std::string text, said;
};

/// The files of the unit tests with an error: "#! error KIND LINE:COLUMN".
std::vector<Broken> broken_files() {
  std::vector<Broken> result;
  for (const auto& entry : std::filesystem::directory_iterator(VIPD_SOURCE_DIR "/tests/data/bad-configs")) {
    std::ifstream file(entry.path());
    std::string text(std::istreambuf_iterator<char>(file), {}), kind, place;
    const auto at = text.find("#! error ");
    if (at == std::string::npos) continue;
    std::istringstream(text.substr(at + 9)) >> kind >> place;
    result.push_back({std::move(text), "vipd.toml:" + place + ": error[" + kind + "]"});
  }
  return result;
}

}  // namespace

// The figures are only printed, since a busy machine delays some of 2550 adverts a second. The test asserts that no
// node is declared dead.
TEST_CASE("lab: a reload without a change, and with one, costs a crowd of instances no transition", "[lab]") {
  Pair pair(Family::ipv4);
  pair.a.start_vipd(crowd(254));
  REQUIRE(wait_until(20s, [&] { return all_are(pair.a, "active"); }));
  const int transitions = transitions_of_all(pair.a);
  const WallTime quiet = std::chrono::system_clock::now();
  await_own_adverts(pair.a, 10);
  measured("longest gap between adverts of " + std::to_string(kCrowd) + " instances at 100 ms, no reload",
           worst_gap(pair.sniffer, pair.source_a, quiet));

  for (const int changed : {0, 40}) {
    const WallTime since = std::chrono::system_clock::now();
    write_config(pair.a, crowd(254, changed));
    pair.a.vipd().signal(SIGHUP);
    await_own_adverts(pair.a, 10);
    measured(std::string("longest gap with a reload that changes ") + (changed == 0 ? "nothing" : "one"),
             worst_gap(pair.sniffer, pair.source_a, since));  // the goal is 1.2 intervals
  }
  CHECK(transitions_of_all(pair.a) == transitions);
  CHECK(pair.a.status().at("instances").at(39).at("priority").at("base") == 253);
}

TEST_CASE("lab: a broken file changes nothing, however often it is reloaded", "[lab]") {
  Pair pair(Family::ipv4);
  pair.start();
  const int transitions = pair.a.instance().at("transitions");
  const std::string good = web(Family::ipv4, 254);
  std::vector<Broken> broken = broken_files();
  for (const std::string& text :
       {good + "prioritty = 1\n", good + "priority = 1\n", good.substr(0, good.size() / 2), std::string(),
        std::string("\xff\xfe"), good + "preempt = \"no\"\n", web(Family::ipv4, 999), good + "[instance.web]\n",
        good + "hooks.any = \"relative\"\n", good + "hooks.any = \"/not/there\"\n", std::string(2 << 20, '#')})
    broken.push_back({text, "error"});
  const Process server(pair.a, {program("vipd-traffic"), "serve", "7"});
  REQUIRE(wait_until(5s, [&] {
    return run(pair.client, {program("vipd-traffic"), "watch", pair.vip, "7", "--for", "5ms"}).status == 0;
  }));
  Watch client(pair.client, pair.vip);
  const std::size_t before = pair.sniffer.adverts_from(pair.source_a).size();
  for (std::size_t round = 0; round < 200; ++round) {
    const auto& [text, said] = broken[round % broken.size()];
    const Json answer = reload(pair.a, text);
    INFO(said << "\n" << answer.dump());
    REQUIRE_FALSE(answer.at("valid").get<bool>());
    REQUIRE(answer.at("report").get<std::string>().find(said) != std::string::npos);
    REQUIRE(answer.at("changes").empty());
  }
  pair.await_adverts(pair.source_a, 3);
  CHECK(pair.a.instance().at("transitions") == transitions);
  CHECK(pair.a.instance().at("priority").at("base") == 254);
  const Duration gap = longest_gap(pair.sniffer.adverts_from(pair.source_a), before);
  const double outage = client.finish().at("longest_outage_ms");
  std::cout << "measured: 200 reloads of " << broken.size() << " broken files: longest gap between adverts "
            << in_ms(gap) << " ms, longest time without an answer for a client " << outage << " ms" << std::endl;
  CHECK(gap < kInterval + kSlack);
  CHECK(outage < in_ms(kSlack));

  write_config(pair.a, good + "prioritty = 1\n");
  const Finished refused = vipctl(pair.a, {"reload"});
  CHECK(refused.status == 2);
  CHECK(refused.errors.find("prioritty") != std::string::npos);
  CHECK(refused.errors.find("did you mean") != std::string::npos);
}

TEST_CASE("lab: what a reload absorbs, and what makes another virtual router", "[lab]") {
  Pair pair(Family::ipv4);
  pair.start();
  const int transitions = pair.a.instance().at("transitions");

  const std::string more = R"(hooks.timeout = "5s")";
  std::string text = web(Family::ipv4, 254, more);
  text.replace(text.find("192.0.2.10/24\""), 14, "192.0.2.10/24\", \"192.0.2.11/24\"");
  const AddressMonitor monitor(pair.a);
  REQUIRE(reload(pair.a, text).at("valid").get<bool>());
  REQUIRE(wait_until(5s, [&] { return pair.a.has("192.0.2.11"); }));
  CHECK(pair.a.instance().at("transitions") == transitions);
  REQUIRE(reload(pair.a, web(Family::ipv4, 254)).at("changes").size() == 1);
  REQUIRE(wait_until(5s, [&] { return !pair.a.has("192.0.2.11"); }));
  for (const auto& event : monitor.events()) CHECK(event.prefix == "192.0.2.11/24");  // the other stays
  CHECK(pair.a.instance().at("transitions") == transitions);

  const Json lowered = reload(pair.a, web(Family::ipv4, 200));
  INFO(lowered.dump());
  REQUIRE(lowered.at("changes").at(0).at("text").get<std::string>().find("priority 254 -> 200") != std::string::npos);
  REQUIRE(pair.b.wait_state("active"));
  REQUIRE(pair.a.wait_state("backup"));
  REQUIRE_FALSE(pair.a.has(pair.vip));

  std::string other = web(Family::ipv4, 200);
  other.replace(other.find("vrid = 51"), 9, "vrid = 52");
  other.replace(other.find("192.0.2.10"), 10, "192.0.2.12");
  CHECK(reload(pair.a, other).at("changes").at(0).at("change") == "restart");
  REQUIRE(pair.a.wait_state("active"));
  CHECK(pair.a.instance().at("vrid") == 52);
  CHECK(pair.a.has("192.0.2.12"));
  CHECK(pair.b.state() == "active");
}

TEST_CASE("lab: a reload adds one address and one route to an Active instance, and announces the address", "[lab]") {
  Pair pair(Family::ipv4);
  const std::string quiet = "announce.count = 2\nannounce.again_after = \"0s\"\nannounce.refresh = \"0s\"\n";
  pair.a.start_vipd(web(Family::ipv4, 254, quiet));
  REQUIRE(pair.a.wait_state("active"));
  REQUIRE(wait_until(5s, [&] { return pair.sniffer.of_kind("garp").size() == 2; }));

  const AddressMonitor monitor(pair.a);
  std::string text =
      web(Family::ipv4, 254, quiet + R"(routes = [{to = "10.1.0.0/16", via = "192.0.2.100", source = "192.0.2.10"}])");
  text.replace(text.find("192.0.2.10/24\""), 14, "192.0.2.10/24\", {address = \"192.0.2.11/24\", label = \"eth0:b\"}");
  const Json answer = reload(pair.a, text);
  INFO(answer.dump());
  CHECK(answer.at("changes").at(0).at("text").get<std::string>().find(
            R"(routes unset -> [{to = "10.1.0.0/16", via = "192.0.2.100", source = "192.0.2.10"}])") !=
        std::string::npos);
  REQUIRE(wait_until(5s, [&] { return pair.sniffer.of_kind("garp").size() >= 4; }));
  CHECK(must(pair.a, "ip -o addr show label eth0:b").find("192.0.2.11/24") != std::string::npos);
  CHECK(must(pair.a, "ip route show proto 112").find("10.1.0.0/16 via 192.0.2.100") != std::string::npos);
  pair.await_adverts(pair.source_a, 3);
  const auto garps = pair.sniffer.of_kind("garp");
  CHECK(garps.size() == 4);
  for (std::size_t i = 2; i < garps.size(); ++i) CHECK(garps[i].at("address") == "192.0.2.11");
  CHECK(monitor.events().size() == 1);  // the other address was not touched

  REQUIRE(reload(pair.a, web(Family::ipv4, 254, quiet)).at("changes").size() == 1);
  REQUIRE(wait_until(5s, [&] { return !pair.a.has("192.0.2.11"); }));
  CHECK(must(pair.a, "ip route show proto 112").empty());
  CHECK(pair.a.state() == "active");
}

TEST_CASE("lab: a reload adds and removes instances, and an unknown interface touches no other", "[lab]") {
  Pair pair(Family::ipv4);
  pair.start();
  const int transitions = pair.a.instance().at("transitions");
  const std::size_t before = pair.sniffer.adverts_from(pair.source_a).size();
  const std::string db =
      "[instance.db]\ninterface = \"nothere\"\nvrid = 52\naddresses = [\"192.0.2.12/24\"]\nadvert_interval = "
      "\"100ms\"\n";
  CHECK(reload(pair.a, web(Family::ipv4, 254) + db).at("changes").at(0).at("change") == "new");
  const auto second = [&] { return pair.a.status().at("instances").at(1); };
  REQUIRE(wait_until(5s, [&] { return second().at("fault").is_string(); }));
  std::string real = db;
  real.replace(real.find("nothere"), 7, "eth0");
  reload(pair.a, web(Family::ipv4, 254) + real);
  REQUIRE(wait_until(5s, [&] { return second().at("state") == "active"; }));
  REQUIRE(pair.a.has("192.0.2.12"));
  CHECK(reload(pair.a, web(Family::ipv4, 254)).at("changes").at(0).at("change") == "removed");
  REQUIRE(wait_until(5s, [&] { return !pair.a.has("192.0.2.12"); }));
  REQUIRE(wait_until(5s, [&] { return pair.a.status().at("instances").size() == 1; }));
  CHECK(pair.a.instance().at("transitions") == transitions);
  std::vector<Json> web_adverts = pair.sniffer.adverts_from(pair.source_a);
  web_adverts.erase(web_adverts.begin(), web_adverts.begin() + static_cast<std::ptrdiff_t>(before));
  std::erase_if(web_adverts, [](const Json& advert) { return advert.at("vrid") != 51; });
  CHECK(longest_gap(web_adverts) < kInterval + kSlack);
}

TEST_CASE("lab: an unconfirmed reload goes back by itself, a confirmed one stays", "[lab]") {
  Pair pair(Family::ipv4);
  pair.start();
  const auto base = [&] { return pair.a.instance().at("priority").at("base").get<int>(); };
  write_config(pair.a, web(Family::ipv4, 253 - 1, "preempt = false"));
  REQUIRE(vipctl(pair.a, {"reload", "--confirm", "1s"}).status == 0);
  CHECK(base() == 252);
  REQUIRE(wait_until(5s, [&] { return base() == 254; }));
  CHECK(vipctl(pair.a, {"confirm"}).status == 1);

  REQUIRE(vipctl(pair.a, {"reload", "--confirm", "60s"}).status == 0);
  CHECK_FALSE(pair.a.status().at("reload_to_confirm").is_null());
  REQUIRE(vipctl(pair.a, {"confirm"}).status == 0);
  CHECK(base() == 252);
  CHECK(pair.a.status().at("reload_to_confirm").is_null());
}

TEST_CASE("lab: a diff says what another VRID costs, and it costs that", "[lab]") {
  Pair pair(Family::ipv4);
  pair.start();
  const auto other = [&](int priority) {
    std::string text = web(pair.family, priority);
    return text.replace(text.find("vrid = 51"), 9, "vrid = 52");
  };
  const std::string change = "web: restart: vrid 51 -> 52";
  write_config(pair.b, other(253));
  CHECK(vipctl(pair.b, {"diff"}).output == change + "\n");  // a change of a Backup has no effect to show
  write_config(pair.a, other(254));
  CHECK(vipctl(pair.a, {"diff"}).output == change + ": would send priority 0, hand over and start anew\n");
  CHECK(pair.a.instance().at("vrid") == 51);
  const int before = pair.b.instance().at("transitions");
  const std::string done = change + ": sends priority 0, hands over and starts anew";
  REQUIRE(vipctl(pair.a, {"reload"}).output.starts_with(done));
  REQUIRE(pair.a.vipd().errors().find("reload: " + done) != std::string::npos);
  REQUIRE(pair.b.wait_state("active"));
  const auto said = pair.sniffer.adverts_from(pair.source_a);
  REQUIRE(std::ranges::any_of(said, [](const Json& advert) { return advert.at("priority") == 0; }));
  REQUIRE(pair.b.instance().at("transitions") == before + 1);
}

TEST_CASE("lab: a diff touches nothing, and an earlier configuration can be had back", "[lab]") {
  Pair pair(Family::ipv4);
  pair.start();
  const std::string first = web(Family::ipv4, 254);
  write_config(pair.a, web(Family::ipv4, 240));
  const Finished diff = vipctl(pair.a, {"diff"});
  CHECK(diff.status == 0);
  CHECK(diff.output.find("web: changed: priority 254 -> 240") != std::string::npos);
  CHECK(pair.a.instance().at("priority").at("base") == 254);
  REQUIRE(vipctl(pair.a, {"reload"}).status == 0);
  CHECK(vipctl(pair.a, {"diff"}).output == "nothing changes\n");

  const auto config = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "config");
    words.insert(words.end(), {"--state-dir", pair.a.directory() / "state-runner"});
    return vipctl(pair.a, words);
  };
  const auto kept = [&] { return Json::parse(config({"list", "--json"}).output).at("configurations").size(); };
  REQUIRE(wait_until(5s, [&] { return kept() == 2; }));
  CHECK(config({"show", "1"}).output.find("priority = 254") != std::string::npos);
  CHECK(config({"show", "9"}).status == 1);
  const Finished restored = config({"restore", "1", "--config", pair.a.directory() / "vipd.toml"});
  INFO(restored.output << restored.errors);
  REQUIRE(restored.status == 0);
  CHECK(pair.a.instance().at("priority").at("base") == 254);
  std::ifstream file(pair.a.directory() / "vipd.toml");
  CHECK(std::string(std::istreambuf_iterator<char>(file), {}) == first);
  CHECK(std::filesystem::exists(pair.a.directory() / "vipd.toml.before-restore"));
}
