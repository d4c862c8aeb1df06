#include "vipd/node/host_watch.hpp"

#include <utility>

namespace vipd {

HostWatch::Answer HostWatch::answer(TimePoint now) {
  Defence::Answer answer = defence_.answer(now);
  if (!answer.is_news || !contest_log_.passes(now)) return {std::move(answer.addresses), std::nullopt};
  const AddressClaim& claim = defence_.contest()->last;
  return {std::move(answer.addresses), "another host (" + claim.mac.to_string() + ") says that it has " +
                                           claim.address.to_string() + "; the address is announced again"};
}

std::optional<std::string> HostWatch::heard_source(const AddressClaim& claim, TimePoint now) {
  const bool is_known = twin_ && twin_->claim == claim && now < twin_->heard + Defence::kQuiet;
  twin_ = Twin{.claim = claim, .heard = now};
  if (is_known || !twin_log_.passes(now)) return std::nullopt;
  return "another host (" + claim.mac.to_string() + ") has " + claim.address.to_string() +
         ", this node's own address: if it is a node of this instance, neither hears the other, and both are Active";
}

}  // namespace vipd
