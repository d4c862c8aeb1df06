/// Changes of a configuration as documents, for the answers to reload and diff.
///
/// A change has a line of text, the keys with their values before and after, and its effect on the addresses as far as
/// peers have been heard. The documents are made in the reader's thread; the effects are added in the loop, since only
/// the loop may read the routers.
#pragma once

#include <string>

#include "vipd/config/plan.hpp"
#include "vipd/load/loaded_config.hpp"
#include "vipd/node/supervisor.hpp"
#include "vipd/os/json.hpp"

namespace vipd {

/// The effect of a change, worded for a plan and for a report.
struct Effect {
  std::string would, does;  ///< both empty if the effect is not known
};

/// The errors and warnings of a configuration.
Json diagnostics_of(const LoadedConfig& loaded);
/// The changes of a plan without their effects: those of [node] come first, then the instances.
Json document_of(const Plan& changes);
/// `list`, which is document_of(changes), with the effects of the changes of instances. `words` selects the wording:
/// that of a plan, or of a report.
Json with_effects(Json list, const Plan& changes, const Supervisor& supervisor, std::string Effect::* words);

}  // namespace vipd
