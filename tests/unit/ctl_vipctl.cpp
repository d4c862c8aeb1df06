#include "vipd/ctl/vipctl.hpp"

#include <sstream>

#include "ctl_fake_daemon.hpp"
#include "vipd/ctl/document.hpp"
#include "vipd/ctl/verbs.hpp"

using namespace vipd;
using namespace vipd::test;
using namespace std::chrono_literals;

namespace {

const std::string kStatus =
    R"({"schema":"vipd.status/1","node":"lb1","version":"9.9","instances":[{"name":"web","state":"active"}]})";
const std::string kEvents = R"({"schema":"vipd.events/1","events":[)"
                            R"({"sequence":1,"instance":"web","from":"initialize","to":"backup","reason":"started"},)"
                            R"({"sequence":2,"instance":"web","from":"backup","to":"active","reason":"no advert"}]})";
const std::string kEvent =
    R"({"schema":"vipd.event/1","event":{"sequence":3,"instance":"web","from":"active","to":"fault","reason":"link"}})";

struct Outcome {
  ExitStatus status;
  std::string out;
  std::string err;
};

Outcome run(const Invocation& invocation, Duration patience = 10s) {
  std::ostringstream out;
  std::ostringstream err;
  const Console console{.out = out, .err = err, .colour = false, .patience = patience};
  const ExitStatus status = run_vipctl(invocation, console);
  return {status, out.str(), err.str()};
}

Invocation invocation_for(const std::string& runtime_dir, VerbFunction verb = show_status) {
  Invocation invocation;
  invocation.verb = verb;
  invocation.runtime_dir = runtime_dir;
  return invocation;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Drops root's privileges during its lifetime, since root may use any socket.
class AsNobody {
 public:
  AsNobody() : user_(geteuid()) {
    if (user_ == 0) REQUIRE(seteuid(65534) == 0);
  }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;
  ~AsNobody() {
    if (user_ == 0 && seteuid(0) != 0) std::abort();
  }

 private:
  uid_t user_;
};

}  // namespace

TEST_CASE("vipctl: status asks for the status and shows it") {
  FakeDaemon daemon(kStatus + "\n");
  const Outcome outcome = run(invocation_for(daemon.runtime_dir()));
  CHECK(outcome.status == ExitStatus::ok);
  CHECK(outcome.err.empty());
  CHECK(contains(outcome.out, "lb1: 1 instance, 1 active (vipd 9.9)\n\nweb: ACTIVE\n"));
  CHECK(daemon.request() == "{\"verb\":\"status\"}\n");
}

TEST_CASE("vipctl: --json prints the daemon's document, indented, with its keys in order") {
  FakeDaemon daemon(kStatus + "\n");
  Invocation invocation = invocation_for(daemon.runtime_dir());
  invocation.json = true;
  const Outcome outcome = run(invocation);
  CHECK(outcome.status == ExitStatus::ok);
  CHECK(outcome.out.starts_with("{\n  \"schema\": \"vipd.status/1\",\n  \"node\": \"lb1\","));
  CHECK(Document::parse(outcome.out) == Document::parse(kStatus));
}

TEST_CASE("vipctl: events shows the past ones, the last N if asked for") {
  FakeDaemon daemon(kEvents + "\n");
  Invocation invocation = invocation_for(daemon.runtime_dir(), show_events);
  invocation.count = 1;
  const Outcome outcome = run(invocation);
  CHECK(outcome.status == ExitStatus::ok);
  CHECK_FALSE(contains(outcome.out, "started"));
  CHECK(contains(outcome.out, "BACKUP -> ACTIVE"));
  CHECK(daemon.request() == "{\"verb\":\"events\"}\n");
}

TEST_CASE("vipctl: a count larger than the list, and a count of none") {
  for (const std::size_t count : {0U, 7U}) {
    FakeDaemon daemon(kEvents + "\n");
    Invocation invocation = invocation_for(daemon.runtime_dir(), show_events);
    invocation.count = count;
    invocation.json = true;
    const Outcome outcome = run(invocation);
    CHECK(outcome.status == ExitStatus::ok);
    CHECK(Document::parse(outcome.out)["events"].size() == (count == 0 ? 0 : 2));
  }
}

TEST_CASE("vipctl: events --follow goes on until the daemon ends it") {
  FakeDaemon daemon(kEvents + "\n" + kEvent + "\n");
  Invocation invocation = invocation_for(daemon.runtime_dir(), show_events);
  invocation.follow = true;
  const Outcome outcome = run(invocation);
  CHECK(outcome.status == ExitStatus::refused);
  CHECK(outcome.err == "vipctl: the daemon closed the connection; it was stopped or restarted\n");
  CHECK(contains(outcome.out, "started"));
  CHECK(contains(outcome.out, "ACTIVE -> FAULT"));
  CHECK(daemon.request() == "{\"verb\":\"events\",\"follow\":true}\n");
}

TEST_CASE("vipctl: events --follow --json prints one document a line") {
  FakeDaemon daemon(kEvents + "\n" + kEvent + "\n");
  Invocation invocation = invocation_for(daemon.runtime_dir(), show_events);
  invocation.follow = true;
  invocation.json = true;
  CHECK(run(invocation).out == kEvents + "\n" + kEvent + "\n");
}

TEST_CASE("vipctl: version shows both") {
  for (const bool json : {false, true}) {
    FakeDaemon daemon("{\"schema\":\"vipd.version/1\",\"version\":\"9.9\",\"pid\":42}\n");
    Invocation invocation = invocation_for(daemon.runtime_dir(), show_version);
    invocation.json = json;
    const Outcome outcome = run(invocation);
    CHECK(outcome.status == ExitStatus::ok);
    if (!json) {
      CHECK(outcome.out == "vipctl " VIPD_VERSION "\nvipd   9.9 (pid 42)\n");
    } else {
      const Document expected{{"schema", "vipd.version/1"}, {"version", "9.9"}, {"pid", 42}, {"client", VIPD_VERSION}};
      CHECK(Document::parse(outcome.out) == expected);
    }
  }
}

TEST_CASE("vipctl: version without a daemon says so and is content") {
  TemporaryDirectory directory;
  Invocation invocation = invocation_for(directory.path(), show_version);
  const Outcome text = run(invocation);
  CHECK(text.status == ExitStatus::ok);
  CHECK(contains(text.out, "vipctl " VIPD_VERSION "\nvipd   no daemon: " + directory.socket()));
  invocation.json = true;
  const Outcome json = run(invocation);
  CHECK(json.status == ExitStatus::ok);
  CHECK(Document::parse(json.out)["version"].is_null());
  CHECK(Document::parse(json.out)["client"] == VIPD_VERSION);
}

TEST_CASE("vipctl: no daemon is exit status 3 and a remedy") {
  TemporaryDirectory directory;
  const Outcome outcome = run(invocation_for(directory.path()));
  CHECK(outcome.status == ExitStatus::no_daemon);
  CHECK(outcome.out.empty());
  CHECK(contains(outcome.err, "systemctl start vipd"));
  CHECK(contains(outcome.err, directory.socket()));
}

TEST_CASE("vipctl: a daemon that is hung is exit status 4, for version, too") {
  for (const VerbFunction verb : {show_status, show_events, show_version}) {
    FakeDaemon daemon(await_hangup);
    CHECK(run(invocation_for(daemon.runtime_dir(), verb), 50ms).status == ExitStatus::timeout);
  }
}

TEST_CASE("vipctl: no permission is exit status 5 and names the group") {
  TemporaryDirectory directory;
  const int listener = listen_at(directory.socket(), 5);
  std::filesystem::permissions(directory.path(), std::filesystem::perms::none);
  const Outcome outcome = [&] {
    AsNobody nobody;
    return run(invocation_for(directory.path()));
  }();
  close(listener);
  CHECK(outcome.status == ExitStatus::permission);
  CHECK(contains(outcome.err, "group vipd"));
  CHECK(contains(outcome.err, "usermod -aG vipd"));
}

TEST_CASE("vipctl: an error of the daemon is shown, without its control characters") {
  FakeDaemon daemon("{\"schema\":\"vipd.error/1\",\"error\":\"unknown verb \\u001b[2J\"}\n");
  const Outcome outcome = run(invocation_for(daemon.runtime_dir()));
  CHECK(outcome.status == ExitStatus::refused);
  CHECK(outcome.err == "vipctl: the daemon refused: unknown verb \\x1b[2J\n");
}

TEST_CASE("vipctl: a broken answer is a sentence and exit status 1") {
  const std::string deep =
      "{\"schema\":\"vipd.status/1\",\"x\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  const std::pair<std::string, std::string> cases[] = {
      {"hello", "it is not JSON"},
      {"", "it is not JSON"},
      {"{\"schema\":\"vipd.status/1\"", "it is not JSON"},
      {"{\"schema\":\"vipd.status/1\",\"node\":\"\xff\"}", "it is not JSON"},
      {"[1]", "it is not a JSON object"},
      {"{}", "it names no schema"},
      {"{\"schema\":7}", "schema 7"},
      {"{\"schema\":\"vipd.status/2\"}", "vipd.status/2"},
      {"{\"schema\":\"vipd.status/1\"}", "no list of instances"},
      {deep, "nested too deeply"},
  };
  for (const auto& [answer, complaint] : cases) {
    FakeDaemon daemon(answer + "\n");
    const Outcome outcome = run(invocation_for(daemon.runtime_dir()));
    INFO(answer.substr(0, 100) << " -> " << outcome.err);
    CHECK(outcome.status == ExitStatus::refused);
    CHECK(outcome.out.empty());
    CHECK(contains(outcome.err, complaint));
  }
}

TEST_CASE("vipctl: output that cannot be written is not passed over") {
  FakeDaemon daemon(kStatus + "\n");
  std::ostringstream out;
  std::ostringstream err;
  out.setstate(std::ios::badbit);
  CHECK(run_vipctl(invocation_for(daemon.runtime_dir()), {.out = out, .err = err}) == ExitStatus::refused);
  CHECK(err.str() == "vipctl: cannot write the output\n");
}
