/// VirtualRouter: one Election bound to an interface.
///
/// Feeds the election with what happens (adverts, deadlines, the kernel's word on the interface) and carries out the
/// actions it returns, in their order: SendAdvert to the Wire (the addresses are announced behind the first), Claim and
/// Release to the AddressOwner, StateChanged to the Teller (log, EventLog, HookQueue). The routers of a sync group step
/// together: all claim, then all speak, then all tell. Nothing called at the end calls back up; what the kernel or a
/// script answers arrives as a new event.
///
/// With hooks.before_active the election waits for a word at the end of its wait: the hook is asked, and TakeOver said
/// when it has ended, or the time for it is over. A router of a sync group asks when the group is ready, and the group
/// says TakeOver. Likewise a planned stop of an Active router with hooks.before_release. Adverts go on meanwhile, and
/// whatever happens makes the question void rather than wait for its answer.
///
/// What a vipd that is started again could go on with is put down in the ClaimStore after each event, and taken away
/// from there before anything ends it. A router that is made from such a claim is in its state from the beginning: that
/// is no transition, and nobody is told. An Active one whose claim has become too old in the meantime lets go first, as
/// after a stall.
///
/// While Active, hooks.reassert is run after another node was Active, too, and as often as the operator wants. This
/// node learns of the other one by its adverts: those that lose, its last word when it yields (election.hpp), and a
/// priority 0. The addresses are announced at once then, and again when the other node is silent. A node whose place
/// was taken as planned says its last word, too: that is expected, and nothing follows from it.
///
/// Another host may also say that it has an address of an Active router, by ARP or neighbour advertisement (HostWatch).
/// The router announces that address again. It also asks the network for its own source address then: another node with
/// that address would be Active unheard.
///
/// The instance needs its own interface and those of its addresses and routes: one that is missing, down or without
/// carrier is a fault, and the kernel's word ends it.
///
/// A claim that the kernel refuses never reaches the peers: nothing is announced, the advert behind it is not sent, and
/// the instance is in fault (a setback). What ended it cannot be known, only tried. So the instance takes part again
/// after an Active_Down_Interval, still shown in fault and patient: it takes over where nobody is Active, and leaves
/// whoever is Active alone. So a node that cannot hold the address neither disturbs the one that does, nor is missing.
/// The setback ends with success, with news from the kernel about our interfaces, or after half a minute; then the
/// instance may preempt again. Likewise a hooks.before_active that fails.
///
/// A claim may be refused late, when duplicate address detection finds another host. The next claim is on trial then:
/// the router is Active for its peers, and shown in fault until the kernel says that the addresses are usable. The time
/// between such tries doubles up to kLongestPause.
///
/// An Active router whose adverts cannot be sent gives up as soon as it hears who is Active in its place, and at once
/// if it has just preempted that one: the first advert leaves before anything is announced. It still owes its peers the
/// priority 0 and tries to say it each interval. The first that leaves ends the fault; until then it is patient.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vipd/base/log_limit.hpp"
#include "vipd/config/config.hpp"
#include "vipd/node/address_owner.hpp"
#include "vipd/node/advert_port.hpp"
#include "vipd/node/claim_store.hpp"
#include "vipd/node/clearance.hpp"
#include "vipd/node/contender.hpp"
#include "vipd/node/event_log.hpp"
#include "vipd/node/hook_queue.hpp"
#include "vipd/node/host_watch.hpp"
#include "vipd/node/peer_watch.hpp"
#include "vipd/node/router_counters.hpp"
#include "vipd/node/setback.hpp"
#include "vipd/node/step_observer.hpp"
#include "vipd/node/teller.hpp"
#include "vipd/node/uplink.hpp"
#include "vipd/os/kernel.hpp"
#include "vipd/os/log.hpp"
#include "vipd/os/wire.hpp"
#include "vipd/vrrp/advert.hpp"
#include "vipd/vrrp/election.hpp"
#include "vipd/vrrp/flap_limit.hpp"
#include "vipd/vrrp/peer_table.hpp"
#include "vipd/vrrp/standing.hpp"

namespace vipd {

/// How long a router that stops tries to remove what the kernel refuses to remove.
inline constexpr auto kRemovalPatience = std::chrono::seconds(5);

class VirtualRouter {
 public:
  /// What all routers of a node share.
  struct Node {
    Kernel& kernel;
    Wire& wire;
    NodeHooks& hooks;
    EventLog& events;
    ClaimStore& claims;
    const StepObserver* observer = nullptr;  ///< null: nobody looks at the steps
  };

  /// `health`: what its checks come to, see set_health(). `left`: what an earlier vipd has left, to go on with.
  VirtualRouter(SharedInstance config, const Node& node, const Health& health = {}, const KeptClaim* left = nullptr,
                TimePoint now = {});

