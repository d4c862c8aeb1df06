#include "support/lab/snapshot.hpp"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <span>
#include <sstream>
#include <stdexcept>

namespace vipd::lab {
namespace {

constexpr unsigned kTag = 112;               // the value that vipd writes into IFA_PROTO, rtm_protocol and FRA_PROTOCOL
constexpr std::uint16_t kAddressProto = 11;  // IFA_PROTO of linux/if_addr.h, Linux 5.18

using Payload = std::span<const std::uint8_t>;
using Attributes = std::map<unsigned, Payload>;

Attributes attributes_of(const nlattr* first, std::size_t size) {
  Attributes all;
  for (const nlattr* at = first;
       mnl_attr_ok(at, static_cast<int>(size - static_cast<std::size_t>(reinterpret_cast<const char*>(at) -
                                                                        reinterpret_cast<const char*>(first))));
       at = mnl_attr_next(at))
    all[mnl_attr_get_type(at)] = {static_cast<const std::uint8_t*>(mnl_attr_get_payload(at)),
                                  mnl_attr_get_payload_len(at)};
  return all;
}

Attributes nested_in(Payload payload) {
  return attributes_of(reinterpret_cast<const nlattr*>(payload.data()), payload.size());
}

/// A message of a dump: its fixed part and its attributes.
struct Message {
  const nlmsghdr* header;
  std::size_t fixed;

  template <typename Fixed>
  const Fixed& as() const {
    return *static_cast<const Fixed*>(mnl_nlmsg_get_payload(header));
  }
  Attributes attributes() const {
    const std::size_t offset = MNL_ALIGN(fixed), all = mnl_nlmsg_get_payload_len(header);
    const auto* begin = static_cast<const char*>(mnl_nlmsg_get_payload(header)) + offset;
    return all > offset ? attributes_of(reinterpret_cast<const nlattr*>(begin), all - offset) : Attributes();
  }
};

std::string text_of(const Attributes& attributes, unsigned type) {
  const auto found = attributes.find(type);
  if (found == attributes.end()) return "";
  return {reinterpret_cast<const char*>(found->second.data()),
          strnlen(reinterpret_cast<const char*>(found->second.data()), found->second.size())};
}

std::uint32_t number_of(const Attributes& attributes, unsigned type) {
  const auto found = attributes.find(type);
  std::uint32_t value = 0;
  if (found != attributes.end())
    std::memcpy(&value, found->second.data(), std::min<std::size_t>(4, found->second.size()));
  return value;
}

std::string hex_of(Payload payload) {
  std::string text;
  for (const std::uint8_t octet : payload) {
    constexpr const char* kDigits = "0123456789abcdef";
    text += {kDigits[octet >> 4], kDigits[octet & 15]};
  }
  return text;
}

/// The address in an attribute; "" without the attribute.
std::string ip_of(int family, const Attributes& attributes, unsigned type) {
  const auto found = attributes.find(type);
  if (found == attributes.end() || found->second.size() < (family == AF_INET ? 4U : 16U)) return "";
  std::array<char, INET6_ADDRSTRLEN> text{};
  return ::inet_ntop(family, found->second.data(), text.data(), text.size());
}

/// One netlink socket of a namespace, and the requests that are sent on it.
class Dump {
 public:
  Dump(const Netns& netns, int protocol) {
    const Inside inside(netns);
    fd_ = Fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
    if (fd_.get() < 0) throw std::runtime_error("cannot open a netlink socket");
  }

  /// Calls `take` for each message of the answer. If the kernel says that objects changed meanwhile, `again` drops the
  /// partial result and the request is repeated.
  template <typename Fixed>
  void ask(int type, const Fixed& fixed, const std::function<void()>& again,
           const std::function<void(const Message&)>& take) const {
    for (int tries = 0; tries < 10; ++tries) {
      again();
      send(type, &fixed, sizeof fixed);
      if (receive(sizeof fixed, take)) return;
    }
    throw std::runtime_error("what the kernel has changes all the time");
  }

