#include "traffic.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <exception>
#include <map>
#include <string>

#include "support/go_first.hpp"

namespace {

std::string host_name() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

vipd::Duration ns(std::int64_t count) { return vipd::Duration(count); }

const std::map<std::string, std::int64_t> kUnits{{"us", 1'000}, {"ms", 1'000'000}, {"s", 1'000'000'000}};

}  // namespace

int main(int argc, char* argv[]) {
  CLI::App app{"Measures a virtual address: who answers, and for how long nobody does"};
  app.require_subcommand(1);
  std::int64_t limit = 0, interval = 1'000'000;
  vipd::traffic::ServeOptions serve{.port = "", .name = host_name()};
  vipd::traffic::WatchOptions watch;
  std::string interface;
  const auto add_limit = [&](CLI::App* command) {
    command->add_option("--for", limit, "End after this time, for example 5s; otherwise on SIGINT or SIGTERM")
        ->transform(CLI::AsNumberWithUnit(kUnits, CLI::AsNumberWithUnit::UNIT_REQUIRED));
  };

  auto* const serve_command = app.add_subcommand("serve", "Answer datagrams");
  serve_command->add_option("port", serve.port, "UDP port")->required()->check(CLI::Range(1, 65535));
  serve_command->add_option("--name", serve.name, "What to call oneself in the answers; the host's name");
  auto* const watch_command = app.add_subcommand("watch", "Send datagrams and report the outages");
  watch_command->add_option("address", watch.address, "Numeric address")->required();
  watch_command->add_option("port", watch.port, "UDP port")->required()->check(CLI::Range(1, 65535));
  watch_command->add_option("--interval", interval, "Between two datagrams; 1ms")
      ->transform(CLI::AsNumberWithUnit(kUnits, CLI::AsNumberWithUnit::UNIT_REQUIRED))
      ->check(CLI::PositiveNumber);
  watch_command->add_flag("--json", watch.json, "Report as one line of JSON");
  auto* const sniff_command = app.add_subcommand("sniff", "Print adverts and announcements, one line of JSON each");
  sniff_command->add_option("interface", interface, "Where to listen")->required();
  vipd::traffic::AskOptions ask;
  auto* const ask_command = app.add_subcommand("ask", "Find out which hardware addresses answer for an address");
  ask_command->add_option("interface", ask.interface, "Where to ask")->required();
  ask_command->add_option("address", ask.address, "Numeric address")->required();
  ask_command->add_option("from", ask.from, "Who asks: a numeric address")->required();
  for (auto* command : {serve_command, watch_command, sniff_command, ask_command}) add_limit(command);
  CLI11_PARSE(app, argc, argv);

  if (*serve_command || *watch_command) vipd::go_first();  // `sniff` uses the kernel's time stamps
  try {
    const vipd::traffic::Until until(limit > 0 ? std::optional(ns(limit)) : std::nullopt);
    watch.interval = ns(interval);
    if (*serve_command) return vipd::traffic::serve(serve, until);
    if (*watch_command) return vipd::traffic::watch(watch, until);
    if (*ask_command) return vipd::traffic::ask(ask, until);
    return vipd::traffic::sniff(interface, until);
  } catch (const std::exception& error) {
    fmt::print(stderr, "vipd-traffic: {}\n", error.what());
    return 1;
  }
}
