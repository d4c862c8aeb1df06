/// What an instance holds while it is Active: addresses, the routes that need them, the rules that lead there.
///
/// The configuration names objects; here they become objects of this machine, with the indexes of their interfaces and
/// with a prefix length where the configuration left it out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vipd/config/config.hpp"
#include "vipd/os/kernel.hpp"

namespace vipd {

/// An object as the configuration has it, with the interface that this implies.
struct WantedObject {
  KernelObject object;
  bool tracked = true;  ///< false: it may lack for as long as its interface cannot have it
};

/// An object to hold, and what became of it.
struct HeldEntry {
  KernelObject wanted;   ///< as configured
  KernelObject object;   ///< as it is on this machine: with the interface's index, and with a length
  bool owned = false;    ///< added by us, ours to remove
  bool foreign = false;  ///< was there before us
  bool told = false;     ///< true once the kernel has told of it with our tag, since we added it
  int error = 0;         ///< errno of the last refused add
  bool tracked = true;   ///< see WantedObject
  bool queued = false;   ///< still to be added
  unsigned rounds = 0;   ///< of announcements that its burst still has; Announcer's
  bool due = false;      ///< still to be announced in this round; Announcer's
  bool waits = false;    ///< true while it is not announced because it is not usable yet; Announcer's
};

/// Index of the interface of this name; 0 if there is none.
int index_of(const NetworkView& view, const std::string& interface);
/// All that `instance` holds while it is Active, in the order in which it is added.
std::vector<WantedObject> wanted_by(const InstanceConfig& instance);
/// The object as it is on the machine: with its interface's index, and with a length if it had none.
KernelObject located(KernelObject object, const InstanceConfig& instance, const NetworkView& view);
/// The addresses to which packets are not taken in (accept = false, RFC 9568 6.1).
std::vector<IpAddress> refused_by(const InstanceConfig& config);

/// All that an instance holds while it is Active, in the order in which it is added, with the interfaces as `view` has
/// them now.
std::vector<KernelObject> objects_of(const InstanceConfig& instance, const NetworkView& view);
/// Those of them that are there and carry vipd's tag, `but_for` some, in the order in which they are removed.
std::vector<KernelObject> tagged_objects_of(const InstanceConfig& instance, const NetworkView& view,
                                            const std::vector<KernelObject>& but_for = {});

/// What the kernel says of an address; null of anything else, and of one that it has not told yet.
const AddressState* state_of(const KernelObject& object, const NetworkView& view);
/// Whether an address may be announced. The view may be late, but for duplicate address detection its word counts.
bool is_settled(const AddressObject& address, const NetworkView& view);

}  // namespace vipd
