#include "vipd/os/link_messages.hpp"

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <array>
#include <map>
#include <string>

#include "support/catch.hpp"

using namespace vipd;

namespace {

struct Buffer {
  alignas(nlmsghdr) std::array<char, kLinkMessageSize> octets;
};

using Table = std::map<int, const nlattr*>;

int collect(const nlattr* attribute, void* table) {
  (*static_cast<Table*>(table))[mnl_attr_get_type(attribute)] = attribute;
  return MNL_CB_OK;
}
Table attributes(const nlmsghdr* message) {
  Table table;
  mnl_attr_parse(message, sizeof(ifinfomsg), collect, &table);
  return table;
}
Table nested(const nlattr* attribute) {
  Table table;
  mnl_attr_parse_nested(attribute, collect, &table);
  return table;
}
const ifinfomsg& info(const nlmsghdr* message) {
  return *static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(message));
}

}  // namespace

TEST_CASE("link messages: a macvlan is made in bridge mode, down, and never over another device") {
  Buffer buffer;
  const nlmsghdr* message = put_macvlan(buffer.octets.data(), 7, "vrrp4.51.eth0", {{0, 0, 0x5e, 0, 1, 51}});
  CHECK(message->nlmsg_type == RTM_NEWLINK);
  CHECK((message->nlmsg_flags & (NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK)) == (NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK));
  CHECK(info(message).ifi_flags == 0);
  const Table table = attributes(message);
  CHECK(mnl_attr_get_str(table.at(IFLA_IFNAME)) == std::string("vrrp4.51.eth0"));
  CHECK(mnl_attr_get_u32(table.at(IFLA_LINK)) == 7);
  CHECK(mnl_attr_get_payload_len(table.at(IFLA_ADDRESS)) == 6);
  const Table kind = nested(table.at(IFLA_LINKINFO));
  CHECK(mnl_attr_get_str(kind.at(IFLA_INFO_KIND)) == std::string("macvlan"));
  CHECK(mnl_attr_get_u32(nested(kind.at(IFLA_INFO_DATA)).at(IFLA_MACVLAN_MODE)) == MACVLAN_MODE_BRIDGE);
}

TEST_CASE("link messages: up and down touch that flag alone, and make nothing") {
  for (const bool up : {true, false}) {
    Buffer buffer;
    const nlmsghdr* message = put_link_change(buffer.octets.data(), 9, up, "vipd arp_ignore=0");
    CHECK((message->nlmsg_flags & NLM_F_CREATE) == 0);
    CHECK(info(message).ifi_index == 9);
    CHECK(info(message).ifi_change == IFF_UP);
    CHECK(info(message).ifi_flags == (up ? IFF_UP : 0));
    CHECK(mnl_attr_get_str(attributes(message).at(IFLA_IFALIAS)) == std::string("vipd arp_ignore=0"));
  }
}

TEST_CASE("link messages: promote_secondaries of one interface is switched, and nothing else of it") {
  for (const bool on : {true, false}) {
    alignas(nlmsghdr) std::array<char, kPromotionSize> buffer{};
    const std::size_t size = put_promotion(buffer.data(), 9, on, 77);
    REQUIRE(size <= buffer.size());
    REQUIRE(size % NLMSG_ALIGNTO == 0);
    const auto* message = reinterpret_cast<const nlmsghdr*>(buffer.data());
    CHECK(message->nlmsg_type == RTM_SETLINK);
    CHECK(message->nlmsg_seq == 77);
    CHECK(message->nlmsg_flags == NLM_F_REQUEST);  // answered only if it fails
    CHECK(info(message).ifi_index == 9);
    CHECK(info(message).ifi_change == 0);
    const Table table = attributes(message);
    REQUIRE(table.size() == 1);
    const Table settings = nested(nested(table.at(IFLA_AF_SPEC)).at(AF_INET));
    const Table changed = nested(settings.at(IFLA_INET_CONF));
    REQUIRE(changed.size() == 1);
    CHECK(mnl_attr_get_u32(changed.at(IPV4_DEVCONF_PROMOTE_SECONDARIES)) == (on ? 1 : 0));
  }
}

TEST_CASE("link messages: the longest alias fits") {
  Buffer buffer;
  const nlmsghdr* message = put_link_alias(buffer.octets.data(), "abcdefghijklmno", std::string(1000, 'x'));
  CHECK(message->nlmsg_len <= kLinkMessageSize);
  CHECK(std::string(mnl_attr_get_str(attributes(message).at(IFLA_IFALIAS))).size() == kMaxLinkAlias);
}