 private:
  void send(int type, const void* fixed, std::size_t size) const {
    std::array<char, 256> buffer{};
    nlmsghdr* header = mnl_nlmsg_put_header(buffer.data());
    header->nlmsg_type = static_cast<std::uint16_t>(type);
    header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    std::memcpy(mnl_nlmsg_put_extra_header(header, size), fixed, size);
    if (::send(fd_.get(), header, header->nlmsg_len, 0) < 0) throw std::runtime_error("cannot ask netlink");
  }

  /// Returns false if objects changed during the answer.
  bool receive(std::size_t fixed, const std::function<void(const Message&)>& take) const {
    bool is_whole = true;
    std::array<char, 65536> buffer;
    for (;;) {
      int left = static_cast<int>(::recv(fd_.get(), buffer.data(), buffer.size(), 0));
      if (left <= 0) throw std::runtime_error("netlink does not answer");
      const auto* message = reinterpret_cast<const nlmsghdr*>(buffer.data());
      for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
        is_whole = is_whole && (message->nlmsg_flags & NLM_F_DUMP_INTR) == 0;
        if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR) return is_whole;
        take({message, fixed});
      }
    }
  }

  Fd fd_;
};

std::string join(std::initializer_list<std::string> words) {
  std::string line;
  for (const auto& word : words)
    if (!word.empty()) line += (line.empty() ? "" : " ") + word;
  return line;
}

/// " word value"; "" without a value.
std::string named(const std::string& word, const std::string& value) { return value.empty() ? "" : word + " " + value; }
std::string named(const std::string& word, unsigned value) { return word + " " + std::to_string(value); }

/// Builds one snapshot.
class Taker {
 public:
  Taker(const Netns& netns, Depth depth) : route_(netns, NETLINK_ROUTE), netfilter_(netns, NETLINK_NETFILTER) {
    take_links(depth == Depth::with_settings);
    take_addresses();
    take_routes();
    take_rules();
    take_neighbours();
    take_tables();
    if (depth == Depth::with_settings) take_sysctls(netns);
  }

  Snapshot result() {
    for (const auto* part : {&links_, &addresses_, &routes_, &rules_, &neighbours_, &tables_}) {
      result_.others.insert(part->others.begin(), part->others.end());
      result_.settings.insert(part->settings.begin(), part->settings.end());
      result_.vipds.insert(part->vipds.begin(), part->vipds.end());
    }
    return result_;
  }

 private:
  /// An address, and the properties that routes are compared with.
  struct Known {
    int family;
    std::string interface;
    std::vector<std::uint8_t> octets;
    bool is_vipds;
  };

  static void add(Snapshot& part, bool is_vipds, const std::string& line) {
    (is_vipds ? part.vipds : part.others).insert(line);
  }

  std::string name_of(unsigned index) const {
    const auto found = names_.find(index);
    return found == names_.end() ? "" : found->second;
  }

  void take_links(bool with_settings) {
    route_.ask(
        RTM_GETLINK, ifinfomsg{},
        [&] {
          links_ = {};
          names_.clear();
        },
        [&](const Message& message) { take_link(message, with_settings); });
  }
  void take_link(const Message& message, bool with_settings) {
    constexpr unsigned kFlags = IFF_UP | IFF_PROMISC | IFF_ALLMULTI | IFF_NOARP;
    const auto& fixed = message.as<ifinfomsg>();
    const Attributes attributes = message.attributes();
    const std::string name = text_of(attributes, IFLA_IFNAME), alias = text_of(attributes, IFLA_IFALIAS);
    names_[static_cast<unsigned>(fixed.ifi_index)] = name;
    const bool is_vipds = name.starts_with("vrrp") && alias.starts_with("vipd");
    const auto mac = attributes.find(IFLA_ADDRESS);
    add(links_, is_vipds,
        join({"link", name, named("index", static_cast<unsigned>(fixed.ifi_index)),
              named("flags", fixed.ifi_flags & kFlags), named("mtu", number_of(attributes, IFLA_MTU)),
              named("mac", mac == attributes.end() ? "" : hex_of(mac->second)),
              named("master", number_of(attributes, IFLA_MASTER)), named("alias", alias)}));
    if (const auto families = attributes.find(IFLA_AF_SPEC); with_settings && !is_vipds && families != attributes.end())
      take_settings(std::to_string(fixed.ifi_index), nested_in(families->second));
  }
  /// Takes the settings of a link. IPV4_DEVCONF_… of linux/ip.h counts from 1, DEVCONF_… of linux/ipv6.h from 0.
  void take_settings(const std::string& link, const Attributes& families) {
    if (const auto ipv4 = families.find(AF_INET); ipv4 != families.end())
      take_array(link + " ipv4", nested_in(ipv4->second), 1 /* IFLA_INET_CONF */, 1);
    if (const auto ipv6 = families.find(AF_INET6); ipv6 != families.end())
      take_array(link + " ipv6", nested_in(ipv6->second), 2 /* IFLA_INET6_CONF */, 0);
  }
  void take_array(const std::string& what, const Attributes& attributes, unsigned type, std::size_t first) {
    constexpr std::size_t kMtu6 = 2;  // the MTU of IPv6, which follows the MTU of the link
    const auto found = attributes.find(type);
    if (found == attributes.end()) return;
    std::vector<std::int32_t> values(found->second.size() / 4);
    std::memcpy(values.data(), found->second.data(), values.size() * 4);
    for (std::size_t i = 0; i < values.size(); ++i)
      if (first == 1 || i != kMtu6)
        links_.settings.insert("setting " + what + " " + std::to_string(i + first) + " = " + std::to_string(values[i]));
  }

