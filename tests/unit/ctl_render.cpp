#include "vipd/ctl/render.hpp"

#include <ctime>

#include "support/catch.hpp"

using namespace vipd;

namespace {

/// A display at half past ten in the evening, UTC.
Display display(bool colour = false) {
  setenv("TZ", "UTC", 1);
  tzset();
  return {.now = *parse_rfc3339("2026-11-22T22:54:08.500Z"), .colour = colour};
}

Document web() {
  return Document::parse(R"({
    "name": "web", "vrid": 51, "family": "ipv4", "interface": "eth0", "advert_interval": "1s", "preempt": true,
    "state": "active", "fault": null, "reason": "no advert from 192.0.2.2 (priority 254) for 3.008s",
    "since": "2026-11-22T22:52:03.123Z", "priority": {"base": 253, "effective": 253}, "stopping": false,
    "addresses": [{"address": "192.0.2.10/24", "present": true}, {"address": "192.0.2.9/24", "present": true}],
    "active": {"address": "192.0.2.1", "priority": 253},
    "counters": {"adverts_sent": 1, "adverts_received": 2, "adverts_refused": {}},
    "hooks": {"running": null, "queued": 0, "last": {"command": "/etc/vipd/hooks/web", "status": 0, "duration": "12ms"}},
    "transitions": 2})");
}

std::string show(std::initializer_list<Document> instances, bool colour = false) {
  Document status = {{"schema", "vipd.status/1"}, {"node", "lb1"}, {"version", "0.1.0"}, {"uptime", "5min 3s"}};
  status["instances"] = Document::array();
  for (const Document& instance : instances) status["instances"].push_back(instance);
  const auto text = render_status(status, display(colour));
  REQUIRE(text);
  return *text;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("render status: an Active instance in which all is well") {
  CHECK(show({web()}) ==
        "lb1: 1 instance, 1 active (vipd 0.1.0, up 5min 3s)\n"
        "\n"
        "web: ACTIVE since 22:52:03 (2min 5s ago, 2 transitions)\n"
        "  why        no advert from 192.0.2.2 (priority 254) for 3.008s\n"
        "  priority   253\n"
        "  on         eth0, VRID 51, IPv4, adverts every 1s\n"
        "  addresses  192.0.2.10/24  present\n"
        "             192.0.2.9/24   present\n");
}

TEST_CASE("render status: files that are not in force are said, and where to look") {
  Document status = {{"schema", "vipd.status/1"}, {"node", "lb1"}, {"instances", Document::array()}};
  const auto says_it = [&] { return contains(*render_status(status, display(false)), "the files are NOT IN FORCE"); };
  CHECK_FALSE(says_it());  // an earlier daemon does not tell it
  status["files_in_force"] = true;
  CHECK_FALSE(says_it());
  status["files_in_force"] = false;
  CHECK(says_it());
  CHECK(contains(*render_status(status, display(false)), "`vipctl diff`"));
}

TEST_CASE("render status: an unfit instance says so first, then why, and how its checks stand") {
  Document sick = web();
  sick["unfit"] = "check app failed: exit status 1";
  sick["priority"] = {{"base", 254}, {"effective", 1}};
  sick["checks"] = Document::parse(R"([
    {"name": "app", "state": "fail", "stale": false, "detail": "exit status 1", "on_fail": "yield", "weight": 0},
    {"name": "load", "state": "pass", "stale": true, "detail": "", "on_fail": "yield", "weight": -20},
    {"name": "new", "state": "unknown", "stale": false, "detail": "", "on_fail": "fault", "weight": 0}])");
  const std::string text = show({sick});
  INFO(text);
  CHECK(text.starts_with("lb1: 1 instance, 1 UNFIT (web), 1 active"));
  CHECK(contains(text, "web: ACTIVE, UNFIT since"));
  CHECK(contains(text, "  unfit      check app failed: exit status 1\n"));
  sick["reason"] = "192.0.2.2 has priority 254, we have 1; unfit: check app failed: exit status 1";
  CHECK(contains(show({sick}), "  why        192.0.2.2 has priority 254, we have 1\n"));
  CHECK(contains(text, "  priority   1 (configured 254)\n"));
  CHECK(contains(text,
                 "  checks     app FAILED (exit status 1)\n"
                 "             load pass, priority -20, STALE\n"
                 "             new no result yet\n"));
}

TEST_CASE("render status: the virtual MAC stands where the interface does") {
  Document active = web();
  active["virtual_mac"] = {{"address", "00:00:5e:00:01:33"}, {"interface", "vrrp4.51.eth0"}};
  CHECK(contains(show({active}), "  on         eth0, VRID 51, IPv4, MAC 00:00:5e:00:01:33, adverts every 1s\n"));
  active["virtual_mac"] = nullptr;
  CHECK_FALSE(contains(show({active}), "MAC"));
}

