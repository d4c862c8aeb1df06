/// The objects that an instance holds while it is Active: addresses, routes and rules.
///
/// The configuration names objects. These functions make objects of this machine: they add the indexes of interfaces,
/// and the prefix lengths that the configuration leaves out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vipd/config/config.hpp"
#include "vipd/os/kernel.hpp"

namespace vipd {

/// An object as configured, with its implied interface.
struct WantedObject {
  KernelObject object;
  bool tracked = true;  ///< false if the instance does without it while its interface cannot have it
};

/// An object to hold, with its state.
struct HeldEntry {
  KernelObject wanted;   ///< the object as configured
  KernelObject object;   ///< the object on this machine, with the index of its interface and a length
  bool owned = false;    ///< true if vipd added it, and so removes it
  bool foreign = false;  ///< true if it was there before vipd added it
  bool told = false;     ///< true once the kernel has reported it with our tag
  int error = 0;         ///< errno of the last refused add
  bool tracked = true;   ///< as in WantedObject
  bool queued = false;   ///< true while it waits to be added
  unsigned rounds = 0;   ///< how many rounds of its burst are left; Announcer's
  bool due = false;      ///< true while the present round has still to announce it; Announcer's
  bool waits = false;    ///< true while it cannot be announced, since it is not usable yet; Announcer's
};

/// The index of the interface of this name; 0 if there is none.
int index_of(const NetworkView& view, const std::string& interface);
/// All objects that `instance` holds while it is Active, in the order in which they are added.
std::vector<WantedObject> wanted_by(const InstanceConfig& instance);
/// The object on this machine, with the index of its interface, and with a length if it had none.
KernelObject located(KernelObject object, const InstanceConfig& instance, const NetworkView& view);
/// The addresses whose packets are dropped (accept = false, RFC 9568 6.1).
std::vector<IpAddress> refused_by(const InstanceConfig& config);

/// All objects that an instance holds while it is Active, in the order in which they are added, with the present
/// interfaces of `view`.
std::vector<KernelObject> objects_of(const InstanceConfig& instance, const NetworkView& view);
/// The objects of an instance that exist with vipd's tag, without `but_for`, in the order in which they are removed.
std::vector<KernelObject> tagged_objects_of(const InstanceConfig& instance, const NetworkView& view,
                                            const std::vector<KernelObject>& but_for = {});

/// The state of an address in the kernel; null for other objects, and for an address that is not yet in the view.
const AddressState* state_of(const KernelObject& object, const NetworkView& view);
/// True if an address may be announced. The view may be late; it decides only for duplicate address detection.
bool is_settled(const AddressObject& address, const NetworkView& view);

}  // namespace vipd
