/// StepObserver: a look at each step of a router's election, for a program that wants to tell of them.
///
/// The simulator counts through it what a campaign has covered, and the transcript of a simulation shows through it
/// what decided. So the router keeps no record of its steps. Nobody observes the daemon's routers: a step then costs
/// them one comparison with null.
#pragma once

#include <functional>

#include "vipd/vrrp/election.hpp"

namespace vipd {

class VirtualRouter;

/// One step: the event, the modes around it, and the actions that are now carried out.
struct ElectionStep {
  Mode before;
  const Event& event;
  Mode after;
  const Actions& actions;
};

/// Called after the election's step and before its actions; the step lasts for the call.
using StepObserver = std::function<void(const VirtualRouter&, const ElectionStep&)>;

}  // namespace vipd
