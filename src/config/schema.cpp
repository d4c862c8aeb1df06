#include "vipd/config/schema.hpp"

#include "vipd/config/check_kinds.hpp"
#include "vipd/config/rows.hpp"

namespace vipd {

using namespace std::chrono_literals;

namespace {

/// A duration in its largest fitting unit: "10ms", "40.95s", "1h".
std::string duration_text(std::int64_t milliseconds) {
  const std::chrono::milliseconds length(milliseconds);
  if (length >= 1h && length % 1h == 0ms) return std::to_string(length / 1h) + "h";
  if (length >= 1min && length % 1min == 0ms) return std::to_string(length / 1min) + "m";
  return format_duration(length);
}

}  // namespace

std::string rows::words_for_duration(const Range& range) {
  std::string words;
  if (range.zero) words = "0s" + (range.zero_means.empty() ? "" : " (" + std::string(range.zero_means) + ")") + " or ";
  words += duration_text(range.min) + ".." + duration_text(range.max);
  return range.step == 1 ? words : words + " in steps of " + duration_text(range.step);
}

std::string rows::words_for_number(const Range& range) {
  return std::to_string(range.min) + (range.max == range.min + 1 ? " or " : "..") + std::to_string(range.max);
}

namespace {

using namespace rows;

using N = Config;  // the owner of the keys of [node]
using I = InstanceConfig;
using G = SyncGroupConfig;
using C = CheckConfig;
using A = VirtualAddress;
using P = UnicastPeer;
using V = VirtualRoute;
using R = RuleObject;

/// Makes all keys of an Owner.
template <typename Owner>
Keys<Owner> make_keys();
template <>
Keys<N> make_keys() {
  return {
      key<N, &N::node>("name", "the name of this node in logs and status; by default the host's name",
                       {.form = Form::name}),
      key<N, &N::notify_fifo>("notify_fifo",
                              "a pipe into which a line is written at each transition, as keepalived does",
                              {.form = Form::path}),
  };
}

constexpr Range kDelay = between(10ms, 1h).or_zero();

Keys<I> instance_keys() {
  return {
      key<I, &I::interface>("interface", "where adverts are sent and the addresses are put",
                            {.form = Form::interface, .required = true}),
      key<I, &I::vrid>("vrid", "the virtual router's number: the same on each node of a group, unique in a network",
                       {.range = between(1, 255), .required = true}),
      key<I, &I::addresses>("addresses", "the virtual addresses; the first one decides the family",
                            {.words = "a list of \"ADDRESS/PREFIX-LENGTH\" or of tables",
                             .required = true,
                             .empty_list = {"must list at least one address", "write [\"192.0.2.10/24\"]"}}),
      key<I, &I::routes>("routes", "routes that come and go with the addresses",
                         {.words = "a list of tables such as {to = \"198.51.100.0/24\", via = \"192.0.2.1\"}"}),
      key<I, &I::rules>("rules", "rules of policy routing that come and go with the addresses",
                        {.words = "a list of tables such as {from = \"192.0.2.10/32\", table = 10, priority = 100}"}),
      key<I, &I::priority>(
          "priority", "the highest one of a group is Active; 255 is for the owner of the addresses",
          {.initial = "100", .range = between(1, 255).not_zero("0 is reserved on the wire for \"I am leaving\"")}),
      key<I, &I::version>("version", "the version of VRRP",
                          {.initial = "3",
                           .range = between(2, 3),
                           .hint = "one version for all nodes of a group; both at once are not offered"}),
      key<I, &I::advert_interval>("advert_interval", "how often the Active node speaks",
                                  {.initial = "\"1s\"",
                                   .range = between(10ms, 255s).in_steps_of(10ms),
                                   .words = "10ms..40.95s in steps of 10ms (version 2: 1s..255s in whole seconds)"}),
      key<I, &I::preempt>("preempt", "take over from an Active node of lower priority", {.initial = "true"}),
      key<I, &I::preempt_delay>("preempt_delay",
                                "how long an Active node of lower priority is left alone before it is preempted",
                                {.initial = "\"0s\"", .range = kDelay}),
      key<I, &I::startup_delay>("startup_delay",
                                "the least time to listen after a start before taking over from nobody",
                                {.initial = "\"0s\"", .range = kDelay}),
      key<I, &I::link_hold>("link_hold",
                            "how long the interface has to be up again before the instance takes part again",
                            {.initial = "\"0s\"", .range = kDelay}),
      key<I, &I::flap_limit>("flap_limit", "how often this node may become Active within flap_window and still preempt",
                             {.initial = "0", .range = between(0, 100)}),
      key<I, &I::flap_window>("flap_window", "the time that flap_limit is counted in",
                              {.initial = "\"10m\"", .range = between(10s, 24h)}),
      key<I, &I::max_adopted_interval>(
          "max_adopted_interval",
          "the longest advert interval of another node that is believed; by default ten times advert_interval",
          {.range = between(10ms, 40'950ms).in_steps_of(10ms)}),
      key<I, &I::ipv4_checksum>("ipv4_checksum", "which of the two forms the checksum of an IPv4 advert has",
                                {.initial = "\"auto\""}),
      key<I, &I::auth_legacy>("auth_legacy", "the password of VRRPv2, in clear text, for nodes that cannot do without",
                              {.form = Form::password, .secret = true}),
      key<I, &I::peers>("peers",
                        "the other nodes, each spoken to by unicast; without it adverts go to the multicast group",
                        {.words = "a list of addresses or of tables",
                         .empty_list = {"is an empty list", "leave the key out for multicast"}}),
      key<I, &I::source>("source", "the address that adverts leave from", {.words = "an address of the interface"}),
      key<I, &I::virtual_mac>("virtual_mac", "the addresses have the virtual router's MAC instead of the interface's",
                              {.initial = "false"}),
      key<I, &I::accept>("accept", "an Active node takes in packets to the addresses", {.initial = "true"}),
      key<I, &I::checks>("checks", "the checks that have to pass for this node to be fit", {.form = Form::check_names}),
  };
}

/// The keys of hooks of an instance or a sync group. `hooks` is the member of the Owner that has them.
template <typename Owner, auto hooks>
Keys<Owner> hook_keys() {
  using H = HookSettings;
  return {
      key<Owner, hooks, &H::active>("hooks.active", "is run when this node has become Active; of a group, in all of it",
                                    {.form = Form::hook}),
      key<Owner, hooks, &H::backup>("hooks.backup", "is run when this node has become Backup", {.form = Form::hook}),
      key<Owner, hooks, &H::fault>("hooks.fault", "is run when the instance, or one of the group, cannot take part",
                                   {.form = Form::hook}),
      key<Owner, hooks, &H::stop>("hooks.stop", "is run when the instance or the group is stopped",
                                  {.form = Form::hook}),
      key<Owner, hooks, &H::any>("hooks.any",
                                 "is run at each of these, with INSTANCE|GROUP NAME STATE PRIORITY appended",
                                 {.form = Form::hook}),
      key<Owner, hooks, &H::timeout>("hooks.timeout", "how long a hook may run before it is ended",
                                     {.initial = "\"30s\"", .range = between(100ms, 1h)}),
  };
}

/// The keys of hooks that only an instance has.
Keys<I> instance_hook_keys() {
  using H = HookSettings;
  constexpr auto hooks = &I::hooks;
  return {
      key<I, hooks, &H::before_active>(
          "hooks.before_active", "is run before this node takes the addresses, and waited for", {.form = Form::hook}),
      key<I, hooks, &H::before_active_timeout>("hooks.before_active_timeout",
                                               "how long hooks.before_active is waited for",
                                               {.initial = "\"2s\"", .range = between(100ms, 1min)}),
      key<I, hooks, &H::before_active_failure>(
          "hooks.before_active_failure",
          "take the addresses all the same when hooks.before_active fails, or be in fault",
          {.initial = "\"continue\""}),
      key<I, hooks, &H::before_release>(
          "hooks.before_release", "is run before an Active node is stopped, and waited for", {.form = Form::hook}),
      key<I, hooks, &H::before_release_timeout>("hooks.before_release_timeout",
                                                "how long hooks.before_release is waited for",
                                                {.initial = "\"2s\"", .range = between(100ms, 1min)}),
      key<I, hooks, &H::reassert>("hooks.reassert", "is run on an Active node after another one was Active, too",
                                  {.form = Form::hook}),
      key<I, hooks, &H::reassert_interval>("hooks.reassert_interval",
                                           "how often an Active node runs hooks.reassert besides",
                                           {.initial = "\"0s\"", .range = between(1s, 24h).or_zero("never")}),
  };
}

Keys<I> announce_keys() {
  using S = AnnounceSettings;
  constexpr auto announce = &I::announce;
  return {
      key<I, announce, &S::count>("announce.count", "announcements of each address in a burst",
                                  {.initial = "5", .range = between(1, 100)}),
      key<I, announce, &S::gap>("announce.gap", "the time between two announcements of an address in a burst",
                                {.initial = "\"20ms\"", .range = between(1ms, 1s)}),
      key<I, announce, &S::delay>("announce.delay", "how long after a takeover the first announcement is sent",
                                  {.initial = "\"0s\"", .range = between(1ms, 1h).or_zero()}),
      key<I, announce, &S::form>("announce.form", "the form of a gratuitous ARP", {.initial = "\"request\""}),
      key<I, announce, &S::again_after>("announce.again_after", "when the burst is repeated once",
                                        {.initial = "\"5s\"", .range = between(1ms, 1h).or_zero("never")}),
      key<I, announce, &S::refresh>("announce.refresh", "how often an Active node announces each address once more",
                                    {.initial = "\"60s\"", .range = between(1s, 24h).or_zero("never")}),
  };
}

template <>
Keys<I> make_keys() {
  return joined<I>({instance_keys(), hook_keys<I, &I::hooks>(), instance_hook_keys(), announce_keys()});
}

constexpr char kTracked[] =
    "the instance is in fault while another interface of its own is missing, down or without carrier";

template <>
Keys<A> make_keys() {
  return {
      key<A, &A::prefix>("address", "the address", {.required = true}),
      key<A, &A::interface>("interface", "where it is put; by default the instance's interface",
                            {.form = Form::interface}),
      key<A, &A::label>("label", "the label of an IPv4 address", {.form = Form::label}),
      key<A, &A::scope>("scope", "where an IPv4 address is valid", {.initial = "\"global\""}),
      key<A, &A::peer>("peer", "the other end of a point-to-point link"),
      key<A, &A::nodad>("nodad", "add an IPv6 address without duplicate address detection", {.initial = "true"}),
      key<A, &A::preferred_lifetime>("preferred_lifetime",
                                     "\"0s\": the address is not chosen as the source of connections",
                                     {.initial = "\"forever\""}),
      key<A, &A::advertised>("advertise", "list it in the adverts", {.initial = "true"}),
      key<A, &A::assigned>("assign", "put it on the interface and announce it", {.initial = "true"}),
      key<A, &A::tracked>("track", kTracked, {.initial = "true"}),
  };
}

template <>
Keys<P> make_keys() {
  return {
      key<P, &P::address>("address", "where the other node's adverts come from", {.required = true}),
      key<P, &P::min_hop_limit>("min_hop_limit", "the least TTL or hop limit of its adverts: 255, none was routed",
                                {.initial = "255", .range = between(1, 255)}),
  };
}

constexpr std::int64_t kMax32 = 4'294'967'295;

template <>
Keys<V> make_keys() {
  return {
      key<V, &V::to>("to", "where the packets go", {.form = Form::network, .required = true}),
      key<V, &V::via>("via", "the router; without it the network is on the link"),
      key<V, &V::interface>("interface", "the way out; by default the instance's interface", {.form = Form::interface}),
      key<V, &V::table>("table", "the routing table; 254 is the main one",
                        {.initial = "254", .range = between(1, kMax32)}),
      key<V, &V::metric>("metric", "the smaller one wins; 0 is the kernel's default",
                         {.initial = "0", .range = between(0, kMax32)}),
      key<V, &V::source>("source", "the preferred source of packets that take this route"),
      key<V, &V::type>("type", "what becomes of the packets", {.initial = "\"unicast\""}),
      key<V, &V::tracked>("track", kTracked, {.initial = "true"}),
  };
}

template <>
Keys<R> make_keys() {
  return {
      key<R, &R::from>("from", "where the packets come from"),
      key<R, &R::to>("to", "where the packets go"),
      key<R, &R::interface>("interface", "where the packets came in", {.form = Form::interface}),
      key<R, &R::table>("table", "the routing table to look in", {.range = between(1, kMax32), .required = true}),
      key<R, &R::priority>("priority", "rules are asked in the order of their priority; the main table comes at 32766",
                           {.range = between(1, 32'765), .required = true}),
  };
}

template <>
Keys<G> make_keys() {
  const Keys<G> own = {
      key<G, &G::instances>(
          "instances", "the instances that are all Active or none",
          {.form = Form::instance_names, .required = true, .empty_list = {"must list at least two names"}}),
  };
  return joined<G>({own, hook_keys<G, &G::hooks>()});
}

template <>
Keys<C> make_keys() {
  using K = CheckRules;
  constexpr auto rules = &C::rules;
  const Keys<C> of_all = {
      key<C, rules, &K::interval>("interval", "how often it is run",
                                  {.initial = "\"1s\"", .range = between(100ms, 1h)}),
      key<C, rules, &K::timeout>("timeout", "how long one run may take before it has failed and is ended",
                                 {.initial = "\"1s\"", .range = between(10ms, 10min)}),
      key<C, rules, &K::rise>("rise", "after how many successes in a row a failed check passes again",
                              {.initial = "2", .range = between(1, 1000)}),
      key<C, rules, &K::fall>("fall", "after how many failures in a row it has failed",
                              {.initial = "2", .range = between(1, 1000)}),
      key<C, rules, &K::invert>("invert", "passes when what is asked for is not the case", {.initial = "false"}),
      key<C, rules, &K::initial>("initial", "what it counts as from the start of vipd to its first result",
                                 {.initial = "\"fail\""}),
      key<C, rules, &K::on_fail>(
          "on_fail", "what becomes of an instance whose check has failed; a number is added to its priority",
          {.initial = "\"yield\"", .words = "\"yield\", \"fault\" or a number -253..253"}),
      key<C, rules, &K::delivers_weight>(
          "delivers_weight",
          "the last line of the command, or the first of the file, is a number that is added to the priority",
          {.initial = "false"}),
  };
  Keys<C> all;
  for (const CheckKind& kind : check_kinds()) all = joined<C>({all, kind.keys});
  return joined<C>({all, of_all});
}

/// The keys of all Owners, without their members.
template <typename... Owners>
std::vector<KeySpec> specs_of() {
  std::vector<KeySpec> all;
  (all.insert(all.end(), keys_of<Owners>().begin(), keys_of<Owners>().end()), ...);
  return all;
}

}  // namespace

template <typename Owner>
std::span<const Key<Owner>> keys_of() {
  static const auto keys = make_keys<Owner>();
  return keys;
}

template std::span<const Key<Config>> keys_of();
template std::span<const Key<InstanceConfig>> keys_of();
template std::span<const Key<SyncGroupConfig>> keys_of();
template std::span<const Key<CheckConfig>> keys_of();
template std::span<const Key<VirtualAddress>> keys_of();
template std::span<const Key<UnicastPeer>> keys_of();
template std::span<const Key<VirtualRoute>> keys_of();
template std::span<const Key<RuleObject>> keys_of();

std::span<const KeySpec> schema() {
  static const auto keys = specs_of<N, I, A, P, V, R, G, C>();
  return keys;
}

}  // namespace vipd
