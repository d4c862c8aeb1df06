#include "vipd/ctl/command_line.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <vector>

#include "support/catch.hpp"
#include "vipd/ctl/verbs.hpp"

using namespace vipd;

namespace {

struct Parsed {
  std::expected<Invocation, int> invocation;
  std::string out;
  std::string err;
};

Parsed parse(std::initializer_list<const char*> arguments) {
  std::vector<const char*> argv{"vipctl"};
  argv.insert(argv.end(), arguments);
  std::ostringstream out;
  std::ostringstream err;
  auto invocation = parse_command_line(static_cast<int>(argv.size()), argv.data(), out, err);
  return {std::move(invocation), out.str(), err.str()};
}

std::string read_file(const std::string& path) {
  std::ifstream file(std::string(VIPD_SOURCE_DIR) + "/" + path);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The completions of bash behind `words`, with `last` begun. The words are plain and not quoted.
std::set<std::string> complete(const std::string& program, const std::string& words, const std::string& last = "") {
  const std::string script = ". " VIPD_SOURCE_DIR "/conf/completion/" + program + "; COMP_WORDS=(" + program + " " +
                             words + " \"" + last + "\"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _" + program +
                             "; printf \"%s\\n\" \"${COMPREPLY[@]}\"";
  FILE* bash = popen(("bash -c '" + script + "'").c_str(), "r");
  REQUIRE(bash != nullptr);
  std::string output;
  for (int octet = fgetc(bash); octet != EOF; octet = fgetc(bash)) output += static_cast<char>(octet);
  REQUIRE(pclose(bash) == 0);
  std::istringstream lines(output);
  return {std::istream_iterator<std::string>(lines), {}};
}

/// The names of the options of `app` in completions: the long name, or the short name without one.
std::set<std::string> option_names(const CLI::App& app) {
  std::set<std::string> names;
  for (const CLI::Option* option : app.get_options({}))
    if (option->nonpositional())
      names.insert(option->get_lnames().empty() ? "-" + option->get_snames().at(0) : "--" + option->get_lnames().at(0));
  return names;
}

void check_manual_knows(const std::string& manual, const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      INFO(app.get_name() << " --" << name);
      CHECK(manual.find("Fl -" + name) != std::string::npos);
    }
    for (const std::string& name : option->get_snames()) {
      INFO(app.get_name() << " -" << name);
      CHECK(manual.find(".It Fl " + name) != std::string::npos);
    }
  }
}

}  // namespace

TEST_CASE("command line: without arguments it is the status") {
  const auto parsed = parse({});
  REQUIRE(parsed.invocation);
  CHECK(parsed.invocation->verb == show_status);
  CHECK(parsed.invocation->runtime_dir == "/run/vipd");
  CHECK_FALSE(parsed.invocation->json);
  CHECK_FALSE(parsed.invocation->follow);
  CHECK_FALSE(parsed.invocation->count);
}

TEST_CASE("command line: options stand before the verb or behind it") {
  for (const auto& parsed :
       {parse({"--runtime-dir", "/tmp/x", "--json", "status"}), parse({"status", "--runtime-dir=/tmp/x", "--json"}),
        parse({"--json", "--runtime-dir", "/tmp/x"})}) {
    REQUIRE(parsed.invocation);
    CHECK(parsed.invocation->verb == show_status);
    CHECK(parsed.invocation->runtime_dir == "/tmp/x");
    CHECK(parsed.invocation->json);
  }
}

TEST_CASE("command line: verbs and their options") {
  CHECK(parse({"version"}).invocation->verb == show_version);
  for (const auto& parsed : {parse({"events", "-f", "-n", "0"}), parse({"events", "-n0", "--follow"})}) {
    REQUIRE(parsed.invocation);
    CHECK(parsed.invocation->verb == show_events);
    CHECK(parsed.invocation->follow);
    CHECK(parsed.invocation->count == 0);
  }
}

