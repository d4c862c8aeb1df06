#include "campaign.hpp"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "cluster.hpp"
#include "shrink.hpp"

namespace vipd::sim {
namespace {

/// The memory that a process shares with its parent.
struct Shared {
  Coverage coverage;
  std::uint64_t seed = 0;  // the seed at work
};

Shared* share(std::size_t count) {
  void* memory = mmap(nullptr, count * sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) std::abort();
  auto* shared = static_cast<Shared*>(memory);
  for (std::size_t i = 0; i < count; ++i) new (shared + i) Shared();
  return shared;
}

void report(std::uint64_t seed, const std::string& what) {
  std::printf("VIOLATION seed %llu: %s\n", static_cast<unsigned long long>(seed), what.c_str());
  std::fflush(stdout);
}

/// Runs every jobs-th seed from `seed` on.
void work(const CampaignLimits& limits, std::uint64_t seed, std::chrono::steady_clock::time_point end, Shared& shared) {
  const auto begin = std::chrono::steady_clock::now();
  for (; seed - limits.seed < limits.clusters; seed += limits.jobs) {
    if (limits.seconds != 0 && std::chrono::steady_clock::now() >= end) return;
    shared.seed = seed;
    const Ending ending = run_scenario(draw_scenario(seed, limits.traits), shared.coverage);
    if (ending.violation.empty()) continue;
    ++shared.coverage.violations;
    const auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin);
    report(seed, ending.violation + ", after " + std::to_string(took.count()).substr(0, 4) + " s");
    if (limits.until_violation) return;
  }
}

/// True if a scenario fails. It runs in a process of its own, so an assertion counts as a failure.
bool fails(const Scenario& scenario) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    if (std::freopen("/dev/null", "w", stderr) == nullptr) _exit(2);
    Coverage coverage;
    _exit(run_scenario(scenario, coverage).violation.empty() ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status != 0;
}

bool tell(const Scenario& scenario) {
  for (const Config& config : scenario.configs) std::printf("%s\n", summary(config).c_str());
  for (std::size_t i = 0; i < kTraits; ++i)
    if (scenario.traits[i]) std::printf("with %s\n", std::string(to_string(static_cast<Trait>(i))).c_str());
  Coverage coverage;
  const Ending ending = run_scenario(scenario, coverage, true);
  std::printf("digest %016llx\n", static_cast<unsigned long long>(ending.digest));
  if (!ending.violation.empty()) report(scenario.seed, ending.violation);
  return ending.violation.empty();
}

}  // namespace

Coverage run_campaign(const CampaignLimits& limits) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(limits.seconds);
  Shared* shared = share(limits.jobs);
  std::vector<pid_t> children;
  std::fflush(stdout);
  for (unsigned i = 0; i < limits.jobs; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      work(limits, limits.seed + i, end, shared[i]);
      _exit(0);
    }
    children.push_back(child);
  }
  Coverage all;
  for (unsigned i = 0; i < limits.jobs; ++i) {
    int status = 0;
    waitpid(children[i], &status, 0);
    if (status != 0) {
      report(shared[i].seed, "the process died, status " + std::to_string(status));
      ++shared[i].coverage.violations;
    }
    all.add(shared[i].coverage);
  }
  munmap(shared, limits.jobs * sizeof(Shared));
  return all;
}

bool replay(std::uint64_t seed, const Traits& traits) { return tell(draw_scenario(seed, traits)); }

bool shrink_seed(std::uint64_t seed, const Traits& traits) {
  const Scenario scenario = draw_scenario(seed, traits);
  if (!fails(scenario)) return true;
  const Scenario shortest = shrink(scenario, fails);
  std::printf("%zu of %zu faults are enough:\n", shortest.faults.size(), scenario.faults.size());
  return tell(shortest);
}

}  // namespace vipd::sim