TEST_CASE("render status: peers are shown if they are configured differently") {
  Document instance = web();
  instance["version"] = 2;
  instance["peers"] = {{{"address", "192.0.2.2"}, {"addresses", "same"}, {"advert_interval", "1s"}}};
  CHECK_FALSE(contains(show({instance}), "peers"));
  instance["peers"].push_back({{"address", "192.0.2.3"}, {"addresses", "some"}, {"advert_interval", "2s"}});
  instance["peers"].push_back({{"address", "192.0.2.4"}, {"addresses", "none"}, {"advert_interval", "1s"}});
  const std::string text = show({instance});
  CHECK(contains(text, "  peers      192.0.2.3: lists other addresses, adverts every 2s\n"));
  CHECK(contains(text, "             192.0.2.4: uses this VRID for other addresses\n"));
  CHECK_FALSE(contains(text, "192.0.2.2:"));
  CHECK(contains(text, "eth0, VRID 51, VRRPv2, IPv4"));
}

TEST_CASE("render status: an unknown source beside the unicast peers is named") {
  Document instance = web();
  instance["counters"]["adverts_refused"] = {{"src_not_peer", 3}};
  instance["last_unknown_source"] = "192.0.2.9";
  CHECK(contains(show({instance}), "3 src_not_peer; the last source that is no peer: 192.0.2.9\n"));
}

TEST_CASE("render status: a Backup says who is Active") {
  Document backup = web();
  backup.update({{"state", "backup"}, {"reason", "192.0.2.2 has priority 254, we have 253"}, {"preempt", false}});
  backup["active"] = {{"address", "192.0.2.2"}, {"priority", 254}};
  backup["addresses"] = {{{"address", "192.0.2.10/24"}, {"present", false}}};
  backup["since"] = "2026-11-19T18:00:03Z";
  CHECK(show({backup}) ==
        "lb1: 1 instance, 1 backup (vipd 0.1.0, up 5min 3s)\n"
        "\n"
        "web: BACKUP since 2026-11-19 18:00:03 (3d 4h ago, 2 transitions)\n"
        "  why        192.0.2.2 has priority 254, we have 253\n"
        "  active     192.0.2.2, priority 254\n"
        "  priority   253, does not preempt\n"
        "  on         eth0, VRID 51, IPv4, adverts every 1s\n"
        "  addresses  192.0.2.10/24  not here\n");
  backup["active"] = nullptr;
  CHECK(contains(show({backup}), "  active     nobody known\n"));
}

TEST_CASE("render status: who became Active too often says until when it does not preempt") {
  Document backup = web();
  backup.update({{"state", "backup"}, {"preempt", true}, {"flapping_until", "2026-11-19T18:10:03Z"}});
  CHECK(show({backup}).find("became Active too often, does not preempt until 2026-11-19 18:10:03\n") !=
        std::string::npos);
}

TEST_CASE("render status: a fault stands in the first line, in capitals, with its cause") {
  Document db = web();
  db.update({{"name", "db"}, {"state", "initialize"}, {"fault", "interface eth1 is down"}, {"active", nullptr}});
  db["reason"] = "interface eth1 is down";
  db["addresses"] = {{{"address", "192.0.2.20/24"}, {"present", false}}};
  const std::string text = show({web(), db});
  CHECK(contains(text, "lb1: 2 instances, 1 FAULT (db), 1 active (vipd"));
  CHECK(contains(text, "\n!! db: FAULT since 22:52:03"));
  CHECK(contains(text, "  fault      interface eth1 is down\n"));
  CHECK(contains(text, "  active     nobody known\n"));
  const std::string block = text.substr(text.find("!! db"));
  CHECK_FALSE(contains(block, "  why"));  // the reason would repeat the fault
  db["reason"] = "started";
  CHECK(contains(show({db}), "  fault      interface eth1 is down\n  why        started\n"));
}

TEST_CASE("render status: each address is marked in words, in capitals where it should not be so") {
  Document instance = web();
  instance["addresses"] = Document::parse(R"([
    {"address": "192.0.2.10/24", "present": false, "error": "add refused: Permission denied"},
    {"address": "192.0.2.11/24", "present": true, "foreign": true}, {"address": "192.0.2.12/24"}])");
  const std::string active = show({instance});
  CHECK(contains(active, "1 instance, 1 address MISSING, 1 active"));
  CHECK(contains(active, "192.0.2.10/24  MISSING: add refused: Permission denied\n"));
  CHECK(contains(active, "192.0.2.11/24  FOREIGN (present, but not added by vipd)\n"));
  CHECK(contains(active, "192.0.2.12/24  ?\n"));

  instance["state"] = "backup";
  instance["addresses"] = {{{"address", "192.0.2.10/24"}, {"present", true}}};
  CHECK(contains(show({instance}), "192.0.2.10/24  PRESENT (though not active)\n"));
}