  void take_addresses() {
    route_.ask(
        RTM_GETADDR, ifaddrmsg{},
        [&] {
          addresses_ = {};
          known_.clear();
        },
        [&](const Message& message) { take_address(message); });
  }
  void take_address(const Message& message) {
    constexpr unsigned kFlags = IFA_F_PERMANENT | IFA_F_NODAD | IFA_F_NOPREFIXROUTE | IFA_F_HOMEADDRESS;
    const auto& fixed = message.as<ifaddrmsg>();
    Attributes attributes = message.attributes();
    const unsigned type = attributes.contains(IFA_LOCAL) ? IFA_LOCAL : IFA_ADDRESS;
    const std::string address = ip_of(fixed.ifa_family, attributes, type);
    const bool is_vipds = number_of(attributes, kAddressProto) == kTag;
    const Payload octets = attributes[type];
    known_.push_back({fixed.ifa_family, name_of(fixed.ifa_index), {octets.begin(), octets.end()}, is_vipds});
    const bool is_permanent = (number_of(attributes, IFA_FLAGS) & IFA_F_PERMANENT) != 0;
    if (!is_vipds && !is_permanent) return;  // made by a router advertisement (RFC 4862)
    add(addresses_, is_vipds,
        join({"address", name_of(fixed.ifa_index), address + "/" + std::to_string(fixed.ifa_prefixlen),
              named("peer", ip_of(fixed.ifa_family, attributes, IFA_ADDRESS)), named("scope", fixed.ifa_scope),
              named("flags", number_of(attributes, IFA_FLAGS) & kFlags),
              named("label", text_of(attributes, IFA_LABEL))}));
  }

