// `vipd --last-will`: removes the addresses of a dead vipd and resigns for it. See vipd(8) and docs/decisions/0010.
#include <systemd/sd-bus.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "vipd/daemon/directories.hpp"
#include "vipd/node/advert_port.hpp"
#include "vipd/node/leftovers.hpp"
#include "vipd/node/uplink.hpp"
#include "vipd/os/file_store.hpp"
#include "vipd/os/log.hpp"
#include "vipd/os/raw_wire.hpp"
#include "vipd/os/rtnl_kernel.hpp"

namespace vipd {
namespace {

/// The time from the last will to the first advert of the restarted vipd (RestartSec=100ms, up to 250 ms later).
constexpr auto kRestartTakes = std::chrono::milliseconds(500);

/// Resigns for an instance whose addresses were removed: its peers hear priority 0.
void resign_for(const InstanceConfig& instance, Kernel& kernel) {
  const auto config = std::make_shared<const InstanceConfig>(instance);
  auto wire = RawWire::open_for_sending();
  Uplink uplink(kernel, config);
  uplink.look(boot_time());
  if (!wire || !uplink.source()) return;
  if (!(*wire)->listen(uplink.ifindex(), instance.family(), {}, false)) return;
  RouterCounters counters;
  AdvertPort(**wire, counters, config)
      .send(kResignPriority, {.ifindex = uplink.ifindex(), .address = *uplink.source()}, boot_time());
}

std::string variable(const char* name) {
  const char* value = ::getenv(name);
  return value != nullptr ? value : "";
}

int take_setting(sd_bus_message* reply, void* setting, sd_bus_error* /*error*/) {
  const char* answer = nullptr;
  if (::sd_bus_message_is_method_error(reply, nullptr) == 0 && ::sd_bus_message_read(reply, "v", "s", &answer) > 0)
    static_cast<std::optional<std::string>*>(setting)->emplace(answer);
  return 1;
}

/// Restart= of our unit as systemd has it, drop-ins included (org.freedesktop.systemd1(5)). If no message bus answers
/// in time, it is the package's value. (sd_bus_call(3) would wait 90 s for a bus that hangs.)
std::string restart_setting() {
  constexpr auto kPatience = std::chrono::milliseconds(50);
  const std::string unit = variable("VIPD_UNIT");
  std::optional<std::string> setting;
  sd_bus* bus = nullptr;
  char* path = nullptr;
  int busy = unit.empty() ? -1 : ::sd_bus_open_system(&bus);
  if (busy >= 0) busy = ::sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit.c_str(), &path);
  if (busy >= 0)
    busy =
        ::sd_bus_call_method_async(bus, nullptr, "org.freedesktop.systemd1", path, "org.freedesktop.DBus.Properties",
                                   "Get", take_setting, &setting, "ss", "org.freedesktop.systemd1.Service", "Restart");
  const TimePoint end = boot_time() + kPatience;
  for (TimePoint now = boot_time(); busy >= 0 && !setting && now < end; now = boot_time()) {
    busy = ::sd_bus_process(bus, nullptr);
    const auto left = std::chrono::duration_cast<std::chrono::microseconds>(end - now);
    if (busy == 0) busy = ::sd_bus_wait(bus, static_cast<std::uint64_t>(left.count()));
  }
  ::free(path);
  ::sd_bus_close_unref(bus);
  return setting.value_or("on-failure");
}

/// True if systemd will start the service again after this end of it, systemd.exec(5).
bool restart_follows() {
  constexpr std::array<std::string_view, 5> kFailures = {"exit-code", "signal", "core-dump", "watchdog", "oom-kill"};
  const bool prevented = variable("EXIT_CODE") == "exited" && variable("EXIT_STATUS") == std::to_string(kExitConfig);
  if (std::ranges::count(kFailures, variable("SERVICE_RESULT")) == 0 || prevented) return false;
  const std::string setting = restart_setting();
  return setting == "on-failure" || setting == "always";  // other settings depend on how vipd ended
}

/// Removes from `instances` each instance that the restarted vipd can resume in time. The claims of the others end.
void leave_to_restart(std::vector<InstanceConfig>& instances, ClaimStore& claims) {
  const auto in_time = [&, follows = restart_follows(), now = boot_time()](const std::string& name) {
    const KeptClaim* left = claims.find(name);
    return follows && left != nullptr && left->is_good(now, kRestartTakes);
  };
  std::erase_if(instances, [&](const InstanceConfig& instance) {
    if (!in_time(instance.name)) return false;
    log_info("{}: its addresses are left to the next start of vipd", instance.name);
    return true;
  });
  claims.drop_all_but(in_time);
}

}  // namespace

int last_will(const DaemonOptions& options) {
  start_log();
  const auto loaded = load_config(options.config, Purpose::clean_up);
  const bool is_usable = usable(loaded, options.config);
  std::vector<InstanceConfig> instances = instances_before(loaded.value_or(LoadedConfig()), options);
  if (!is_usable && instances.empty()) return kExitConfig;
  if (is_usable) instances.insert(instances.end(), loaded->config->instances.begin(), loaded->config->instances.end());
  const auto lock = lock_runtime_dir(options.runtime_dir);
  if (!lock) {
    log_error("{}; it needs no last will", lock.error().message);
    return kExitFailure;
  }
  auto kernel = RtnlKernel::open_once();
  if (!kernel) {
    log_error("{}", kernel.error().message);
    return kExitFailure;
  }
  FileStore store;
  ClaimStore claims(store, claims_path(options));
  leave_to_restart(instances, claims);
  for (const auto* instance : remove_tagged(instances, {}, **kernel)) {
    log_warning("{}: removed leftovers of vipd", instance->name);
    resign_for(*instance, **kernel);
  }
  return kExitOk;
}

}  // namespace vipd
