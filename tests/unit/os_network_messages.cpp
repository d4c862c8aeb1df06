// Messages of the kernel, sound or not, and our requests as the kernel reports them.
#include "vipd/os/network_messages.hpp"

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <array>
#include <tuple>
#include <vector>

#include "support/catch.hpp"
#include "vipd/os/netlink.hpp"
#include "vipd/os/object_messages.hpp"

using namespace vipd;

namespace {

NetworkView machine() {
  NetworkView view;
  view.by_index[2] = {.index = 2, .name = "eth0", .mac = {}};
  return view;
}

IpPrefix prefix(const char* address, std::uint8_t length) { return {IpAddress::parse(address).value(), length}; }

/// Delivers a request as the kernel reports it: without the flags of a request.
std::vector<std::string> tell(NetworkView& view, const KernelObject& object, bool adding) {
  alignas(nlmsghdr) std::array<char, kObjectMessageSize> buffer;
  std::vector<std::string> changed;
  const std::size_t size = put_object(buffer.data(), object, adding, 1);
  REQUIRE(size <= buffer.size());
  reinterpret_cast<nlmsghdr*>(buffer.data())->nlmsg_flags = 0;
  for_each_message(std::span(buffer).first(size), [&](const nlmsghdr& message) { changed = apply(message, view); });
  return changed;
}

struct AddressMessage {
  explicit AddressMessage(std::uint8_t family = AF_INET, std::uint8_t length = 24)
      : message(mnl_nlmsg_put_header(buffer.data())) {
    message->nlmsg_type = RTM_NEWADDR;
    auto* info = static_cast<ifaddrmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ifaddrmsg)));
    info->ifa_family = family;
    info->ifa_prefixlen = length;
    info->ifa_index = 2;
  }
  AddressMessage& with(std::uint16_t type, std::vector<std::uint8_t> octets) {
    mnl_attr_put(message, type, octets.size(), octets.data());
    return *this;
  }
  std::map<IpPrefix, AddressState> told() const {
    NetworkView view = machine();
    apply(*message, view);
    return view.by_index.at(2).addresses;
  }
  alignas(nlmsghdr) std::array<char, 256> buffer{};
  nlmsghdr* message;
};

const std::vector<std::uint8_t> kOctets = {192, 0, 2, 10};

}  // namespace

TEST_CASE("network messages: an interface has alternative names, and who waits for one of them is told") {
  NetworkView view = machine();
  const auto tell_names = [&](const std::vector<const char*>& alternatives) {
    alignas(nlmsghdr) std::array<char, 512> buffer{};
    nlmsghdr* message = mnl_nlmsg_put_header(buffer.data());
    message->nlmsg_type = RTM_NEWLINK;
    static_cast<ifinfomsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ifinfomsg)))->ifi_index = 2;
    mnl_attr_put_strz(message, IFLA_IFNAME, "eth0");
    nlattr* const list = mnl_attr_nest_start(message, IFLA_PROP_LIST);
    for (const char* name : alternatives) mnl_attr_put_strz(message, IFLA_ALT_IFNAME, name);
    mnl_attr_nest_end(message, list);
    return apply(*message, view);
  };
  using Names = std::vector<std::string>;
  CHECK(view.why_missing("kubevip") == "is missing");
  CHECK(tell_names({"kubevip", "a-name-longer-than-fifteen"}) ==
        Names{"eth0", "kubevip", "a-name-longer-than-fifteen"});
  CHECK(view.why_missing("kubevip") == "is an alternative name of eth0: write \"eth0\"");
  CHECK(tell_names({}) == Names{"eth0", "kubevip", "a-name-longer-than-fifteen"});
  CHECK(view.why_missing("kubevip") == "is missing");
}