  /// Looks at the interface anew: is it there, up, with a source address, can we listen on it. Enters or leaves the
  /// election by that and repairs addresses. Called at start and whenever the kernel's view changed.
  void reconsider(TimePoint now);
  /// The Supervisor could not listen on the interface (`problem`), or can again (nullopt).
  void set_wire_problem(const std::optional<std::string>& problem);

  /// What reconsider() begins with: only what stands in the way is found out, and nothing done.
  void judge_interfaces(TimePoint now);
  /// A change of these interfaces, or of routes and rules (an empty name), is a reason to reconsider().
  bool is_concerned(const std::vector<std::string>& interfaces) const;

  /// The same event for several at once: each action of all of them, before the next action of any. A claim that the
  /// kernel refuses ends it there, so that nothing is said of what cannot be held.
  static void step_together(std::span<VirtualRouter* const> routers, const Event& event, TimePoint now);
  /// The election is ready, and nothing is to be done before it takes over; hooks.before_active is asked if it has not
  /// been.
  bool may_take_over(TimePoint now);
  /// A planned stop has begun, and nothing is to be done before it goes on.
  bool may_let_go() const {
    return stopping_ &&
           (clearance_.subject() != Clearance::Subject::release || clearance_.is_given(Clearance::Subject::release));
  }
  /// Goes on with a planned stop. A router of a sync group is told so, with what the others need; any other does it by
  /// itself.
  void let_go(TimePoint now, const Stop& stop = {});
  /// Another member of the sync group is in fault (`why`), or none is any more (nullopt). `tolerated`: that one takes
  /// part all the same, see Standing::tolerate().
  void hold_out(const std::optional<std::string>& why, bool tolerated, TimePoint now);
  /// The priority of the sync group, 1..255, and why it is unfit: this router's own counts only if it is lower.
  void share_standing(std::uint8_t priority, const std::optional<std::string>& unfit, TimePoint now);
  /// Is in no sync group any more, and nobody else's priority or fault counts.
  void leave_group(TimePoint now);
  /// What its checks come to.
  void set_health(const Health& health, TimePoint now);

  /// `age`: since the advert arrived.
  void heard(const Advert& advert, const IpAddress& source, TimePoint now, Duration age = Duration::zero());
  /// A packet for this VRID was refused: a counter and, once a minute and kind, a line in the log.
  void refused(Refusal refusal, const IpAddress& source, TimePoint now);
  /// By what adverts for this VRID are judged. The result is a view of this router and of `own_sources`.
  ReceiveRules rules(std::span<const IpAddress> own_sources) const;

  /// Another host says that it has an address on this interface (by its MAC, none of this machine's).
  void overheard(const AddressClaim& claim, int ifindex, TimePoint now);
  /// Adds the addresses of which overheard() is to be told now.
  void add_watched(WatchedAddresses& watched) const;

  TimePoint deadline() const;
  void on_deadline(TimePoint now);

  /// Takes up other settings of the same virtual router (see is_another_router()) where it stands. Nothing happens if
  /// they are the same.
  void reconfigure(SharedInstance config, TimePoint now);
  /// Begins a planned stop; stopped() says when it is complete: the hooks have ended, what a peer takes over is gone,
  /// and what the kernel refused to remove is gone or has been tried for kRemovalPatience.
  void stop(TimePoint now);
  bool stopped() const { return has_let_go() && hooks().idle(); }
  /// True once a planned stop is complete but for the hooks, which hold up nothing that is to come in its place.
  bool has_let_go() const { return stopped_ && (owner_.clear() || removal_given_up_); }
  /// The queue of a router that has let go, and that is not used any more.
  std::unique_ptr<HookQueue> give_hooks() { return teller_.give_hooks(); }
  /// Puts down whatever state it is in for another program that takes over now.
  void hand_over(TimePoint now);
  const InstanceConfig& config() const { return *config_; }
  const SharedInstance& shared_config() const { return config_; }
  const Election& election() const { return election_; }
  const Standing& standing() const { return standing_; }
  const AddressOwner& addresses() const { return owner_; }
  const HookQueue& hooks() const { return teller_.hooks(); }
  const RouterCounters& counters() const { return counters_; }
  const PeerTable& peers() const { return watch_.peers(); }
  /// Who sent the last packet that was refused as coming from none of the configured peers.
  const std::optional<IpAddress>& last_stranger() const { return watch_.last_stranger(); }
  /// Who else says that it has a virtual address of this router, while this router is Active.
  const std::optional<Defence::Contest>& contest() const { return hosts_.contest(); }
  /// Another host that has the source address of this router's adverts.
  const std::optional<HostWatch::Twin>& twin() const { return hosts_.twin(); }
  ShownState shown() const;
  /// The state that was last told; of one that goes on where an earlier vipd left off, that of then.
  ShownState told() const { return teller_.state(); }
  bool stopping() const { return stopping_; }
  /// Leaves a fit Active router alone until then, since it has become Active too often; kNever = it does not.
  TimePoint flaps_until() const { return flaps_until_; }
  /// Why the state is as it is; a sentence.
  std::string reason() const { return teller_.reason(); }
  /// The cause of the last change alone, which stays true when the fitness changes.
  const std::string& cause() const { return teller_.cause(); }
  /// `cause` and, of a router that is unfit now, why it is.
  std::string with_fitness(const std::string& cause) const { return teller_.with_fitness(cause); }
  TimePoint since() const { return teller_.since(); }
  /// The address that adverts leave from; nullopt while there is none.
  const std::optional<IpAddress>& source() const { return uplink_.source(); }

