/// How the claims stand in their file, docs/decisions/0025: today's records, and the file of vipd 0.1.0.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "vipd/node/claim_store.hpp"
#include "vipd/os/store.hpp"

namespace vipd {

inline constexpr std::size_t kClaimSize = 256;  ///< of each record of the file, so that none lies in two pages
inline constexpr std::uint64_t kNoClaim = 0;    ///< the mark of a claim that has ended

/// The record with which the file begins.
Record claims_head(const Store::Boot& boot);
/// The name of an instance has at most 64 octets, that of its interface 15; a reason that is too long is cut. The mark
/// is claim_mark().
Record claim_record(const std::string& instance, const KeptClaim& claim);
/// The mark of a claim that is good until then.
std::uint64_t claim_mark(TimePoint until);

/// Claims by the names of their instances.
using NamedClaims = std::map<std::string, KeptClaim, std::less<>>;

/// The claims of a file; none if the file is of another boot. `complete` becomes false if something in the file is no
/// claim.
NamedClaims claims_in(const Records& file, const Store::Boot& boot, bool& complete);

}  // namespace vipd