TEST_CASE("render status: routes, rules and another interface are shown when there are any") {
  Document instance = web();
  CHECK_FALSE(contains(show({instance}), "routes"));
  instance["addresses"][0]["interface"] = "eth1";
  instance["routes"] = Document::parse(R"([{"route": "default via 192.0.2.1 dev eth0", "present": true},
                                           {"route": "blackhole 10.0.0.0/8", "present": false}])");
  instance["rules"] = Document::parse(R"([{"rule": "from 192.0.2.10/32 lookup 10 priority 100", "present": true}])");
  const std::string text = show({instance});
  CHECK(contains(text, "1 instance, 1 route MISSING, 1 active"));
  CHECK(contains(text, "  addresses  192.0.2.10/24  present on eth1\n"));
  CHECK(contains(text, "  routes     default via 192.0.2.1 dev eth0  present\n"));
  CHECK(contains(text, "             blackhole 10.0.0.0/8            MISSING\n"));
  CHECK(contains(text, "  rules      from 192.0.2.10/32 lookup 10 priority 100  present\n"));
}

TEST_CASE("render status: an instance that stops may have its addresses or not") {
  Document instance = web();
  instance["stopping"] = true;
  instance["addresses"][1]["present"] = false;
  const std::string text = show({instance});
  CHECK(contains(text, "web: ACTIVE, STOPPING since"));
  CHECK(contains(text, "192.0.2.10/24  present\n"));
  CHECK(contains(text, "192.0.2.9/24   not here\n"));
  CHECK_FALSE(contains(text, "MISSING"));
}

TEST_CASE("render status: the priority tells what differs from what was configured") {
  Document instance = web();
  instance["priority"] = {{"base", 253}, {"effective", 1}};
  CHECK(contains(show({instance}), "  priority   1 (configured 253)\n"));
  instance["priority"] = {{"base", 255}, {"effective", 255}};
  CHECK(contains(show({instance}), "  priority   255 (owner)\n"));
}

TEST_CASE("render status: refused adverts and hooks only where there is something to say") {
  Document instance = web();
  instance["counters"]["adverts_refused"] = {{"checksum", 3}, {"ttl", 0}, {"version", 1}};
  instance["hooks"] = Document::parse(R"({"running": "/etc/vipd/hooks/slow", "queued": 2,
    "last": {"command": "/etc/vipd/hooks/web", "status": 7, "duration": "12ms"}})");
  const std::string text = show({instance});
  CHECK(contains(text, "  refused    adverts: 3 checksum, 1 version\n"));
  CHECK(contains(text,
                 "  hooks      running /etc/vipd/hooks/slow, 2 waiting; the last hook FAILED (status 7): "
                 "/etc/vipd/hooks/web\n"));

  CHECK_FALSE(contains(text, "  unsent"));
  instance["counters"]["send_errors"] = 2;
  CHECK(contains(show({instance}), "  unsent     2 adverts could not be sent\n"));
  instance["hooks"]["last"].update({{"status", 0}, {"ok", false}, {"outcome", "killed by signal 9"}});
  CHECK(contains(show({instance}), "the last hook FAILED (killed by signal 9): /etc/vipd/hooks/web\n"));
  instance["hooks"]["last"]["output"] = {"mounting", "no such device"};
  CHECK(contains(show({instance}), "web\n             | mounting\n             | no such device\n"));
  instance["hooks"]["last"].update({{"ok", true}});
  CHECK_FALSE(contains(show({instance}), "no such device"));
}

TEST_CASE("render status: no instances") { CHECK(show({}) == "lb1: no instances (vipd 0.1.0, up 5min 3s)\n"); }

TEST_CASE("render status: colours only add to the words") {
  Document db = web();
  db["fault"] = "interface eth1 is down";
  std::string coloured = show({web(), db}, true);
  REQUIRE(contains(coloured, "\033[1;31mFAULT\033[0m"));
  for (std::size_t at = coloured.find('\033'); at != std::string::npos; at = coloured.find('\033'))
    coloured.erase(at, coloured.find('m', at) + 1 - at);
  CHECK(coloured == show({web(), db}));
}

TEST_CASE("render status: no text of the daemon reaches the terminal as a command") {
  Document instance = web();
  const std::string evil = "\x1b[2Jx\n\x7f\u009b";
  for (auto& [key, value] : instance.items())
    if (value.is_string()) value = evil;
  instance["addresses"][0]["address"] = evil;
  instance["addresses"][0]["error"] = evil;
  instance["counters"]["adverts_refused"] = {{evil, 1}};
  instance["hooks"]["running"] = evil;
  const std::string text = show({instance});
  CHECK(contains(text, "\\x1b[2Jx\\x0a\\x7f\\x9b"));
  for (const char* dangerous : {"\x1b", "\x7f", "\u009b", "x\n"}) CHECK_FALSE(contains(text, dangerous));
}