  void take_routes() {
    for (const int family : {AF_INET, AF_INET6}) {
      const Snapshot before = routes_;
      rtmsg fixed{};
      fixed.rtm_family = static_cast<unsigned char>(family);
      route_.ask(RTM_GETROUTE, fixed, [&] { routes_ = before; }, [&](const Message& message) { take_route(message); });
    }
  }
  void take_route(const Message& message) {
    const auto& fixed = message.as<rtmsg>();
    const Attributes attributes = message.attributes();
    const std::string to = ip_of(fixed.rtm_family, attributes, RTA_DST);
    const bool is_kernels = fixed.rtm_protocol == RTPROT_KERNEL;
    if ((fixed.rtm_flags & RTM_F_CLONED) != 0 || fixed.rtm_protocol == RTPROT_REDIRECT ||
        fixed.rtm_protocol == RTPROT_RA || (is_kernels && (fixed.rtm_type != RTN_UNICAST || to.starts_with("fe80:"))))
      return;
    // The source is left out of the kernel's own routes: the kernel chooses another one when the primary address goes.
    const std::string source = is_kernels ? "" : ip_of(fixed.rtm_family, attributes, RTA_PREFSRC),
                      device = name_of(number_of(attributes, RTA_OIF));
    const bool is_vipds = fixed.rtm_protocol == kTag || (is_kernels && only_vipd_needs(fixed, attributes, device));
    const auto paths = attributes.find(RTA_MULTIPATH);
    add(routes_, is_vipds,
        join({"route table", std::to_string(number_of(attributes, RTA_TABLE)), named("type", fixed.rtm_type),
              (to.empty() ? "default" : to + "/" + std::to_string(fixed.rtm_dst_len)), named("dev", device),
              named("via", ip_of(fixed.rtm_family, attributes, RTA_GATEWAY)), named("protocol", fixed.rtm_protocol),
              named("metric", number_of(attributes, RTA_PRIORITY)), named("source", source),
              named("family", fixed.rtm_family),
              named("paths", paths == attributes.end() ? "" : hex_of(paths->second))}));
  }
  /// True for a subnet's route that exists because of vipd's address alone. The kernel makes a route for each address.
  bool only_vipd_needs(const rtmsg& route, const Attributes& attributes, const std::string& device) const {
    const auto to = attributes.find(RTA_DST);
    bool of_vipd = false, of_others = false;
    for (const Known& each : known_)
      if (to != attributes.end() && each.family == route.rtm_family && each.interface == device &&
          begins_alike(each.octets, to->second, route.rtm_dst_len))
        (each.is_vipds ? of_vipd : of_others) = true;
    return of_vipd && !of_others;
  }
  static bool begins_alike(Payload a, Payload b, unsigned bits) {
    for (unsigned i = 0; i < bits; ++i)
      if (((a[i / 8] ^ b[i / 8]) & (0x80U >> (i % 8))) != 0) return false;
    return true;
  }

  void take_rules() {
    for (const int family : {AF_INET, AF_INET6}) {
      const Snapshot before = rules_;
      fib_rule_hdr fixed{};
      fixed.family = static_cast<std::uint8_t>(family);
      route_.ask(RTM_GETRULE, fixed, [&] { rules_ = before; }, [&](const Message& message) { take_rule(message); });
    }
  }
  void take_rule(const Message& message) {
    const auto& fixed = message.as<fib_rule_hdr>();
    const Attributes attributes = message.attributes();
    std::string rest;
    for (const auto& [type, payload] : attributes)
      if (type != FRA_TABLE && type != FRA_PRIORITY) rest += " " + std::to_string(type) + ":" + hex_of(payload);
    add(rules_, number_of(attributes, FRA_PROTOCOL) == kTag,
        join({"rule", named("priority", number_of(attributes, FRA_PRIORITY)),
              named("table", number_of(attributes, FRA_TABLE)), named("family", fixed.family),
              named("from", ip_of(fixed.family, attributes, FRA_SRC)),
              named("to", ip_of(fixed.family, attributes, FRA_DST)), named("lengths", fixed.src_len),
              std::to_string(fixed.dst_len), named("action", fixed.action), "all" + rest}));
  }

  void take_neighbours() {
    route_.ask(
        RTM_GETNEIGH, ndmsg{}, [&] { neighbours_ = {}; }, [&](const Message& message) { take_neighbour(message); });
  }
  void take_neighbour(const Message& message) {
    const auto& fixed = message.as<ndmsg>();
    const Attributes attributes = message.attributes();
    const auto mac = attributes.find(NDA_LLADDR);
    if ((fixed.ndm_state & NUD_PERMANENT) == 0 || (fixed.ndm_family != AF_INET && fixed.ndm_family != AF_INET6)) return;
    add(neighbours_, false,
        join({"neighbour", name_of(static_cast<unsigned>(fixed.ndm_ifindex)),
              ip_of(fixed.ndm_family, attributes, NDA_DST), mac == attributes.end() ? "" : hex_of(mac->second)}));
  }

