#include <systemd/sd-bus.h>
#include <unistd.h>

#include <cstdlib>

#include "vipd/checker/checker.hpp"

namespace vipd {
namespace {

constexpr const char *kService = "org.freedesktop.systemd1", *kPath = "/org/freedesktop/systemd1";

struct Bus {
  ~Bus() { ::sd_bus_flush_close_unref(bus); }
  sd_bus* bus = nullptr;
};

std::string full_name(const std::string& name) {
  return name.find('.') == std::string::npos ? name + ".service" : name;
}

/// Connects to systemd directly, as systemctl does. So no D-Bus daemon is needed, and a hung one does not make a
/// service look dead. systemd answers only root there; other users ask over the system bus.
int open_systemd(sd_bus** bus) {
  if (::geteuid() != 0) return ::sd_bus_open_system(bus);
  int error = ::sd_bus_new(bus);
  if (error >= 0) error = ::sd_bus_set_address(*bus, "unix:path=/run/systemd/private");
  return error < 0 ? error : ::sd_bus_start(*bus);
}

/// The state of a unit: "active", "failed", ...; "not loaded" if systemd does not know it.
Answer state_of(sd_bus* bus, const std::string& name) {
  sd_bus_message* reply = nullptr;
  const char* path = nullptr;
  const int found = ::sd_bus_call_method(bus, kService, kPath, "org.freedesktop.systemd1.Manager", "GetUnit", nullptr,
                                         &reply, "s", name.c_str());
  if (found < 0) return "not loaded";
  char* state = nullptr;
  int error = ::sd_bus_message_read(reply, "o", &path);
  if (error >= 0)
    error = ::sd_bus_get_property_string(bus, kService, path, "org.freedesktop.systemd1.Unit", "ActiveState", nullptr,
                                         &state);
  const std::string text = state != nullptr ? state : "";
  ::free(state);
  ::sd_bus_message_unref(reply);
  if (error < 0) return system_failure("cannot ask systemd for " + name, -error);
  return text;
}

}  // namespace

Answer check_unit(const std::string& name, BeforeAsking before_asking) {
  Bus systemd;
  if (const int error = open_systemd(&systemd.bus); error < 0) return system_failure("cannot ask systemd", -error);
  if (const auto ready = before_asking(); !ready) return std::unexpected(ready.error());
  const std::string unit = full_name(name);
  const Answer state = state_of(systemd.bus, unit);
  if (!state) return state;
  const bool active = *state == "active" || *state == "reloading" || *state == "refreshing";
  return active ? Answer("") : failure(unit + " is " + *state);
}

}  // namespace vipd
