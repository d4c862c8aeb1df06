// vipd-stress: real daemons in namespaces, and random faults. See CONTRIBUTING.md.
#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <map>
#include <thread>

#include "faults.hpp"
#include "judge.hpp"
#include "support/late_failure.hpp"

namespace vipd::stress {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::uint64_t seed = 1;
  int seconds = 0, rounds = 6;
  bool verbose = false;
  std::vector<std::string> only;
};

struct Tally {
  int tried = 0, violations = 0;
  Duration longest{};  ///< longest time from the end of a round's last fault until all is well
};

struct Totals {
  std::map<std::string, Tally> kinds;
  int lives = 0, rounds = 0, faults = 0, violations = 0;
};

std::vector<Kind> enabled_kinds(const Options& options) {
  std::vector<Kind> all;
  for (const auto& some : {network_kinds(), traffic_kinds(), process_kinds()})
    std::ranges::copy_if(some, std::back_inserter(all), [&](const Kind& kind) {
      return options.only.empty() || std::ranges::count(options.only, kind.name) > 0;
    });
  return all;
}

/// A life: a scene and its rounds, until a round fails.
class Life {
 public:
  Life(const Options& options, const std::vector<Kind>& kinds, std::uint64_t seed, Totals& totals)
      : options_(options), kinds_(kinds), seed_(seed), totals_(totals), draw_(seed), scene_(draw_scene(draw_)) {}

  void run() {
    fmt::print("seed {}: {}\n", seed_, describe(scene_));
    std::cout << std::flush;
    ++totals_.lives;
    Site site(scene_);
    Judge judge(site);
    try {
      begin(site, judge);
      for (round_ = 1; round_ <= options_.rounds && good_; ++round_) run_round(site, judge);
      if (good_) complain(site, "the end", judge.stop_all(draw_));
    } catch (const std::exception& error) {
      complain(site, "an exception", {error.what()});
    }
  }

 private:
  void begin(Site& site, Judge& judge) {
    for (int i = 0; i < scene_.servers; ++i) site.start(i);
    settle(site, judge, scene_.quiet(), "the start");
  }

  void run_round(Site& site, Judge& judge) {
    ++totals_.rounds;
    site.new_diary();
    faults_ = draw_round(kinds_, scene_, draw_);
    carry_out(site);
    Duration bound = scene_.quiet();
    for (const Fault& fault : faults_) bound = std::max(bound, scene_.quiet() + fault.extra);
    const Duration took = settle(site, judge, bound, "a round");
    if (good_) complain(site, "growth", judge.growth());
    for (const Fault& fault : faults_) count(std::string(fault.kind), took);
    if (options_.verbose && good_) tell(site);
  }

  void count(const std::string& kind, Duration took) {
    Tally& tally = totals_.kinds[kind];
    ++tally.tried;
    ++totals_.faults;
    tally.violations += good_ ? 0 : 1;
    tally.longest = std::max(tally.longest, took);
  }

  /// Carries out all steps of all faults, each at its time or as soon as the previous step has ended.
  void carry_out(Site& site) {
    struct Due {
      Duration at;
      std::size_t order;  // order among the steps of one moment
      const Fault* fault;
      const Step* step;
    };
    std::vector<Due> all;
    for (const Fault& fault : faults_)
      for (const Step& step : fault.steps) all.push_back({step.at, all.size(), &fault, &step});
    std::ranges::sort(all, {}, [](const Due& due) { return std::pair(due.at, due.order); });
    const auto begun = Clock::now();
    for (const Due& due : all) {
      std::this_thread::sleep_until(begun + due.at);
      if (site.diary().size() < 300)
        site.note(fmt::format("{}, step {}", due.fault->kind, due.step - due.fault->steps.data() + 1));
      due.step->act(site);
    }
  }

  /// Waits until nothing is wrong, and a little later still is not. Returns how long it took.
  Duration settle(Site& site, Judge& judge, Duration bound, const std::string& after) {
    const auto begun = Clock::now();
    site.note("quiet");
    Complaints wrong;
    Duration took{};
    const bool settled = lab::wait_until(bound, [&] {
      wrong = judge.look();
      took = Clock::now() - begun;
      return wrong.empty();
    });
    if (settled) {
      std::this_thread::sleep_for(std::min<Duration>(2 * scene_.interval, 500ms));
      wrong = judge.look();
      for (auto& line : wrong) line = "not for long: " + line;
    }
    site.note(settled ? "all is well" : "the quiet period is over");
    complain(site, fmt::format("{}, after a quiet period of {}", after, format_duration(bound)), wrong);
    return took;
  }

