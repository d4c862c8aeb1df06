// Kinds of faults of the daemon itself: its process, its runner, its files, its clients.
#include <fmt/format.h>
#include <sys/socket.h>

#include <csignal>
#include <fstream>
#include <memory>
#include <utility>

#include "faults.hpp"
#include "vipd/os/process_tree.hpp"

namespace vipd::stress {
namespace {

bool always(const Scene& /*scene*/) { return true; }
bool has_check(const Scene& scene) { return scene.check; }

/// The longest time of a stop by vipd(8). The peer takes an advert interval and the largest skew, and the kernel 5 s.
/// The running hook and the waiting one take 5 s each (the timeout), and 2 s until they are killed. A runner that does
/// not answer takes 10 s. A busy machine adds to that.
Duration stop_bound(const Scene& scene) {
  return scene.active_down() + 5s + (scene.hook ? 2 * (5s + 2s + 10s) : 0s) + 5s + kSanitizer;
}

void stop_at(Site& site, int index) {
  if (!site.stop(index, stop_bound(site.scene())))
    throw Broken("vipd of " + site.node(index).name() + " does not stop in time");
}

void paused(Plan& plan) {
  plan.begin([index = plan.index](Site& site) { site.signal(index, SIGSTOP); });
  plan.end([index = plan.index](Site& site) { site.signal(index, SIGCONT); });
}

void killed(Plan& plan) {
  const bool will = plan.draw.chance(50);
  plan.detail = will ? "with its last will" : "and left";
  plan.begin([=, index = plan.index](Site& site) {
    site.kill(index);
    if (will) site.last_will(index);
  });
  plan.end([index = plan.index](Site& site) { site.start(index); });
}

void killed_and_back(Plan& plan) {
  plan.begin([index = plan.index](Site& site) {
    site.kill(index);
    site.start(index);
  });
}

void stopped(Plan& plan) {
  plan.begin([index = plan.index](Site& site) { stop_at(site, index); });
  plan.end([index = plan.index](Site& site) { site.start(index); });
}

void reexecs(Plan& plan) {
  const int count = 1 + plan.draw.below(3);
  plan.detail = fmt::format("{} times", count);
  for (int i = 0; i < count; ++i)
    plan.at(plan.from + i * (plan.to - plan.from) / count,
            [index = plan.index](Site& site) { site.vipctl(index, {"reexec"}); });
}

/// Reloads another file, and then the first one again.
template <Change change>
void reloaded(Plan& plan) {
  plan.begin([index = plan.index](Site& site) { site.reload(index, change); });
  plan.end([index = plan.index](Site& site) { site.reload(index, Change::none); });
}

/// Reloads on trial. Nobody confirms, so vipd goes back by itself.
void on_trial(Plan& plan) {
  plan.begin([index = plan.index](Site& site) {
    site.write_config(index, Change::one_more);
    site.vipctl(index, {"reload", "--confirm", "1s"});
    site.write_config(index, Change::none);
  });
  plan.extra = 1s;
}

void hangup_beside_stop(Plan& plan) {
  const auto gap = plan.draw.between(0ms, 200ms);
  plan.detail = fmt::format("{} ms apart", lab::in_ms(gap));
  plan.begin([index = plan.index](Site& site) {
    site.write_config(index, Change::one_more);
    site.signal(index, SIGTERM);
  });
  plan.at(plan.from + gap, [index = plan.index](Site& site) { site.signal(index, SIGHUP); });
  plan.at(std::max(plan.from + gap, plan.to), [index = plan.index](Site& site) {
    stop_at(site, index);
    site.start(index);
  });
}

void second_daemon(Plan& plan) {
  plan.begin([index = plan.index](Site& site) {
    if (!site.runs(index)) return;
    const lab::Finished second = lab::run(site.node(index), site.node(index).vipd_command());
    if (second.status != 1) throw Broken(fmt::format("a second vipd ends with status {}", second.status));
  });
}

/// The pid of a server's runner; -1 if vipd does not run.
pid_t runner_of(Site& site, int index) {
  if (!site.runs(index)) return -1;
  const auto below = descendants(site.node(index).vipd().pid());
  return below.empty() ? -1 : below.front();
}
void runner_killed(Plan& plan) {
  const int count = 1 + plan.draw.below(4);
  plan.detail = fmt::format("{} times", count);
  for (int i = 0; i < count; ++i)
    plan.at(plan.from + i * (plan.to - plan.from) / count, [index = plan.index](Site& site) {
      if (const pid_t runner = runner_of(site, index); runner > 0) ::kill(runner, SIGKILL);
    });
}
/// A stopped process that goes on when this object is destroyed, also if its life ends early.
struct Paused {
  pid_t pid = -1;
  Paused() = default;
  Paused(const Paused&) = delete;
  Paused& operator=(const Paused&) = delete;
  ~Paused() { resume(); }
  void resume() {
    if (const pid_t paused = std::exchange(pid, -1); paused > 0) ::kill(paused, SIGCONT);
  }
};

void runner_paused(Plan& plan) {
  auto paused = std::make_shared<Paused>();
  plan.begin([=, index = plan.index](Site& site) {
    paused->pid = runner_of(site, index);
    if (paused->pid > 0) ::kill(paused->pid, SIGSTOP);
  });
  plan.end([=](Site& /*site*/) { paused->resume(); });
}

void set_service(Site& site, int index, bool good) {
  const auto file = service_file(site.node(index));
  if (good)
    std::ofstream(file) << "\n";
  else
    std::filesystem::remove(file);
}
void check_fails(Plan& plan) {
  plan.begin([index = plan.index](Site& site) { set_service(site, index, false); });
  plan.end([index = plan.index](Site& site) { set_service(site, index, true); });
}
void check_flaps(Plan& plan) {
  const int count = 2 + plan.draw.below(6);
  for (int i = 0; i < 2 * count; ++i)
    plan.at(plan.from + i * (plan.to - plan.from) / (2 * count),
            [=, index = plan.index](Site& site) { set_service(site, index, i % 2 == 1); });
}

void disk_full(Plan& plan) {
  plan.begin([index = plan.index](Site& site) { site.server(index).disk->fill(); });
  plan.end([index = plan.index](Site& site) { site.server(index).disk->make_room(); });
}

/// Clients of the control socket that send nothing, or half a request.
void hanging_clients(Plan& plan) {
  auto clients = std::make_shared<std::vector<Fd>>();
  plan.begin([=, index = plan.index](Site& site) {
    for (int i = 0; i < 40 && site.runs(index); ++i) try {
        clients->push_back(lab::connect_to(site.node(index)));
        if (i % 2 == 0) (void)::send(clients->back().get(), "{\"verb\"", 7, MSG_NOSIGNAL | MSG_DONTWAIT);
      } catch (const std::exception& error) {
        return site.note(std::string("  ") + error.what());
      }
  });
  plan.end([=](Site& /*site*/) { clients->clear(); });
}

/// Runs commands that are kept until the fault ends.
void in_background(Plan& plan, const std::vector<std::string>& command, int count) {
  auto busy = std::make_shared<std::vector<std::unique_ptr<lab::Process>>>();
  plan.begin([=, index = plan.index](Site& site) {
    for (int i = 0; i < count; ++i) busy->push_back(std::make_unique<lab::Process>(site.node(index), command));
  });
  plan.end([=](Site& /*site*/) { busy->clear(); });
}

void busy_machine(Plan& plan) { in_background(plan, {"/bin/sh", "-c", "while :; do :; done"}, 6); }

/// Makes so many changes that notifications are lost and the kernel reports only the loss. After that, each further
/// change waits until all other processes have run (netlink_broadcast_filtered() in net/netlink/af_netlink.c yields).
/// That takes minutes on a busy machine, so the changes end there.
void many_notifications(Plan& plan) {
  plan.begin([index = plan.index](Site& site) {
    const auto batch = site.node(index).directory() / "batch";
    std::ofstream commands(batch);
    for (int i = 0; i < 8000; ++i) commands << "addr add 10.0.0.1/32 dev lo\naddr del 10.0.0.1/32 dev lo\n";
    commands.close();
    site.signal(index, SIGSTOP);
    lab::Process(site.node(index), {"ip", "-batch", batch.string()}).wait_exit(3s);
    // it exists only if all changes were made
    (void)lab::run(site.node(index), {"ip", "addr", "del", "10.0.0.1/32", "dev", "lo"});
    site.signal(index, SIGCONT);
  });
}

}  // namespace

std::vector<Kind> process_kinds() {
  return {
      {"paused (SIGSTOP)", Part::process, paused},
      {"killed", Part::process, killed},
      {"killed and started at once", Part::process, killed_and_back},
      {"stopped", Part::process, stopped},
      {"re-exec", Part::process, reexecs},
      {"reload of a name", Part::process, reloaded<Change::harmless>},
      {"reload of one instance more", Part::process, reloaded<Change::one_more>},
      {"reload of a check", Part::process, reloaded<Change::other_check>, has_check},
      {"reload of a broken file", Part::process, reloaded<Change::broken>},
      {"reload on trial", Part::process, on_trial, always},
      {"SIGHUP beside SIGTERM", Part::process, hangup_beside_stop, always},
      {"second daemon", Part::socket, second_daemon},
      {"many notifications", Part::process, many_notifications},
      {"runner killed", Part::runner, runner_killed},
      {"runner paused", Part::runner, runner_paused},
      {"check fails", Part::check, check_fails, has_check},
      {"check flaps", Part::check, check_flaps, has_check},
      {"disk full", Part::disk, disk_full},
      {"clients that hang", Part::socket, hanging_clients},
      {"busy machine", Part::load, busy_machine},
  };
}

}  // namespace vipd::stress
