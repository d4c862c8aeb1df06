/// The entries of an instance, judged by what the kernel says: whose they are, and whether they concern somebody.
///
/// An entry is owned if vipd added the object, and foreign if it was there before. An object that was ours and has lost
/// vipd's tag was deleted, and somebody else has added it: from then on it is foreign. A kernel that knows no tags
/// (before 5.18) shows none at any time. AddressOwner asks; nothing is added or removed here.
#pragma once

#include <string>
#include <vector>

#include "vipd/node/held_objects.hpp"
#include "vipd/os/wire.hpp"

namespace vipd {

/// The objects of `entries` that this node has added, the last one first.
std::vector<KernelObject> ours_of(const std::vector<HeldEntry>& entries);
/// Notes that an object of ours has become somebody else's.
void note_changed_hands(HeldEntry& entry, const NetworkView& view);
/// Notes the outcome of an addition: 0, or an errno; EEXIST: the object was there.
void note_added(HeldEntry& entry, int error, const NetworkView& view);
/// Tells the log which length an address got that has none in the configuration. `instance` is the name for the log.
void log_length(const HeldEntry& entry, const std::string& instance);

/// True if each address is added and usable, as far as duplicate address detection can tell.
bool all_settled(const std::vector<HeldEntry>& entries, const NetworkView& view);
/// True if a change of these interfaces, or of the routes and rules (an empty name), concerns one of the entries.
bool are_concerned(const std::vector<HeldEntry>& entries, const std::vector<std::string>& interfaces);
/// True if the address is one of the entries on this interface.
bool have_address(const std::vector<HeldEntry>& entries, const IpAddress& address, int ifindex);
/// Adds the addresses on interfaces where others may announce them.
void add_watched_of(const std::vector<HeldEntry>& entries, const NetworkView& view, WatchedAddresses& watched);

}  // namespace vipd