 private:
  void resume(const KeptClaim& left, TimePoint now);
  KeptClaim claim_until(TimePoint until) const;
  Reconfigure settings(TimePoint now) const;
  void take_standing(TimePoint now);
  void take_part(const Start& start, TimePoint now);
  void prepare(TimePoint now);
  void set_back(FaultCause cause, const std::string& why, TimePoint now);
  static std::string unsent_beside(const Peer& peer);
  bool announce(TimePoint now);
  Duration pause() const;
  Setback::Pace pace() const;
  Setback::World world() const;
  bool is_on_trial() const;
  void judge_trial(State to);
  TimePoint reconsider_due() const;
  void judge_setback(TimePoint now);
  void end_setback();
  bool is_patient(TimePoint now) const;
  void wake(TimePoint now);
  void step(const Event& event, TimePoint now);
  Actions decide(const Event& event, TimePoint now);
  Actions step_election(const Event& event, TimePoint now);
  void take(const Event& event, TimePoint now);
  void carry_on(TimePoint now);
  std::optional<Event> next_event(TimePoint now);
  std::optional<Event> next_to_takeover(TimePoint now);
  void ask(Clearance::Subject subject, TimePoint now);
  void take_answer(TimePoint now);
  void give_up(FaultCause cause, const std::string& why, TimePoint now);
  void fail(TimePoint now);
  void settle(TimePoint now);
  void asked_in_vain();
  bool judge_flaps(TimePoint now);
  bool carry_out(const Action& action, TimePoint now);
  void say(const SendAdvert& advert, TimePoint now);
  bool is_claim() const;
  void keep_claim();
  void claim_failed(FaultCause cause, const std::string& why, TimePoint now);
  void send_advert(std::uint8_t priority, TimePoint now);
  void show_change(const std::string& reason, const std::optional<Peer>& peer, TimePoint now);
  bool is_unheard(TimePoint now) const;
  bool is_yielding(const IpAddress& source, TimePoint now) const;
  void note_contender(const Peer& peer, TimePoint now);
  bool is_settling(TimePoint now) const;
  void defend(TimePoint now);
  void probe_source();
  TimePoint reassert_due() const;
  void reassert(TimePoint now);
  void finish_stop(TimePoint now);
  void note_peer(const Advert& advert, const IpAddress& source, TimePoint now);

  SharedInstance config_;
  Kernel& kernel_;
  Wire& wire_;
  ClaimStore& claims_;
  const StepObserver* observer_;
  Election election_;
  Standing standing_;
  AddressOwner owner_;
  Teller teller_;
  RouterCounters counters_;
  Uplink uplink_;
  AdvertPort port_;
  PeerWatch watch_;
  Clearance clearance_;

  TimePoint prepare_again_ = kNever;
  std::unique_ptr<Setback> setback_;  // null while none
  bool sync_tolerated_ = false;       // as last told by hold_out()
  Contender contender_;
  HostWatch hosts_;
  Reason decided_;  // why the election changed its state last; known before its actions are carried out
  std::unique_ptr<Start> kept_wait_;  // of an earlier process, until the first reconsider()
  bool claim_changed_ = true;         // since it was put down
  bool spoken_ = false;               // peers may believe in us, and have to be told when we go
  FlapLimit flap_limit_;
  TimePoint flaps_until_ = kNever;
  TimePoint asserted_{};  // Active: since when, or when hooks.reassert was last due
  LogLimit late_log_;

  bool stopping_ = false;
  std::optional<Stop> stop_due_;  // that the election is to be told of
  bool stop_taken_ = false;       // true once it was told
  bool stopped_ = false;
  TimePoint give_up_removal_ = kNever;  // of a router that has stopped, while the kernel refuses to remove something
  bool removal_given_up_ = false;
};

}  // namespace vipd
