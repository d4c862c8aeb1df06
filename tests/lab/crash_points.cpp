// SIGKILL before each system call of a whole life: start, takeover, reload, stop. After each, the next start reaches
// the right set of addresses. After its stop, or after a last will, nothing of vipd is left and nothing of others is
// gone.
//
// strace(1) records the calls of one life and kills later lives at them, so every call is a point.
#include <atomic>
#include <cctype>
#include <csignal>
#include <fstream>
#include <map>
#include <mutex>
#include <random>
#include <sstream>
#include <thread>
#include <utility>

#include "pair.hpp"

using namespace vipd;
using namespace vipd::lab;

namespace {

/// An object of each kind that vipd may leave behind. Each of `one` and `other` has some that the other lacks.
const std::string kCommon = R"([instance.web]
interface = "eth0"
vrid = 51
advert_interval = "100ms"
addresses = ["192.0.2.10/24", {address = "2001:db8::10/64", preferred_lifetime = "0s"}, "198.51.100.NUMBER/32"]
routes = [
  {to = "10.1.0.0/16", via = "192.0.2.100", table = 10, metric = 7, source = "192.0.2.10"},
  {to = "10.NUMBER.0.0/16", type = "blackhole"},
  {to = "2001:db8:1::/48", via = "2001:db8::99"},
]
rules = [
  {from = "192.0.2.10/32", table = 10, priority = 100},
  {from = "198.51.100.NUMBER/32", table = 10, priority = 101},
]
hooks.any = "/bin/true"

[instance.mac]
interface = "eth0"
vrid = 52
advert_interval = "100ms"
addresses = ["192.0.2.20/24", "192.0.2.NUMBER/24"]
virtual_mac = true
accept = false
)";

std::string config_of(int number) {
  std::string text = kCommon;
  for (auto at = text.find("NUMBER"); at != std::string::npos; at = text.find("NUMBER"))
    text.replace(at, 6, std::to_string(number));
  return text;
}
const std::string kOne = config_of(31), kOther = config_of(32);

/// `text` without the indexes of interfaces, which change with a new device, and without lifetimes.
std::string comparable(const std::string& text) {
  std::string result;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line); result += line + "\n") {
    const auto colon = line.find(": ");
    if (colon != std::string::npos && line.find_first_not_of("0123456789") == colon) line.erase(0, colon + 2);
    for (const char* word : {" qlen ", " group ", " pref "})
      if (const auto at = line.find(word); at != std::string::npos) line.erase(at);
  }
  return result;
}

/// The state of a node that a vipd could leave changed.
std::string world(const Node& node) {
  std::string all;
  for (const char* command :
       {"ip -o addr", "ip -o link", "ip -4 route show table all", "ip -6 route show table all", "ip -4 rule",
        "ip -6 rule", "nft -s list ruleset", "sysctl net.ipv4.conf.eth0.arp_ignore net.ipv4.conf.eth0.arp_announce"})
    all += comparable(must(node, command));
  return all;
}

/// The point before the nth call of a system call.
struct Point {
  std::string call;
  int nth = 0;
};

/// A server with objects of others, and its expected appearance in each state.
class Machine {
 public:
  Machine() : node_(lab_.add_node("a", 1)) {
    must(node_, "ip addr add 203.0.113.1/32 dev eth0");
    must(node_, "ip route add blackhole 10.99.0.0/16");
    must(node_, "ip rule add from 203.0.113.1 table 10 priority 99");
    must(node_, "nft add table inet others");
    wait_until(5s, [&] { return std::exchange(nothing_, world(node_)) == nothing_; });
    node_.start_vipd(kOne);
    wait_until(10s, [&] { return all_active(); });
    held_[0] = world(node_);
    write(kOther);
    node_.vipd().signal(SIGHUP);
    wait_until(10s, [&] { return node_.has("198.51.100.32") && node_.has("192.0.2.32"); });
    held_[1] = world(node_);
    node_.vipd().signal(SIGTERM);
    node_.vipd().wait_exit(10s);
    if (const std::string trouble = left("after a stop", ""); !trouble.empty() || held_[0] == held_[1])
      throw std::runtime_error(trouble + "held:\n" + held_[0]);
  }

  /// The system calls of a life in their order, without the execve(2) of strace.
  std::vector<Point> points() {
    const std::string log = node_.directory() / "calls";
    live({"-o", log});
    std::map<std::string, int> seen;
    std::vector<Point> all;
    for (const std::string& line : lines_of(log))
      if (const auto end = line.find('(');
          end != std::string::npos && std::islower(line[0]) != 0 && !line.starts_with("execve("))
        all.push_back({line.substr(0, end), ++seen[line.substr(0, end)]});
    return all;
  }

  /// Kills a life at `point` and cleans up. Returns the fault, "" if there is none; nullopt if none of some lives had
  /// the call as often.
  std::optional<std::string> kill_at(const Point& point) {
    const std::string kill = "inject=" + point.call + ":signal=SIGKILL:when=" + std::to_string(point.nth);
    for (int i = 0; i < 5; ++i)
      if (live({"-o", "/dev/null", "-e", kill}) == 128 + SIGKILL)
        return point.nth % 2 == 0 ? after_start() : after_last_will();
    return std::nullopt;
  }