  /// Takes tables, chains and rules of nf_tables; a rule is named by its handle, which never changes.
  void take_tables() {
    const auto ask = [&](int message, const char* what, unsigned table, unsigned name, unsigned handle) {
      const Snapshot before = tables_;
      netfilter_.ask(
          (NFNL_SUBSYS_NFTABLES << 8) | message, nfgenmsg{}, [&] { tables_ = before; },
          [&](const Message& each) {
            const Attributes attributes = each.attributes();
            const unsigned family = each.as<nfgenmsg>().nfgen_family;
            const std::string of = text_of(attributes, table);
            const auto number = attributes.find(handle);
            add(tables_, family == NFPROTO_INET && of == "vipd",
                join({"nftables", what, named("family", family), of, name == table ? "" : text_of(attributes, name),
                      named("handle", number == attributes.end() ? "" : hex_of(number->second))}));
          });
    };
    ask(NFT_MSG_GETTABLE, "table", NFTA_TABLE_NAME, NFTA_TABLE_NAME, NFTA_TABLE_HANDLE);
    ask(NFT_MSG_GETCHAIN, "chain", NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME, NFTA_CHAIN_HANDLE);
    ask(NFT_MSG_GETRULE, "rule", NFTA_RULE_TABLE, NFTA_RULE_CHAIN, NFTA_RULE_HANDLE);
  }

  /// Takes the settings of all interfaces, and the defaults for new ones.
  void take_sysctls(const Netns& netns) {
    const Inside inside(netns);
    for (const char* directory : {"ipv4/conf/all", "ipv4/conf/default", "ipv6/conf/all", "ipv6/conf/default"})
      for (const auto& file : std::filesystem::directory_iterator(std::string("/proc/sys/net/") + directory)) {
        std::string value;
        if (std::getline(std::ifstream(file.path()), value))
          result_.settings.insert("setting " + std::string(directory) + "/" + file.path().filename().string() + " = " +
                                  value);
      }
  }

  Dump route_, netfilter_;
  std::map<unsigned, std::string> names_;
  std::vector<Known> known_;
  Snapshot links_, addresses_, routes_, rules_, neighbours_, tables_, result_;
};

/// The interface's number in "setting 2 …"; "" for other settings.
std::string link_of(const std::string& setting) {
  std::istringstream words(setting);
  std::string word, number;
  words >> word >> number;
  return number.find('/') == std::string::npos ? number : "";
}

std::set<std::string> links_of(const std::set<std::string>& settings) {
  std::set<std::string> links;
  for (const auto& setting : settings) links.insert(link_of(setting));
  return links;
}

/// Applies to `expected` the changes between `before` and `after`.
void carry_over(std::set<std::string>& expected, const std::set<std::string>& before,
                const std::set<std::string>& after) {
  for (const auto& line : before)
    if (!after.contains(line)) expected.erase(line);
  for (const auto& line : after)
    if (!before.contains(line)) expected.insert(line);
}

bool is_link_local(const std::string& line) {
  return line.starts_with("address ") && line.find(" fe80:") != std::string::npos;
}

}  // namespace

Snapshot take_snapshot(const Netns& netns, Depth depth) { return Taker(netns, depth).result(); }

void Others::take_change(const Snapshot& before, const Snapshot& after, Depth depth) {
  carry_over(expected_.others, before.others, after.others);
  if (depth == Depth::with_settings) carry_over(expected_.settings, before.settings, after.settings);
}

std::vector<std::string> Others::differences(const Snapshot& now) const {
  std::vector<std::string> all;
  for (const auto& line : expected_.others)
    if (!now.others.contains(line)) all.push_back("gone: " + line);
  for (const auto& line : now.others)
    if (!expected_.others.contains(line) && !is_link_local(line)) all.push_back("new: " + line);
  for (const auto& line : now.vipds)
    if (!expected_.vipds.contains(line)) all.push_back("left behind by vipd: " + line);
  // The settings of an interface that has come since are new, too.
  const std::set<std::string> links_before = links_of(expected_.settings), links_now = links_of(now.settings);
  for (const auto& line : expected_.settings)
    if (links_now.contains(link_of(line)) && !now.settings.contains(line)) all.push_back("gone: " + line);
  for (const auto& line : now.settings)
    if (links_before.contains(link_of(line)) && !expected_.settings.contains(line)) all.push_back("new: " + line);
  return all;
}

}  // namespace vipd::lab
