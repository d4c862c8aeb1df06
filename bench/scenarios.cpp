#include "scenarios.hpp"

#include <stdexcept>

namespace vipd::bench {

void in_turn(int rounds, const std::function<void(Program)>& round) {
  for (int i = 0; i < rounds; ++i)
    for (const Program program : {Program::vipd, Program::keepalived}) round(program);
}

lab::WallTime moment_of(const lab::AddressMonitor& monitor, bool added, const std::string& address,
                        lab::WallTime since) {
  for (const auto& event : monitor.events())
    if (event.added == added && event.time >= since && event.prefix.starts_with(address + "/")) return event.time;
  throw std::runtime_error(address + (added ? " never came" : " never left"));
}

}  // namespace vipd::bench
