// vipd-bench: vipd and keepalived side by side, in network namespaces. See docs/performance.md.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <map>

#include "scenarios.hpp"

using namespace vipd::bench;

int main(int argc, char** argv) {
  const std::map<std::string, std::vector<Figure> (*)(int)> scenarios = {
      {"addresses", addresses}, {"failover", failover},   {"fault", fault},          {"floods", floods},
      {"hooks", hooks},         {"instances", instances}, {"log", vipd::bench::log},  // not the logarithm
      {"many", many},           {"planned", planned},     {"reload", reload},        {"rhythm", rhythm},
  };
  CLI::App app("Compares vipd with keepalived, in turn, in network namespaces of its own.");
  std::vector<std::string> names;
  std::string svg;
  int rounds = 5;
  bool json = false;
  app.add_option("SCENARIO", names, "All of them if none is named")->check(CLI::IsMember(scenarios));
  app.add_option("--rounds", rounds, "of each program, for each figure")->check(CLI::Range(1, 1000));
  app.add_flag("--json", json, "all samples");
  app.add_option("--svg", svg, "write a chart to this file");
  CLI11_PARSE(app, argc, argv);
  if (names.empty())
    for (const auto& [name, run] : scenarios) names.push_back(name);
  std::vector<Figure> figures;
  try {
    for (const auto& name : names) {
      const auto some = scenarios.at(name)(rounds);
      figures.insert(figures.end(), some.begin(), some.end());
      if (!json) fmt::print("{}\n{}\n", name, as_table(some));
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "vipd-bench: {}\n", error.what());
    return 1;
  }
  if (json) fmt::print("{}\n", as_json(figures).dump(2));
  if (!svg.empty()) std::ofstream(svg) << as_svg(figures);
  return 0;
}
