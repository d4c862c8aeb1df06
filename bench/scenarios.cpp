#include "scenarios.hpp"

#include <fstream>
#include <map>
#include <stdexcept>
#include <thread>

namespace vipd::bench {

void in_turn(int rounds, const std::function<void(Program)>& round) {
  for (int i = 0; i < rounds; ++i)
    for (const Program program : {Program::vipd, Program::keepalived}) round(program);
}

lab::WallTime moment_of(const lab::AddressMonitor& monitor, bool added, const std::string& address,
                        lab::WallTime since) {
  std::optional<lab::WallTime> moment;
  await(address + (added ? " to come" : " to leave"), 1s, [&] {  // a dump may show it before the monitor does
    for (const auto& event : monitor.events())
      if (event.added == added && event.time >= since && event.prefix.starts_with(address + "/")) {
        moment = event.time;
        break;
      }
    return moment.has_value();
  });
  return *moment;
}

Started start_alone(Program program, const Shape& shape, Duration patience, const std::vector<std::string>& before) {
  lab::Lab lab;
  lab::Node& node = add_server(lab, "b", 2, interfaces_of(shape));
  Server server(node, program, shape, kPriorityB);
  const auto own = lab::addresses(node).size();
  const auto held = [&] { return static_cast<int>(lab::addresses(node).size() - own); };
  const lab::AddressMonitor monitor(node);
  const auto began = std::chrono::system_clock::now();
  server.start(before);
  lab::wait_until(patience, [&] { return held() == shape.instances * shape.addresses; });
  Started started{.addresses = held()};
  if (started.addresses > 0) started.last = monitor.events().back().time - began;
  return started;
}

void cost_of_adverts(Program program, const Rig& rig, double adverts, Duration measured, Figure& sending,
                     Figure& hearing, Figure& memory) {
  std::this_thread::sleep_for(2s);  // the announcements are over by then
  const Duration a = rig.a.processor_time(), b = rig.b.processor_time();
  std::this_thread::sleep_for(measured);
  of(sending, program).push_back(lab::in_ms(rig.a.processor_time() - a) * 1000 / adverts);
  of(hearing, program).push_back(lab::in_ms(rig.b.processor_time() - b) * 1000 / adverts);
  of(memory, program).push_back(rig.a.memory() / 1024);
}

Samples gaps(lab::Sniffer& sniffer, const std::string& source, lab::WallTime since) {
  Samples all;
  std::map<int, lab::WallTime> last;  // time of the last advert, by VRID
  for (const auto& advert : sniffer.adverts_from(source)) {
    const lab::WallTime time = lab::time_of(advert);
    if (time < since) continue;
    const auto [known, is_first] = last.try_emplace(advert.at("vrid").get<int>(), time);
    if (!is_first) all.push_back(lab::in_ms(time - known->second));
    known->second = time;
  }
  if (all.empty()) throw std::runtime_error("no adverts from " + source);
  return all;
}

Stamps::Stamps() { std::filesystem::copy_file(lab::program("vipd-stamp"), directory() / "stamp"); }

std::string Stamps::command(int status) const {
  return (directory() / "stamp").string() + " " + (directory() / "record").string() + " " + std::to_string(status);
}

std::optional<lab::WallTime> Stamps::first(lab::WallTime since) const {
  std::ifstream record(directory() / "record");
  for (std::int64_t nanoseconds = 0; record >> nanoseconds;)
    if (const lab::WallTime time{std::chrono::nanoseconds(nanoseconds)}; time >= since) return time;
  return std::nullopt;
}

}  // namespace vipd::bench