TEST_CASE("command line: reload, its trial, and the configurations") {
  using Action = Invocation::ConfigAction;
  CHECK(parse({"diff"}).invocation->verb == show_diff);
  CHECK(parse({"confirm"}).invocation->verb == confirm);
  CHECK_FALSE(parse({"reload"}).invocation->trial);
  CHECK(parse({"reload", "--confirm", "90s"}).invocation->trial == std::chrono::seconds(90));
  CHECK(parse({"reload", "--confirm=5m", "--json"}).invocation->trial == std::chrono::minutes(5));
  CHECK(parse({"config"}).invocation->config_action == Action::list);
  const auto restore = parse({"config", "restore", "7", "--json"});
  REQUIRE(restore.invocation);
  CHECK(restore.invocation->verb == show_config);
  CHECK(restore.invocation->config_action == Action::restore);
  CHECK(restore.invocation->config_number == 7);
  CHECK(restore.invocation->json);
  for (const auto& wrong : {parse({"reload", "--confirm", "90"}), parse({"reload", "--confirm", "0s"}),
                            parse({"reload", "--confirm", "25h"}), parse({"reload", "--confirm", "soon"}),
                            parse({"config", "show"}), parse({"config", "list", "7"}), parse({"config", "7"})})
    CHECK_FALSE(wrong.invocation);
}

TEST_CASE("command line: wrong usage is exit status 2 and says so on the error stream") {
  for (const auto& parsed :
       {parse({"foo"}), parse({"status", "events"}), parse({"--foo"}), parse({"status", "-f"}), parse({"events", "-n"}),
        parse({"events", "-n", "-1"}), parse({"events", "-n", "x"}), parse({"--runtime-dir"})}) {
    REQUIRE_FALSE(parsed.invocation);
    CHECK(parsed.invocation.error() == 2);
    CHECK(parsed.out.empty());
    CHECK_FALSE(parsed.err.empty());
  }
}

TEST_CASE("command line: help and version are answers") {
  const auto version = parse({"--version"});
  CHECK(version.invocation.error() == 0);
  CHECK(version.out == "vipctl " VIPD_VERSION "\n");
  for (const auto& help : {parse({"--help"}), parse({"events", "--help"})}) {
    CHECK(help.invocation.error() == 0);
    CHECK(help.out.find("--help") != std::string::npos);
    CHECK(help.err.empty());
  }
}

TEST_CASE("command line: the manual page knows each verb and each option") {
  Invocation invocation;
  const auto app = describe_command_line(invocation);
  const std::string manual = read_file("man/vipctl.1");
  check_manual_knows(manual, *app);
  const auto verbs = app->get_subcommands({});
  REQUIRE(verbs.size() >= 3);
  for (const CLI::App* verb : verbs) {
    CHECK(manual.find("\n.It Cm " + verb->get_name()) != std::string::npos);
    check_manual_knows(manual, *verb);
    for (const CLI::App* action : verb->get_subcommands({}))
      CHECK(std::regex_search(manual, std::regex("\n\\.It Cm " + verb->get_name() + " .*" + action->get_name())));
  }
}

TEST_CASE("command line: the completion offers each verb and each option, and nothing else") {
  Invocation invocation;
  const auto app = describe_command_line(invocation);
  std::set<std::string> first = option_names(*app);
  for (const CLI::App* verb : app->get_subcommands({})) {
    first.insert(verb->get_name());
    std::set<std::string> behind = option_names(*app);
    behind.merge(option_names(*verb));
    for (const CLI::App* action : verb->get_subcommands({})) behind.insert(action->get_name());
    CHECK(complete("vipctl", verb->get_name()) == behind);
  }
  CHECK(complete("vipctl", "") == first);
}

TEST_CASE("completion of vipctl: words that are begun, and directories") {
  using Words = std::set<std::string>;
  CHECK(complete("vipctl", "", "ev") == Words{"events"});
  CHECK(complete("vipctl", "events", "--f") == Words{"--follow"});
  CHECK(complete("vipctl", "--runtime-dir events", "st") == Words{"status"});  // a directory is no verb
  CHECK(complete("vipctl", "events -n").empty());
  CHECK(complete("vipctl", "--runtime-dir", "/us") == Words{"/usr"});
}

TEST_CASE("completion of vipd: options, directories, and TOML files") {
  using Words = std::set<std::string>;
  CHECK(complete("vipd", "") == Words{"--config", "--runtime-dir", "--state-dir", "--runner", "--check", "--strict",
                                      "--last-will", "--version", "--help"});
  CHECK(complete("vipd", "--state-dir", "/us") == Words{"/usr"});
  CHECK(complete("vipd", "--config", VIPD_SOURCE_DIR "/CMake").empty());
  CHECK(complete("vipd", "--config", VIPD_SOURCE_DIR "/con") == Words{VIPD_SOURCE_DIR "/conf"});
}