TEST_CASE("render status: any field may be missing or of another type") {
  const Document odd[] = {nullptr,
                          true,
                          -1,
                          1e300,
                          "text",
                          Document::array(),
                          Document::array({1, "x", nullptr}),
                          Document::object(),
                          Document{{"address", 7}, {"base", "x"}, {"last", 3}}};
  const Document whole = web();
  for (const auto& [key, original] : whole.items()) {
    for (const Document& value : odd) {
      Document instance = web();
      instance[key] = value;
      INFO(key << " = " << value);
      CHECK(contains(show({instance}), "(vipd 0.1.0, up 5min 3s)\n\n"));
    }
    Document instance = web();
    instance.erase(key);
    INFO(key << " is missing");
    CHECK(contains(show({instance}), "(vipd 0.1.0, up 5min 3s)\n\n"));
  }
  for (const Document& value : odd) CHECK(contains(show({value}), "?: STATE UNKNOWN\n"));
}

TEST_CASE("render status: an instance says which group it is in, and a group what it waits for") {
  Document status = {{"node", "lb1"}, {"version", "0.1.0"}};
  status["instances"] = Document::array({web()});
  status["instances"][0].update({{"sync_group", "edge"}, {"ready", true}});
  status["sync_groups"] = Document::parse(R"([
    {"name": "edge", "state": "backup", "reason": "lan: started", "since": "2026-11-22T22:52:03.123Z",
     "instances": ["lan", "wan"], "waiting_for": ["wan"], "hooks": {"running": "/g", "queued": 0, "last": null}},
    {"name": "core", "state": "fault", "instances": ["x\u001b"], "waiting_for": []}, 7])");
  const auto text = render_status(status, display());
  REQUIRE(text);
  CHECK(contains(*text, "\n  group      edge; ready, waits for the others\n"));
  CHECK(contains(*text,
                 "\ngroup edge: BACKUP since 22:52:03 (2min 5s ago)\n"
                 "  why        lan: started\n"
                 "  instances  lan, wan\n"
                 "  waits for  wan\n"
                 "  hooks      running /g\n"
                 "\n!! group core: FAULT\n"
                 "  instances  x\\x1b\n"));
  status["sync_groups"] = Document::parse(R"("nonsense")");
  CHECK(render_status(status, display()));
}

TEST_CASE("render events: a sync group's are told apart from an instance's") {
  const Document events = Document::parse(R"({"events": [
    {"sequence": 1, "time": "2026-11-22T22:52:00.001Z", "instance": null, "sync_group": "edge", "from": "backup",
     "to": "active", "reason": "all members are ready", "priority": 0}]})");
  const auto text = render_events(events, display());
  REQUIRE(text);
  CHECK(contains(*text, "22:52:00.001  group edge  BACKUP -> ACTIVE      all members are ready\n"));
}

TEST_CASE("render status: a document without a list of instances is an error") {
  for (const char* text : {R"({})", R"({"instances": 7})", R"({"instances": {}})", R"([])", R"(null)"})
    CHECK_FALSE(render_status(Document::parse(text), display()));
}

TEST_CASE("render events: a table, at local time") {
  const Document events = Document::parse(R"({"events": [
    {"sequence": 1, "time": "2026-11-22T22:52:00.001Z", "instance": "web", "from": "initialize", "to": "backup",
     "reason": "started", "priority": 254},
    {"sequence": 2, "time": "2026-11-22T22:52:03.123Z", "instance": "database", "from": "backup", "to": "active",
     "reason": "no advert from 192.0.2.2 for 3.008s", "priority": 254},
    {"time": "yesterday\u001b", "to": 7}]})");
  const auto text = render_events(events, display());
  REQUIRE(text);
  CHECK(*text ==
        "TIME                     INSTANCE  FROM -> TO            REASON\n"
        "2026-11-22 22:52:00.001  web       INITIALIZE -> BACKUP  started\n"
        "2026-11-22 22:52:03.123  database  BACKUP -> ACTIVE      no advert from 192.0.2.2 for 3.008s\n"
        "yesterday\\x1b            ?         ? -> 7                \n");
}

TEST_CASE("render events: the columns fit the longest name") {
  Document events = {{"events", Document::array({{{"instance", "a-rather-long-name"}}})}};
  CHECK(instance_width(events) == 18);
  CHECK(instance_width(nullptr) == 8);
  CHECK_FALSE(render_events(Document::object(), display()));
}
