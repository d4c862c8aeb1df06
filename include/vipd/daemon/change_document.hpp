/// Changes of a configuration as documents: what a reload or a diff answers.
///
/// A change has a line of text, the keys with their values before and after, and its effect on the addresses as far as
/// peers have been heard. The documents are made in the reader's thread; the effects come in the loop, since only the
/// loop may look at the routers.
#pragma once

#include <string>

#include "vipd/config/plan.hpp"
#include "vipd/load/loaded_config.hpp"
#include "vipd/node/supervisor.hpp"
#include "vipd/os/json.hpp"

namespace vipd {

/// What a change leads to, in the words of a plan and of a report.
struct Effect {
  std::string would, does;  ///< both empty if nothing is known of it
};

/// The errors and warnings of a configuration.
Json diagnostics_of(const LoadedConfig& loaded);
/// The changes of a plan without their effects: what [node] has comes first, then the instances.
Json document_of(const Plan& changes);
/// `list`, which is document_of(changes), with what the changes of instances lead to. `words`: of a plan, or of what is
/// being done.
Json with_effects(Json list, const Plan& changes, const Supervisor& supervisor, std::string Effect::* words);

}  // namespace vipd
