#include "vipd/config/foreign.hpp"

#include <algorithm>
#include <array>

namespace vipd {

namespace {

constexpr auto kWords = std::to_array<ForeignWord>({
    {"vrrp_instance", "", "keepalived calls it vrrp_instance; here it is [instance.NAME]", true},
    {"global_defs", "", "keepalived calls it global_defs; here there is only [node] name", true},
    {"router_id", "", "keepalived calls it router_id; here it is name in [node]"},
    {"vrrp_script", "", "keepalived calls it vrrp_script; here it is [check.NAME] with \"command\"", true},
    {"vrrp_track_process", "", "keepalived calls it vrrp_track_process; here it is [check.NAME] with \"process\"",
     true},
    {"vrrp_track_file", "", "keepalived calls it vrrp_track_file; here it is [check.NAME] with \"file\""},
    {"vrrp_sync_group", "", "keepalived calls it vrrp_sync_group; here it is [sync_group.NAME]", true},
    {"group", "instances", "keepalived calls it group; here it is instances = [\"NAME\", ...]"},
    {"virtual_server", "", "keepalived's load balancer has no counterpart in vipd", true},
    {"state", "", "there is no state key: the node with the highest priority becomes Active"},
    {"virtual_router_id", "vrid", ""},
    {"virtual_ipaddress", "addresses", ""},
    {"virtual_ipaddress_excluded", "addresses",
     "keepalived calls them virtual_ipaddress_excluded; here they are in \"addresses\", with advertise = false"},
    {"advert_int", "advert_interval", ""},
    {"nopreempt", "preempt", "keepalived calls it nopreempt; here it is preempt = false"},
    {"vrrp_version", "version", ""},
    {"notify", "hooks.any", ""},
    {"notify_master", "hooks.active", ""},
    {"notify_backup", "hooks.backup", ""},
    {"notify_fault", "hooks.fault", ""},
    {"notify_stop", "hooks.stop", ""},
    {"gw", "via", ""},
    {"gateway", "via", "here it is \"via\""},
    {"lookup", "table", ""},
    {"prio", "priority", ""},
    {"notify_master_rx_lower_pri", "hooks.reassert", ""},
    {"notify_fifo", "", "it belongs to the whole node: write it below [node]"},
    {"vrrp_notify_fifo", "", "keepalived calls it vrrp_notify_fifo; here it is notify_fifo in [node]"},
    {"garp_master_repeat", "announce.count", ""},
    {"garp_master_delay", "announce.again_after", ""},
    {"garp_interval", "announce.gap", ""},
    {"gna_interval", "announce.gap", ""},
    {"garp_master_refresh", "announce.refresh", ""},
    {"track_script", "checks", ""},
    {"script", "command", ""},
    {"no_track", "track", "keepalived calls it no_track; here it is track = false"},
    {"track_interface", "checks",
     "keepalived calls it track_interface; here it is [check.NAME] with \"interface\", and checks"},
    {"track_process", "checks",
     "keepalived calls it track_process; here it is [check.NAME] with \"process\", and checks"},
    {"track_file", "checks", "keepalived calls it track_file; here it is [check.NAME] with \"file\", and checks"},
    {"use_vmac", "virtual_mac", ""},
    {"vmac_xmit_base", "", "vipd has no counterpart: adverts with virtual_mac = true have the virtual MAC"},
    {"no_accept", "accept", "keepalived calls it no_accept; here it is accept = false"},
    {"unicast_peer", "peers", ""},
    {"unicast_src_ip", "source", ""},
    {"mcast_src_ip", "source", ""},
    {"unicast_ttl", "", "vipd sends with 255 and takes less from a peer with min_hop_limit: see \"peers\""},
    {"auth_type", "", "keepalived's PASS is \"auth_legacy\" here, for version = 2; leave it out if you can"},
    {"auth_pass", "auth_legacy", ""},
    {"authentication", "", "keepalived's auth_pass is \"auth_legacy\" here, for version = 2; leave it out if you can"},
    {"virtual_routes", "routes", ""},
    {"virtual_rules", "rules", ""},
    {"dev", "interface", ""},
    {"iif", "interface", ""},
    {"brd", "", "there is no broadcast address to set: Linux needs none"},
    {"weight", "on_fail", "keepalived calls it weight; here it is on_fail = -20 in [check.NAME]"},
    {"smtp_alert", "", "vipd sends no mail; let a hook do it"},
    {"notification_email", "", "vipd sends no mail; let a hook do it"},
});

}  // namespace

const ForeignWord* find_foreign(std::string_view word) {
  const auto* const found = std::ranges::find(kWords, word, &ForeignWord::word);
  return found == kWords.end() ? nullptr : &*found;
}

std::string foreign_hint(const ForeignWord& word) {
  if (!word.advice.empty()) return std::string(word.advice);
  return "keepalived calls it " + std::string(word.word) + "; here it is \"" + std::string(word.key) + "\"";
}

bool is_foreign_block(std::string_view word) {
  const ForeignWord* const known = find_foreign(word);
  return known != nullptr && known->opens_block;
}

}  // namespace vipd