  void tell(Site& site) const {
    for (const Fault& fault : faults_) fmt::print("    {}\n", fault.text);
    for (const auto& line : site.diary()) fmt::print("    {}\n", line);
  }

  void complain(Site& site, const std::string& where, const Complaints& wrong) {
    if (wrong.empty()) return;
    good_ = false;
    ++totals_.violations;
    fmt::print("VIOLATION at {} (seed {}, round {})\n  {}\n", where, seed_, round_, describe(scene_));
    for (const auto& line : wrong) fmt::print("  wrong: {}\n", line);
    fmt::print("  faults of this round:\n");
    tell(site);
    fmt::print("  to repeat its decisions: vipd-stress --seed {} --rounds {}{}\n", seed_, options_.rounds,
               same_kinds());
    std::cout << std::flush;
    for (const Server& server : site.servers()) print_state(*server.node);
  }

  std::string same_kinds() const {
    std::string text;
    for (const auto& kind : options_.only) text += " --only '" + kind + "'";
    return text;
  }

  static void print_state(const lab::Node& node) {
    std::cout << "--- " << node.name() << "\n"
              << lab::run(node, {"ip", "-o", "addr"}).output << lab::run(node, {"ip", "route"}).output;
    const Json status = node.status();
    if (!status.is_null())
      for (const Json& instance : status.at("instances"))
        fmt::print("{} {}: {}; fault {}, fit {}\n", instance.at("name").dump(), instance.at("state").dump(),
                   instance.at("reason").dump(), instance.at("fault").dump(), instance.at("fit").dump());
    std::cout << std::flush;
    node.print_logs();
  }

  const Options& options_;
  const std::vector<Kind>& kinds_;
  std::uint64_t seed_;
  Totals& totals_;
  Draw draw_;
  Scene scene_;
  int round_ = 0;
  bool good_ = true;
  std::vector<Fault> faults_;
};

void print_totals(const Totals& totals) {
  fmt::print("\n{:42} {:>6} {:>11} {:>16}\n", "kind of fault", "tried", "violations", "longest recovery");
  for (const auto& [kind, tally] : totals.kinds)
    fmt::print("{:42} {:>6} {:>11} {:>14.0f} ms\n", kind, tally.tried, tally.violations, lab::in_ms(tally.longest));
  fmt::print("{} lives, {} rounds, {} faults of {} kinds, {} violations\n", totals.lives, totals.rounds, totals.faults,
             totals.kinds.size(), totals.violations);
}

void list_kinds() {
  for (const auto& some : {network_kinds(), traffic_kinds(), process_kinds()})
    for (const Kind& kind : some) fmt::print("{}\n", kind.name);
}

int run(const Options& options) {
  const std::vector<Kind> kinds = enabled_kinds(options);
  if (kinds.empty()) throw std::runtime_error("there is no such kind; --list names them");
  Totals totals;
  const auto end = Clock::now() + std::chrono::seconds(options.seconds);
  std::uint64_t seed = options.seed;
  do Life(options, kinds, seed++, totals).run();
  while (Clock::now() < end);
  print_totals(totals);
  return totals.violations > 0 || late_failures() > 0 ? 1 : 0;
}

/// Makes a mount namespace, so that mounts vanish with this program.
void own_mounts() {
  if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    throw std::runtime_error("cannot have mounts of its own (are we root?)");
}

}  // namespace
}  // namespace vipd::stress

int main(int argc, char** argv) {
  vipd::stress::Options options;
  bool list = false;
  CLI::App app(
      "Real vipds in network namespaces, and random faults. Each seed is a life: a configuration and some rounds of "
      "faults, each followed by a quiet period. A seed repeats what is decided; the order of what happens within "
      "milliseconds is the machine's.");
  app.add_option("--seed", options.seed, "of the first life; the next one has the next seed");
  app.add_option("--seconds", options.seconds, "begin no new life after that; without it, one life")
      ->check(CLI::Range(0, 1'000'000));
  app.add_option("--rounds", options.rounds, "in each life")->check(CLI::Range(1, 100'000));
  app.add_option("--only", options.only, "a kind of fault; may be given several times");
  app.add_flag("--verbose", options.verbose, "tell each round");
  app.add_flag("--list", list, "name the kinds of faults");
  CLI11_PARSE(app, argc, argv);
  try {
    if (list) return vipd::stress::list_kinds(), 0;
    vipd::stress::own_mounts();
    return vipd::stress::run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "vipd-stress: {}\n", error.what());
    return 1;
  }
}
