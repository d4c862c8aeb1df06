// Transcripts: a fault is reported with its line and a remedy, and no text ends the program.
#include <random>

#include "support/catch.hpp"
#include "vipd/sim/phrases.hpp"
#include "vipd/sim/play.hpp"

using namespace vipd;
using namespace vipd::sim;

namespace {

const std::string kNodes = R"(node lb1
  [instance.web]
  interface = "eth0"
  vrid = 51
  priority = 254
  addresses = ["192.0.2.10/24"]
node lb2 like lb1
  priority = 253
)";

std::string error_of(const std::string& text) {
  const auto transcript = read_transcript(text);
  return transcript ? "" : transcript.error().message;
}

/// A transcript with the pair above, whose last line is line 8.
std::string error_behind(const std::string& text) { return error_of(kNodes + text + "until 30s\n"); }

Played played(const std::string& text) {
  const auto transcript = read_transcript(kNodes + text);
  INFO((transcript ? "" : transcript.error().message));
  REQUIRE(transcript);
  return play(*transcript);
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("transcript: a good one is read, and runs the same each time") {
  const std::string text = "at 10s lb1 crash\nuntil 20s\nexpect\nnothing yet\n";
  const auto transcript = read_transcript(kNodes + text);
  REQUIRE(transcript);
  CHECK(transcript->nodes.size() == 2);
  CHECK(transcript->nodes[1].config.instances[0].priority == 253);
  CHECK(transcript->happenings.size() == 1);
  CHECK(transcript->expected == "nothing yet\n");
  CHECK(transcript->scenario == kNodes + "at 10s lb1 crash\nuntil 20s\nexpect\n");
  const Played first = play(*transcript), second = play(*transcript);
  CHECK(first.timeline == second.timeline);
  CHECK(has(first.timeline,
            "   12.020  lb2  web  backup -> active  no advert from 192.0.2.1 (priority 254) for 3.012s\n"));
  CHECK(has(first.timeline, "192.0.2.10 is with lb1 and lb2 for 7.980 s by now"));
  CHECK(first.broken.empty());
}

TEST_CASE("transcript: what is wrong is told with its line and a remedy") {
  struct Wrong {
    const char *text, *message;
  };
  const Wrong wrong = GENERATE(
      Wrong{"tomorrow lb1 stop\n",
            "line 9: \"tomorrow\" is not the first word of a statement: use seed, show, node, at, every, until"},
      Wrong{"at 10x lb1 stop\n", "line 9: \"10x\" is not a time: write it as 250ms, 10.3s, 2m or 1h"},
      Wrong{"at -1s lb1 stop\n", "line 9: \"-1s\" is not a time"}, Wrong{"at 1000000000s lb1 stop\n", "is not a time"},
      Wrong{"at 10s lb9 stop\n", "line 9: \"lb9\" cannot stand here: write a node (lb1, lb2), \"cut\", \"mend\""},
      Wrong{"at 10s lb1 dance\n", "\"dance\" cannot stand behind \"lb1\" here: write \"start\", \"stop\""},
      Wrong{"at 10s lb1 link eth0\n", "something is missing behind \"lb1 link eth0\": write \"down\", \"up\""},
      Wrong{"at 10s lb1 link eth7 down\n", "write an interface (eth0, eth1, eth2)"},
      Wrong{"at 10s lb1 stop now\n", "\"now\" cannot stand behind \"lb1 stop\" here: write the end of the line"},
      Wrong{"at 10s cut lb1 <-> lb1\n", "\"lb1\" cannot stand behind \"cut lb1 <->\" here: write a node (lb1, lb2)"},
      Wrong{"at 10s loss 101%\n", "write a share (30%)"},
      Wrong{"at 10s lb1 kernel refuses addresses EWHAT\n", "an error of the kernel (EPERM"},
      Wrong{"at 10s lb1 stop\nat 9s lb2 stop\n", "line 10: this happens before line 9: put the lines in the order"},
      Wrong{"at 31s lb1 stop\n", "line 9: this happens after the end: let \"until\" say a later time"},
      Wrong{"every 0s from 1s until 2s lb1 stop\n", "the period is 1ms at least"},
      Wrong{"every 1s from 2s until 1s lb1 stop\n", "\"until\" comes before \"from\""},
      Wrong{"every 1s since 2s\n", "write \"from\" in place of \"since\""},
      Wrong{"every 1ms from 1s until 30s lb1 stop\n", "more than 10000 things happen: leave some out"},
      Wrong{"at 10s lb1 stop\n  priority = 1\n", "line 10: only \"NODE start\" and \"NODE reload\" take lines"},
      Wrong{"at 10s lb1 reload\n  priority = 256\n", "line 10: \"priority\" must be 1..255, got 256"},
      Wrong{"at 10s lb1 reload\n  - hooks.any\n", "line 10: there is nothing that \"- hooks.any\" could change"},
      Wrong{"at 10s lb1 reload\n  interface = \"ens3\"\n", "line 10: the simulated nodes have no interface ens3"},
      Wrong{"node lb1\n", "line 9: the node has no configuration"},
      Wrong{"node lb1 like lb2\n", "there is a node lb1 already: give this one another name"},
      Wrong{"node lb3 like lb9\n", "\"like\" needs the name of a node that stands above: there is lb1, lb2"},
      Wrong{"node cut like lb1\n", "a node needs a name"},
      Wrong{"node lb3 on\n", "\"on\" is not known behind a node's name: use \"like NODE\" or \"off\""},
      Wrong{"expect miracles\n", "\"expect miracles\" is not known"},
      Wrong{"seed -1\n", "a seed is a number without a sign"},
      Wrong{"show all\n", "only \"show announcements\" is known here"},
      Wrong{"until 5s\n", "the scenario has an end already"});
  INFO(wrong.text);
  CHECK(error_behind(wrong.text).find(wrong.message) != std::string::npos);
}

TEST_CASE("transcript: what is missing is told, too") {
  CHECK(has(error_of(""), "there is no node: begin with \"node lb1\""));
  CHECK(has(error_of(kNodes), "a line \"until TIME\" is missing"));
  CHECK(has(error_of("  vrid = 1\n"), "line 1: this line is indented"));
  CHECK(has(error_of("node lb1\n  [instance.web]\n  vrid = 256\n"), "line "));
  CHECK(has(error_of(std::string((1 << 20) + 1, '#')), "the text is longer than 1 MiB"));
}

TEST_CASE("transcript: each phrase of the table is understood, and can be done at any time") {
  const std::vector<std::pair<std::string, std::string>> samples = {{"NODE", "lb1"},
                                                                    {"IFACE", "eth0"},
                                                                    {"ADDRESS", "192.0.2.10"},
                                                                    {"PREFIX", "192.0.2.77/24"},
                                                                    {"NAME", "app"},
                                                                    {"PATH", "/any"},
                                                                    {"TIME", "2s"},
                                                                    {"NUMBER", "51"},
                                                                    {"SHARE", "30%"},
                                                                    {"ERROR", "EPERM"}};
  const std::vector<std::string> nodes = {"lb1", "lb2"};
  for (const Phrase& phrase : phrases()) {
    std::string words(phrase.form);
    int nodes_named = 0;
    for (const auto& [place, sample] : samples)
      for (std::size_t at = words.find(place); at != std::string::npos; at = words.find(place))
        words.replace(at, place.size(), place == "NODE" && ++nodes_named == 2 ? "lb2" : sample);
    INFO(words);
    const auto understood = understand(words, nodes);
    CHECK((understood && understood->phrase == &phrase));
    for (const char* before : {"", "at 10s lb1 crash\n", "at 10s lb1 power off\n", "at 10s lb1 pause 20s\n",
                               "at 10s lb1 stop\n", "at 10s lb1 interface eth0 removed\n"})
      CHECK_FALSE(played(before + ("at 10s " + words) + "\nat 12s " + words + "\nuntil 15s\nexpect overlap\n")
                      .timeline.empty());
  }
}

TEST_CASE("transcript: a node that the caller hands in stands before those of the text") {
  const std::string toml =
      "[instance.web]\ninterface = \"eth0\"\nvrid = 51\npriority = 254\naddresses = [\"192.0.2.10/24\"]\n";
  const std::vector<NodeFile> given = {{"lb1", toml}, {"lb2", toml}};
  const auto transcript = read_transcript("at 10s lb1 stop\nuntil 20s\n", given);
  REQUIRE(transcript);
  CHECK(transcript->nodes.size() == 2);
  CHECK(transcript->scenario == "at 10s lb1 stop\nuntil 20s\nexpect\n");
  const std::vector<NodeFile> bad = {{"lb1", "[instance.web]\nvrid = 0\n"}};
  const auto refused = read_transcript("until 20s\n", bad);
  REQUIRE_FALSE(refused);
  CHECK(has(refused.error().message, "lb1: line "));
}

TEST_CASE("transcript: a promise that is broken is told, unless the scenario expects that") {
  const std::string stuck = "at 10s lb1 kernel refuses removals EBUSY\nat 10s lb1 stop\nuntil 14s\n";
  const Played both = played(stuck);
  REQUIRE(both.broken.size() == 1);
  CHECK(has(both.broken[0], "lb1 and lb2 hear each other, and both have 192.0.2.10 for more than 1.000 s"));
  CHECK(played(stuck + "expect overlap\n").broken.empty());
  const std::string gap = "at 10s lb1 power off\nuntil 17s\n";
  CHECK(played(gap).broken.empty());
  REQUIRE(played(gap + "expect no gap\n").broken.size() == 1);
  CHECK(has(played(gap + "expect no gap\n").broken[0], "an address was with nobody for 2.020 s"));
}

TEST_CASE("transcript: times") {
  CHECK(parse_scenario_time("0s") == Duration::zero());
  CHECK(parse_scenario_time("250ms") == milliseconds(250));
  CHECK(parse_scenario_time("10.3s") == milliseconds(10'300));
  CHECK(parse_scenario_time("1.5m") == seconds(90));
  CHECK(parse_scenario_time("24h") == kLongestScenario);
  CHECK(parse_scenario_time("50us") == microseconds(50));
  for (const char* wrong :
       {"", "s", "1", ".5s", "1.s", "1,5s", "1 s", "-1s", "24.1h", "99999999999s", "1.123456789s", "1d"}) {
    INFO(wrong);
    CHECK_FALSE(parse_scenario_time(wrong));
  }
}

TEST_CASE("transcript: a difference is shown as diff -u would") {
  CHECK(unified_diff("a\nb\n", "a\nb\n", "x", "y").empty());
  CHECK(unified_diff("", "a\n", "x", "y") == "--- x\n+++ y\n@@ -1,0 +1,1 @@\n+a\n");
  CHECK(unified_diff("1\n2\n3\n4\n5\n6\n", "1\n2\n3\n4\nfive\n6\n", "x", "y") ==
        "--- x\n+++ y\n@@ -2,5 +2,5 @@\n 2\n 3\n 4\n-5\n+five\n 6\n");
  std::string before, now;
  for (int i = 0; i < 40; ++i) {
    before += std::to_string(i) + "\n";
    if (i != 3) now += std::to_string(i == 30 ? 99 : i) + "\n";
  }
  CHECK(unified_diff(before, now, "x", "y") ==
        "--- x\n+++ y\n@@ -1,7 +1,6 @@\n 0\n 1\n 2\n-3\n 4\n 5\n 6\n@@ -28,7 +27,7 @@\n 27\n 28\n 29\n-30\n+99\n 31\n "
        "32\n 33\n");
}

TEST_CASE("transcript: mutated texts are refused or run, and end nothing") {
  const std::string base =
      "seed 3\nshow announcements\n" + kNodes +
      "node lb3 like lb1 off\n  [check.app]\n  command = [\"/app\"]\n"
      "at 0s lb1 kernel refuses addresses EPERM\nevery 1s from 1s until 3s lb1 address 192.0.2.10 deleted\n"
      "at 4s lb2 reload\n  - vrid\n  vrid = 52\nat 5s cut lb1 -> lb2 on eth0\nat 6s loss 30%\n"
      "at 7s stranger advert vrid 51 priority 0\nuntil 9s\nexpect overlap\nexpect\nwhatever\n";
  std::mt19937_64 random(20);
  int read = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string text = base;
    for (std::uint64_t change = 0; change <= random() % 3; ++change) {
      const std::size_t at = random() % text.size(), length = std::min<std::size_t>(random() % 12, text.size() - at);
      switch (random() % 4) {
        case 0:
          text[at] = static_cast<char>(random() % 256);
          break;
        case 1:
          text.erase(at, length);
          break;
        case 2:
          text.insert(random() % text.size(), text.substr(at, length));
          break;
        default:
          text.insert(at, std::string(1, " \n\t-[]=\"9s"[random() % 10]));
      }
      if (text.empty()) text = "\n";
    }
    const auto transcript = read_transcript(text);
    if (!transcript) {
      INFO(text << "\n" << transcript.error().message);
      CHECK(has(transcript.error().message, "line "));
      continue;
    }
    ++read;
    if (transcript->length > seconds(30)) continue;  // a long run proves no more
    CHECK_FALSE(play(*transcript).timeline.empty());
  }
  CHECK(read > 100);
}