TEST_CASE("network messages: what is asked for is there when the kernel says so, and gone when it says that") {
  const std::vector<KernelObject> objects = {
      AddressObject{.prefix = prefix("192.0.2.10", 24), .interface = "eth0", .ifindex = 2, .label = "eth0:a-long-one"},
      AddressObject{.prefix = prefix("2001:db8::10", 64),
                    .interface = "eth0",
                    .ifindex = 2,
                    .peer = IpAddress::parse("2001:db8::11"),
                    .preferred_lifetime = PreferredLifetime::zero},
      RouteObject{.to = prefix("0.0.0.0", 0), .ifindex = 2, .via = IpAddress::parse("192.0.2.1"), .table = 1000},
      RouteObject{.to = prefix("2001:db8:1::", 48), .ifindex = 2, .source = IpAddress::parse("2001:db8::10")},
      RouteObject{.to = prefix("198.51.100.0", 24), .metric = 7, .type = RouteType::blackhole},
      RuleObject{.from = prefix("192.0.2.10", 32), .interface = "eth0", .table = 1000, .priority = 100},
      RuleObject{.to = prefix("2001:db8::", 32), .table = 10, .priority = 101}};
  NetworkView view = machine();
  for (const KernelObject& object : objects) {
    INFO(describe(object));
    CHECK(tell(view, object, true).size() == 1);
    CHECK(view.has_tagged(object));
  }
  for (const KernelObject& object : objects) {
    INFO(describe(object));
    CHECK(tell(view, object, false).size() == 1);
    CHECK_FALSE(view.has(object));
  }
}

TEST_CASE("network messages: an address without sense changes nothing") {
  CHECK(AddressMessage().with(IFA_LOCAL, kOctets).told().size() == 1);
  CHECK(AddressMessage().told().empty());
  CHECK(AddressMessage().with(IFA_LOCAL, {192, 0, 2}).told().empty());
  CHECK(AddressMessage(AF_INET6).with(IFA_LOCAL, kOctets).told().empty());
  CHECK(AddressMessage(AF_INET, 33).with(IFA_LOCAL, kOctets).told().empty());
  CHECK(AddressMessage(AF_UNIX).with(IFA_LOCAL, kOctets).told().empty());
}

TEST_CASE("network messages: an attribute of the wrong size counts as missing") {
  const auto told =
      AddressMessage().with(IFA_LOCAL, kOctets).with(IFA_FLAGS, {IFA_F_SECONDARY}).with(kIfaProto, {}).told();
  REQUIRE(told.size() == 1);
  CHECK(told.begin()->second == AddressState{});
}

TEST_CASE("network messages: F22: an address is usable unless duplicate detection goes on or has found another host") {
  struct Row {
    std::uint8_t flags;
    bool usable, duplicate;
  };
  for (const Row& row : std::initializer_list<Row>{{0, true, false},
                                                   {IFA_F_NODAD, true, false},
                                                   {IFA_F_DEPRECATED, true, false},
                                                   {IFA_F_TENTATIVE, false, false},
                                                   {IFA_F_TENTATIVE | IFA_F_OPTIMISTIC, true, false},
                                                   {IFA_F_DADFAILED, false, true},
                                                   {IFA_F_TENTATIVE | IFA_F_DADFAILED, false, true}}) {
    CAPTURE(static_cast<int>(row.flags));
    const auto told = AddressMessage().with(IFA_LOCAL, kOctets).with(IFA_FLAGS, {row.flags, 0, 0, 0}).told();
    REQUIRE(told.size() == 1);
    CHECK(told.begin()->second.usable == row.usable);
    CHECK(told.begin()->second.duplicate == row.duplicate);
  }
}

