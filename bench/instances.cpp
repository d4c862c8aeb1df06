// Many instances on one interface, adverts every 100 ms: the cost of sending, of receiving, and of memory.
#include "scenarios.hpp"

namespace vipd::bench {
namespace {

constexpr Duration kInterval = 100ms, kMeasured = 5s;

void run(Program program, int count, Figure& sending, Figure& hearing, Figure& memory) {
  Rig rig(program, {.instances = count, .interval = kInterval});
  cost_of_adverts(program, rig, count * static_cast<double>(kMeasured / kInterval), kMeasured, sending, hearing,
                  memory);
}

}  // namespace

std::vector<Figure> instances(int rounds) {
  std::vector<Figure> figures;
  for (const int count : {1, 50, 255}) {
    const std::string many = ", " + std::to_string(count) + (count == 1 ? " instance" : " instances");
    const bool is_crowd = count >= 255;
    Figure sending{.what = "processor time for 1000 adverts sent" + many, .unit = "ms"};
    Figure hearing{.what = "processor time for 1000 adverts heard" + many, .unit = "ms"};
    Figure memory{.what = "memory" + many, .unit = "MB"};
    if (is_crowd) {
      sending.goal = 0.5;
      hearing.goal = 0.6;
    } else if (count == 1) {
      memory.goal = 1.5;
    }
    in_turn(rounds, [&](Program program) { run(program, count, sending, hearing, memory); });
    sending.floor = hearing.floor = Samples();
    for (int i = 0; i < rounds; ++i) {
      const AdvertFloor floor = advert_floor(count);
      sending.floor->push_back(lab::in_ms(floor.sending));
      hearing.floor->push_back(lab::in_ms(floor.receiving));
    }
    for (const Figure& figure : {sending, hearing, memory}) figures.push_back(figure);
  }
  return figures;
}

}  // namespace vipd::bench
