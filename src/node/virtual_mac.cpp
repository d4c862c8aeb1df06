#include "vipd/node/virtual_mac.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "vipd/os/log.hpp"
#include "vipd/vrrp/virtual_mac.hpp"

namespace vipd {
namespace {

constexpr const char* kTag = "vipd";
constexpr std::size_t kLongestName = 15;  // IFNAMSIZ without the final NUL

/// A file of an interface below /proc/sys/net/ipv4/conf or ipv6/conf.
struct Setting {
  std::string_view name;
  int value;
};

/// arp_ignore 1: an interface answers only for its own addresses. arp_announce 2: it asks only with its own addresses.
constexpr std::array<Setting, 2> kArp = {{{"arp_ignore", 1}, {"arp_announce", 2}}};

/// RFC 9568 7.4: no address is made from the virtual MAC, nor from router advertisements.
constexpr std::array<Setting, 3> kNoAutoconfiguration = {{{"addr_gen_mode", 1}, {"accept_ra", 0}, {"autoconf", 0}}};

std::string ipv4_setting(const std::string& interface, std::string_view name) {
  return "ipv4/conf/" + interface + "/" + std::string(name);
}

/// 20 bits of FNV-1a.
std::string short_hash(std::string_view text) {
  std::uint32_t hash = 2166136261u;
  for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 16777619u;
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string digits;
  for (unsigned shift = 0; shift < 20; shift += 4) digits += kDigits[(hash >> shift) & 15];
  return digits;
}

bool is_ours(const Interface& device) {
  return device.macvlan && (device.alias == kTag || device.alias.starts_with(std::string(kTag) + " "));
}

/// True if a device of ours was made for this interface, by its name (virtual_mac_device()). IFLA_LINK does not tell
/// it: all macvlans on each other have the same interface below.
bool is_made_for(const Interface& device, const std::string& interface) {
  const auto vrid = device.name.find('.');
  const auto end = device.name.find('.', vrid + 1);
  if (vrid == std::string::npos || end == std::string::npos) return false;
  const std::string suffix = device.name.substr(end + 1);
  return suffix == interface || suffix == short_hash(interface);
}

/// True if the kernel has put a device on this interface. It puts a macvlan on a macvlan beside that, on the interface
/// below both (macvlan_common_newlink(), drivers/net/macvlan.c), which may be in another namespace.
bool stands_on(const Interface& device, const Interface& below) {
  return device.parent == (below.macvlan ? below.parent : below.index);
}

/// The number behind "NAME=" in an alias.
std::optional<int> journalled(const std::string& alias, std::string_view name) {
  const auto at = alias.find(" " + std::string(name) + "=");
  if (at == std::string::npos) return std::nullopt;
  const char* const begin = alias.data() + at + name.size() + 2;
  int value = 0;
  return std::from_chars(begin, alias.data() + alias.size(), value).ec == std::errc() ? std::optional(value)
                                                                                      : std::nullopt;
}

bool has_address_of(Family family, const InstanceConfig& config) {
  return std::ranges::any_of(config.addresses,
                             [family](const auto& each) { return each.prefix.address.family() == family; });
}

/// Writes a setting, unless it has the value already: /proc/sys may be read-only. A setting that this kernel lacks is
/// skipped.
Result<void> set(Kernel& kernel, const std::string& name, int value) {
  const auto now = kernel.setting(name);
  if (!now || *now == value) return {};
  const int error = kernel.set_setting(name, value);
  if (error == 0) return {};
  return system_failure("cannot set /proc/sys/net/" + name + " to " + std::to_string(value), error);
}

}  // namespace

std::string virtual_mac_device(const InstanceConfig& config) {
  const std::string start =
      std::string(config.family() == Family::ipv4 ? "vrrp4." : "vrrp6.") + std::to_string(config.vrid) + ".";
  const bool fits = start.size() + config.interface.size() <= kLongestName;
  return start + (fits ? config.interface : short_hash(config.interface));
}

std::string address_interface(const InstanceConfig& config) {
  return config.virtual_mac ? virtual_mac_device(config) : config.interface;
}

VirtualMac::VirtualMac(Kernel& kernel, const InstanceConfig& config)
    : kernel_(kernel),
      parent_(config.interface),
      name_(virtual_mac_device(config)),
      mac_(virtual_mac(config.family(), config.vrid)),
      answers_arp_(has_address_of(Family::ipv4, config)),
      needs_ipv6_(has_address_of(Family::ipv6, config)) {}

const Interface* VirtualMac::device() const {
  const Interface* found = kernel_.view().find(name_);
  return found != nullptr && is_ours(*found) ? found : nullptr;
}

Result<void> VirtualMac::prepare() {
  const Interface* below = parent();
  if (below == nullptr) return failure("interface " + parent_ + " " + kernel_.view().why_missing(parent_));
  if (answers_arp_ && kernel_.setting("ipv4/conf/all/arp_filter").value_or(0) != 0)
    return failure(
        "net.ipv4.conf.all.arp_filter = 1 stops the kernel from answering ARP with the virtual MAC: set it to 0");
  const Interface* found = device();
  if (found == nullptr && kernel_.view().find(name_) != nullptr)
    return failure("interface " + name_ + " is not vipd's; the virtual MAC needs that name");
  if (found == nullptr || found->mac != mac_ || !stands_on(*found, *below) || has_lost_ipv6())
    if (auto made = make(*below, found); !made) return made;
  for (const auto& [name, value] : kNoAutoconfiguration)
    if (auto done = set(kernel_, "ipv6/conf/" + name_ + "/" + std::string(name), value); !done) return done;
  return {};
}

/// Linux takes IPv6 off an interface whose MTU is below 1280 (addrconf_notify(), net/ipv6/addrconf.c). A macvlan gets
/// the smaller MTU of its parent and keeps it when the parent has the larger one again (macvlan_device_event(),
/// drivers/net/macvlan.c). So the parent has IPv6 again, and the device has none until it is made anew.
bool VirtualMac::has_lost_ipv6() const {
  const auto has_ipv6 = [this](const std::string& interface) {
    return kernel_.setting("ipv6/conf/" + interface + "/addr_gen_mode").has_value();
  };
  return needs_ipv6_ && has_ipv6(parent_) && !has_ipv6(name_);
}

Result<void> VirtualMac::make(const Interface& below, const Interface* wrong) {
  if (wrong != nullptr) kernel_.remove_link(wrong->index);
  const int error = kernel_.add_macvlan(below.index, name_, mac_, kTag);
  if (error != 0) return system_failure("cannot make " + name_ + " for the virtual MAC", error);
  return {};
}

/// The alias of another device of ours on the parent that is up and has noted settings; null if there is none.
const std::string* VirtualMac::journal_of_another() const {
  for (const auto& [index, other] : kernel_.view().by_index)
    if (other.name != name_ && other.up && is_ours(other) && other.alias != kTag && is_made_for(other, parent_))
      return &other.alias;
  return nullptr;
}

/// The settings to restore later: those that another device on the parent has noted, or the present ones.
std::string VirtualMac::journal() const {
  if (!answers_arp_) return kTag;
  if (const std::string* other = journal_of_another()) return *other;
  std::string alias = kTag;
  for (const auto& [name, value] : kArp)
    if (const auto now = kernel_.setting(ipv4_setting(parent_, name)))
      alias += " " + std::string(name) + "=" + std::to_string(*now);
  return alias;
}

Result<void> VirtualMac::raise() {
  const Interface* found = device();
  if (found == nullptr) return failure("interface " + name_ + " is missing");
  if (alias_.empty()) alias_ = found->up && found->alias != kTag ? found->alias : journal();
  if (!found->up || found->alias != alias_) {
    const int error = kernel_.set_link(found->index, true, alias_);
    if (error != 0) {
      lower();
      return system_failure("cannot set " + name_ + " up", error);
    }
  }
  auto applied = apply_settings();
  if (!applied) lower();
  return applied;
}

Result<void> VirtualMac::apply_settings() {
  if (!answers_arp_) return {};
  for (const auto& [name, value] : kArp)
    for (const auto* interface : {&name_, &parent_})
      if (auto done = set(kernel_, ipv4_setting(*interface, name), value); !done) return done;
  // The way back is by the parent, so a strict filter would drop everything. The larger of "all" and the interface's
  // own value counts: if "all" is strict, loose (2) is the most that is possible.
  const bool filtered = kernel_.setting("ipv4/conf/all/rp_filter").value_or(0) != 0;
  return set(kernel_, ipv4_setting(name_, "rp_filter"), filtered ? 2 : 0);
}

void VirtualMac::restore(const std::string& alias) {
  if (journal_of_another() != nullptr) return;
  for (const auto& [name, value] : kArp)
    if (const auto before = journalled(alias, name))
      if (const auto done = set(kernel_, ipv4_setting(parent_, name), *before); !done)
        log_warning("{}", done.error().message);
}

void VirtualMac::lower() {
  const Interface* found = device();
  const std::string noted = std::exchange(alias_, "");
  restore(found != nullptr ? found->alias : noted);  // the device may be gone
  if (found == nullptr || (!found->up && found->alias == kTag)) return;
  const int error = kernel_.set_link(found->index, false, kTag);
  if (error != 0) log_error("cannot set {} down: {}", name_, std::strerror(error));
}

bool VirtualMac::remove() {
  const Interface* found = device();
  if (found == nullptr) return false;
  const bool was_up = found->up;
  const int index = found->index;
  lower();
  const int error = kernel_.remove_link(index);
  if (error != 0 && error != ENODEV) log_error("cannot remove {}: {}", name_, std::strerror(error));
  return was_up;
}

}  // namespace vipd