TEST_CASE("network messages: a link says whether it promotes secondary addresses, in an array that may be short") {
  for (const auto& [count, value, expected] : std::initializer_list<std::tuple<int, int, bool>>{
           {33, 1, true}, {33, 0, false}, {20, 1, true}, {19, 1, false}}) {
    alignas(nlmsghdr) std::array<char, 512> buffer{};
    nlmsghdr* message = mnl_nlmsg_put_header(buffer.data());
    message->nlmsg_type = RTM_NEWLINK;
    static_cast<ifinfomsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ifinfomsg)))->ifi_index = 2;
    std::vector<std::uint32_t> settings(static_cast<std::size_t>(count));
    if (count >= IPV4_DEVCONF_PROMOTE_SECONDARIES) settings[IPV4_DEVCONF_PROMOTE_SECONDARIES - 1] = value != 0 ? 1 : 0;
    nlattr* const families = mnl_attr_nest_start(message, IFLA_AF_SPEC);
    nlattr* const ipv4 = mnl_attr_nest_start(message, AF_INET);
    mnl_attr_put(message, IFLA_INET_CONF, settings.size() * sizeof settings[0], settings.data());
    mnl_attr_nest_end(message, ipv4);
    mnl_attr_nest_end(message, families);
    NetworkView view = machine();
    apply(*message, view);
    CAPTURE(count, value);
    CHECK(view.by_index.at(2).promotes == expected);
  }
}

TEST_CASE("network messages: of one address with two prefix lengths, ours is found") {
  NetworkView view = machine();
  const KernelObject ours = AddressObject{.prefix = prefix("192.0.2.10", 32), .ifindex = 2};
  tell(view, ours, true);
  view.by_index.at(2).addresses[prefix("192.0.2.10", 24)] = {};
  CHECK(view.has_tagged(ours));
  CHECK(view.find(2, IpAddress::parse("192.0.2.10").value())->first == prefix("192.0.2.10", 32));
  tell(view, ours, false);
  CHECK(view.has(ours));
  CHECK_FALSE(view.has_tagged(ours));
}

TEST_CASE("network messages: one that is too short for its kind changes nothing") {
  for (const int type :
       std::initializer_list<int>{RTM_NEWLINK, RTM_DELLINK, RTM_NEWADDR, RTM_NEWROUTE, RTM_NEWRULE, NLMSG_NOOP}) {
    alignas(nlmsghdr) std::array<char, 64> buffer{};
    nlmsghdr* message = mnl_nlmsg_put_header(buffer.data());
    message->nlmsg_type = static_cast<std::uint16_t>(type);
    NetworkView view = machine();
    CHECK(apply(*message, view).empty());
    CHECK(view.by_index.size() == 1);
  }
}

namespace {

/// The view of a link after RTM_NEWLINK with these flags. `port_of` is IFLA_INFO_SLAVE_KIND, unless empty.
Interface link_told(unsigned flags, const std::string& port_of = "") {
  alignas(nlmsghdr) std::array<char, 512> buffer{};
  nlmsghdr* message = mnl_nlmsg_put_header(buffer.data());
  message->nlmsg_type = RTM_NEWLINK;
  auto* info = static_cast<ifinfomsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ifinfomsg)));
  info->ifi_index = 2;
  info->ifi_flags = flags;
  mnl_attr_put_strz(message, IFLA_IFNAME, "eth0");
  nlattr* nest = mnl_attr_nest_start(message, IFLA_LINKINFO);
  mnl_attr_put_strz(message, IFLA_INFO_KIND, "macvlan");
  if (!port_of.empty()) mnl_attr_put_strz(message, IFLA_INFO_SLAVE_KIND, port_of.c_str());
  mnl_attr_nest_end(message, nest);
  NetworkView view = machine();
  view.by_index[2].port_of = "bond";
  apply(*message, view);
  return view.by_index.at(2);
}

}  // namespace

TEST_CASE("network messages: F7 a link says whether adverts can be heard there") {
  const Interface plain = link_told(IFF_UP | IFF_RUNNING | IFF_MULTICAST);
  CHECK((plain.multicast && !plain.loopback && plain.macvlan && plain.port_of.empty()));
  CHECK(link_told(IFF_UP | IFF_LOOPBACK).loopback);
  CHECK_FALSE(link_told(IFF_UP | IFF_POINTOPOINT).multicast);
  CHECK(link_told(IFF_UP, "bridge").port_of == "bridge");
}