 private:
  void write(const std::string& config) const { std::ofstream(node_.directory() / "vipd.toml") << config; }

  bool all_active() const {
    const Json status = node_.status();
    return !status.is_null() &&
           std::ranges::all_of(status.at("instances"), [](const Json& each) { return each.at("state") == "active"; });
  }

  /// Start, takeover, reload, stop, as far as it comes. strace is nobody's parent (-D): vipd is ours.
  int live(std::vector<std::string> options) {
    write(kOne);
    std::vector<std::string> command = {"strace", "-D"};
    command.insert(command.end(), options.begin(), options.end());
    for (const auto& word : node_.vipd_command()) command.push_back(word);
    Process vipd(node_, command);
    const auto has = [&](const char* address) { return node_.has(address); };
    wait_until(10s, [&] { return !vipd.running() || (has("198.51.100.31") && has("192.0.2.31")); });
    write(kOther);
    vipd.signal(SIGHUP);
    wait_until(10s, [&] { return !vipd.running() || (has("198.51.100.32") && has("192.0.2.32")); });
    vipd.signal(SIGTERM);
    return vipd.wait_exit(10s).value_or(-1);
  }

  std::string after_start() {
    Process vipd(node_, node_.vipd_command());
    std::string found;
    if (!wait_until(10s, [&] { return all_active() && (found = world(node_)) == expected(); }))
      return "after the next start:\n" + found + vipd.errors();
    vipd.signal(SIGTERM);
    if (vipd.wait_exit(10s) != 0) return "the next one does not stop:\n" + vipd.errors();
    return left("after the next start and its stop", vipd.errors());
  }

  std::string after_last_will() {
    auto command = node_.vipd_command();
    command.push_back("--last-will");
    const Finished will = run(node_, command);
    return left("after the last will", will.errors);
  }

  /// The expected appearance, by the file that is in place.
  const std::string& expected() const {
    std::ostringstream text;
    text << std::ifstream(node_.directory() / "vipd.toml").rdbuf();
    return held_[text.str() == kOne ? 0 : 1];
  }

  std::string left(const std::string& when, const std::string& log) const {
    std::string found;
    const bool clean = wait_until(2s, [&] { return (found = world(node_)) == nothing_; });
    return clean ? "" : when + ":\n" + found + "instead of:\n" + nothing_ + "log:\n" + log;
  }

  Lab lab_;
  Node& node_;
  std::string nothing_;
  std::array<std::string, 2> held_;
};

/// Tries all points, on several machines at a time.
class Campaign {
 public:
  explicit Campaign(std::vector<Point> points) : points_(std::move(points)) {}

  void work(Machine& machine) {
    for (std::size_t i = next_++; i < points_.size(); i = next_++) note(points_[i], machine.kill_at(points_[i]));
  }
  void work_on_a_new_machine() {
    try {
      Machine machine;
      work(machine);
    } catch (const std::exception& error) {
      note({"no machine", 0}, std::string(error.what()));
    }
  }

  /// How many points were good; to be read when all have ended.
  std::size_t good() const { return good_; }
  std::size_t all() const { return good_ + bad_; }

 private:
  void note(const Point& point, const std::optional<std::string>& trouble) {
    const std::lock_guard lock(mutex_);
    if (!trouble) return;
    ++(trouble->empty() ? good_ : bad_);
    if (!trouble->empty())
      std::cerr << "--- killed before " << point.call << " " << point.nth << ": " << *trouble << std::endl;
  }

  const std::vector<Point> points_;
  std::atomic<std::size_t> next_ = 0;
  std::mutex mutex_;
  std::size_t good_ = 0, bad_ = 0;
};

/// `size` points, spread over all.
std::vector<Point> sample(const std::vector<Point>& all, std::size_t size) {
  const unsigned seed = std::random_device()();
  std::cout << "seed " << seed << std::endl;
  std::minstd_rand random(seed);
  std::vector<Point> some;
  for (std::size_t i = 0; i < size; ++i) some.push_back(all[i * all.size() / size + random() % (all.size() / size)]);
  return some;
}

}  // namespace

TEST_CASE("lab: killed before any system call, the next start and the last will leave the right things", "[lab]") {
  Machine machine;
  const std::vector<Point> points = machine.points();
  REQUIRE(points.size() > 300);
  constexpr std::size_t kSample = 8;
  Campaign campaign(is_long() ? points : sample(points, kSample));
  std::vector<std::thread> others;
  for (int i = 0; is_long() && i < 3; ++i) others.emplace_back([&] { campaign.work_on_a_new_machine(); });
  campaign.work(machine);
  for (auto& each : others) each.join();
  std::cout << "measured: all is right after " << campaign.good() << " of " << campaign.all() << " crash points ("
            << points.size() << " in all)" << std::endl;
  REQUIRE(campaign.good() == campaign.all());
  REQUIRE(campaign.all() + 2 >= (is_long() ? points.size() * 98 / 100 : kSample));  // otherwise lives ended too early
}
