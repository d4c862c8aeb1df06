// The status document: its names and its numbers. Other programs read it, so both stay.
#include "vipd/daemon/status.hpp"

#include "support/catch.hpp"
#include "vipd/sim/world.hpp"

using namespace vipd;
using namespace vipd::sim;

namespace {

/// The status of one node, taken `age` after its start.
Json document_of(World& world, Node& node, Duration age) {
  const Clocks clocks{.monotonic = world.now, .wall = {}};
  return status_document(*node.supervisor, {}, {.host = "lb1", .started = world.now - age, .pid = 1}, clocks);
}

}  // namespace

TEST_CASE("status: a duration is a text and, with its unit in the name, a number", "[daemon][status]") {
  World world(1);
  Node& node = world.add_node(254, [](InstanceConfig& instance) {
    instance.advert_interval = milliseconds(1500);
    instance.hooks.active = {"/etc/vipd/hooks/web"};
  });
  node.start();
  node.runner->duration = [] { return Duration(milliseconds(250)); };
  world.run_for(seconds(20));

  const Json status = document_of(world, node, milliseconds(90'500));
  CHECK(status.at("uptime") == "1min 30s");
  CHECK(status.at("uptime_s") == 90);
  const Json& web = status.at("instances").at(0);
  REQUIRE(web.at("state") == "active");
  CHECK(web.at("advert_interval") == "1.5s");
  CHECK(web.at("advert_interval_ms") == 1500);
  const Json& last = web.at("hooks").at("last");
  CHECK(last.at("duration_ms").is_number_integer());
  CHECK(web.at("hooks").at("superseded") == 0);
  CHECK(web.at("flapping_until").is_null());
  CHECK(web.at("last_unknown_source").is_null());
  CHECK(web.at("counters").at("address_list_mismatch") == 0);
}

TEST_CASE("status: a peer's advert interval is a number, too", "[daemon][status]") {
  World world(1);
  Node& first = world.add_node(254);
  Node& second = world.add_node(253);
  for (Node* node : {&first, &second}) node->start();
  world.run_for(seconds(20));

  const Json peer = document_of(world, second, seconds(20)).at("instances").at(0).at("peers").at(0);
  CHECK(peer.at("advert_interval") == "1s");
  CHECK(peer.at("advert_interval_ms") == 1000);
}

TEST_CASE("status: a sync group says for which members it is waiting", "[daemon][status]") {
  World world(1);
  Config config;
  config.instances = {web_instance(254)};
  config.instances.front().sync_group = "edge";
  config.sync_groups = {{.name = "edge", .instances = {"web"}, .hooks = {}}};
  Node& node = world.add_node(config);
  node.start();
  world.run_for(seconds(20));

  const Json status = document_of(world, node, seconds(20));
  CHECK(status.at("sync_groups").at(0).at("waiting_for") == Json::array());
}
