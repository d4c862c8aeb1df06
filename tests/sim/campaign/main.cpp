// vipd-simulate: runs clusters of production code in a fake world, fault after fault, for the given time.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <thread>

#include "campaign.hpp"

using namespace vipd::sim;

namespace {

/// The processor time of all ended child processes, getrusage(2); wall-clock time would count other programs.
double seconds_of_cores() {
  rusage used{};
  getrusage(RUSAGE_CHILDREN, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

int campaign(const CampaignLimits& limits, bool complete) {
  std::printf("seed %llu, %u processes\n", static_cast<unsigned long long>(limits.seed), limits.jobs);
  const Coverage seen = run_campaign(limits);
  const double hours = static_cast<double>(seen.seconds) / 3600;
  std::printf("%s", seen.report().c_str());
  std::printf(
      "%llu clusters, %.0f cluster-hours, %.1f per second of a core, %llu faults, %llu violations, digest %016llx\n",
      static_cast<unsigned long long>(seen.clusters), hours, hours / seconds_of_cores(),
      static_cast<unsigned long long>(seen.faults()), static_cast<unsigned long long>(seen.violations),
      static_cast<unsigned long long>(seen.digest));
  return seen.violations == 0 && !(complete && !seen.missing().empty()) ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Runs clusters of vipd in virtual time, with faults of every kind.");
  CampaignLimits limits;
  limits.jobs = std::max(1U, std::thread::hardware_concurrency());
  std::uint64_t replayed = 0, shrunk = 0;
  bool complete = false;
  std::map<std::string, std::size_t> traits;
  for (std::size_t i = 0; i < kTraits; ++i) traits[std::string(to_string(static_cast<Trait>(i)))] = i;
  std::vector<std::size_t> wanted;
  app.add_option("--seconds", limits.seconds, "of real time; 0 = until all clusters have been");
  app.add_option("--seed", limits.seed, "of the first cluster");
  app.add_option("--clusters", limits.clusters, "at most");
  app.add_option("--jobs", limits.jobs, "processes")->check(CLI::Range(1U, 1024U));
  app.add_flag("--complete", complete, "fail if something that should have been seen was not");
  app.add_flag("--until-violation", limits.until_violation, "end with the first violation");
  app.add_option("--traits", wanted, "of each cluster, in place of some of all")
      ->transform(CLI::CheckedTransformer(traits));
  auto* replay_option = app.add_option("--replay", replayed, "tell all that happens with this seed");
  auto* shrink_option = app.add_option("--shrink", shrunk, "the same, with as few faults as it fails with");
  CLI11_PARSE(app, argc, argv);
  for (const std::size_t trait : wanted) limits.traits.set(trait);
  if (*replay_option) return replay(replayed, limits.traits) ? 0 : 1;
  if (*shrink_option) return shrink_seed(shrunk, limits.traits) ? 0 : 1;
  return campaign(limits, complete);
}
