#include "vipd/os/refused_addresses.hpp"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netinet/icmp6.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "vipd/os/netlink.hpp"

namespace vipd {
namespace {

constexpr const char* kTable = "vipd";
/// The most elements of one transaction.
constexpr std::size_t kChunk = 256;

const char* set_name(Family family) { return family == Family::ipv4 ? "ipv4" : "ipv6"; }

/// The messages of one nf_tables transaction, between its begin and end messages.
class Transaction {
 public:
  Transaction() { batch_edge(NFNL_MSG_BATCH_BEGIN); }

  /// Appends a message; `fill` writes its attributes, for which there are kRoom octets.
  template <typename Fill>
  void add(int type, unsigned flags, Fill fill) {
    nlmsghdr* message =
        put(static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | type), flags | NLM_F_ACK, NFPROTO_INET, 0);
    fill(message);
    keep(message);
  }

  std::vector<char> finish() {
    batch_edge(NFNL_MSG_BATCH_END);
    return std::move(messages_);
  }

 private:
  static constexpr std::size_t kRoom = 16384;

  void batch_edge(int type) { keep(put(static_cast<std::uint16_t>(type), 0, NFPROTO_UNSPEC, NFNL_SUBSYS_NFTABLES)); }

  nlmsghdr* put(std::uint16_t type, unsigned flags, std::uint8_t family, std::uint16_t resource) {
    used_ = messages_.size();
    messages_.resize(used_ + kRoom);
    nlmsghdr* message = mnl_nlmsg_put_header(messages_.data() + used_);
    message->nlmsg_type = type;
    message->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    auto* header = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(nfgenmsg)));
    header->nfgen_family = family;
    header->version = NFNETLINK_V0;
    header->res_id = htons(resource);
    return message;
  }

  void keep(const nlmsghdr* message) { messages_.resize(used_ + MNL_ALIGN(message->nlmsg_len)); }

  std::vector<char> messages_;
  std::size_t used_ = 0;
};

/// Opens a nested attribute, and closes it at the end of its own life.
class Nest {
 public:
  Nest(nlmsghdr* message, int type)
      : message_(message), start_(mnl_attr_nest_start(message, static_cast<std::uint16_t>(type))) {}
  ~Nest() { mnl_attr_nest_end(message_, start_); }
  Nest(const Nest&) = delete;
  Nest& operator=(const Nest&) = delete;

 private:
  nlmsghdr* message_;
  nlattr* start_;
};

void put_number(nlmsghdr* message, int type, std::uint32_t value) {
  mnl_attr_put_u32(message, static_cast<std::uint16_t>(type), htonl(value));
}

void put_text(nlmsghdr* message, int type, const char* text) {
  mnl_attr_put_strz(message, static_cast<std::uint16_t>(type), text);
}

/// Appends one expression of a rule; `fill` writes its parameters.
template <typename Fill>
void put_expression(nlmsghdr* message, const char* name, Fill fill) {
  const Nest element(message, NFTA_LIST_ELEM);
  put_text(message, NFTA_EXPR_NAME, name);
  const Nest data(message, NFTA_EXPR_DATA);
  fill();
}

void load_meta(nlmsghdr* message, nft_meta_keys key) {
  put_expression(message, "meta", [&] {
    put_number(message, NFTA_META_DREG, NFT_REG_1);
    put_number(message, NFTA_META_KEY, key);
  });
}

void load_payload(nlmsghdr* message, nft_payload_bases base, std::uint32_t offset, std::uint32_t length) {
  put_expression(message, "payload", [&] {
    put_number(message, NFTA_PAYLOAD_DREG, NFT_REG_1);
    put_number(message, NFTA_PAYLOAD_BASE, base);
    put_number(message, NFTA_PAYLOAD_OFFSET, offset);
    put_number(message, NFTA_PAYLOAD_LEN, length);
  });
}

void compare(nlmsghdr* message, nft_cmp_ops operation, std::uint8_t value) {
  put_expression(message, "cmp", [&] {
    put_number(message, NFTA_CMP_SREG, NFT_REG_1);
    put_number(message, NFTA_CMP_OP, static_cast<std::uint32_t>(operation));
    const Nest data(message, NFTA_CMP_DATA);
    mnl_attr_put_u8(message, NFTA_DATA_VALUE, value);
  });
}

void put_verdict(nlmsghdr* message, int verdict) {
  put_expression(message, "immediate", [&] {
    put_number(message, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
    const Nest data(message, NFTA_IMMEDIATE_DATA);
    const Nest inner(message, NFTA_DATA_VERDICT);
    put_number(message, NFTA_VERDICT_CODE, static_cast<std::uint32_t>(verdict));
  });
}

template <typename Fill>
void add_rule(Transaction& transaction, const char* chain, Fill fill) {
  transaction.add(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, [&](nlmsghdr* message) {
    put_text(message, NFTA_RULE_TABLE, kTable);
    put_text(message, NFTA_RULE_CHAIN, chain);
    const Nest expressions(message, NFTA_RULE_EXPRESSIONS);
    fill(message);
  });
}

/// "ip daddr @ipv4 drop" or "ip6 daddr @ipv6 drop".
void add_drop(Transaction& transaction, const char* chain, Family family) {
  const bool ipv4 = family == Family::ipv4;
  add_rule(transaction, chain, [&](nlmsghdr* message) {
    load_meta(message, NFT_META_NFPROTO);
    compare(message, NFT_CMP_EQ, ipv4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
    load_payload(message, NFT_PAYLOAD_NETWORK_HEADER, ipv4 ? 16 : 24, static_cast<std::uint32_t>(address_size(family)));
    put_expression(message, "lookup", [&] {
      put_text(message, NFTA_LOOKUP_SET, set_name(family));
      put_number(message, NFTA_LOOKUP_SREG, NFT_REG_1);
    });
    put_verdict(message, NF_DROP);
  });
}

/// "icmpv6 type { 135, 136 } accept": RFC 9568 6.1 forbids dropping neighbour solicitations and advertisements.
void add_neighbour_discovery(Transaction& transaction, const char* chain) {
  static_assert(ND_NEIGHBOR_SOLICIT + 1 == ND_NEIGHBOR_ADVERT);
  add_rule(transaction, chain, [&](nlmsghdr* message) {
    load_meta(message, NFT_META_L4PROTO);
    compare(message, NFT_CMP_EQ, IPPROTO_ICMPV6);
    load_payload(message, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1);
    compare(message, NFT_CMP_GTE, ND_NEIGHBOR_SOLICIT);
    compare(message, NFT_CMP_LTE, ND_NEIGHBOR_ADVERT);
    put_verdict(message, NF_ACCEPT);
  });
}

void add_chain(Transaction& transaction, const char* name, nf_inet_hooks hook) {
  transaction.add(NFT_MSG_NEWCHAIN, NLM_F_CREATE, [&](nlmsghdr* message) {
    put_text(message, NFTA_CHAIN_TABLE, kTable);
    put_text(message, NFTA_CHAIN_NAME, name);
    put_text(message, NFTA_CHAIN_TYPE, "filter");
    put_number(message, NFTA_CHAIN_POLICY, NF_ACCEPT);
    const Nest nest(message, NFTA_CHAIN_HOOK);
    put_number(message, NFTA_HOOK_HOOKNUM, hook);
    put_number(message, NFTA_HOOK_PRIORITY, 0);  // NF_IP_PRI_FILTER
  });
  add_drop(transaction, name, Family::ipv4);
  add_neighbour_discovery(transaction, name);
  add_drop(transaction, name, Family::ipv6);
}

void add_set(Transaction& transaction, Family family) {
  // The types ipv4_addr and ipv6_addr of nft(8); only nft's listings need them.
  const std::uint32_t type = family == Family::ipv4 ? 7 : 8;
  transaction.add(NFT_MSG_NEWSET, NLM_F_CREATE, [&](nlmsghdr* message) {
    put_text(message, NFTA_SET_TABLE, kTable);
    put_text(message, NFTA_SET_NAME, set_name(family));
    put_number(message, NFTA_SET_FLAGS, 0);
    put_number(message, NFTA_SET_KEY_TYPE, type);
    put_number(message, NFTA_SET_KEY_LEN, static_cast<std::uint32_t>(address_size(family)));
    put_number(message, NFTA_SET_ID, type);
  });
}

std::vector<char> new_table() {
  Transaction transaction;
  transaction.add(NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL, [](nlmsghdr* message) {
    put_text(message, NFTA_TABLE_NAME, kTable);
    put_number(message, NFTA_TABLE_FLAGS, NFT_TABLE_F_OWNER);
  });
  for (const Family family : {Family::ipv4, Family::ipv6}) add_set(transaction, family);
  add_chain(transaction, "input", NF_INET_LOCAL_IN);
  add_chain(transaction, "forward", NF_INET_FORWARD);  // RFC 9568 8.3.1: no forwarding loop while the address moves
  return transaction.finish();
}

std::vector<char> delete_table() {
  Transaction transaction;
  transaction.add(NFT_MSG_DELTABLE, 0, [](nlmsghdr* message) { put_text(message, NFTA_TABLE_NAME, kTable); });
  return transaction.finish();
}

void add_elements(Transaction& transaction, std::uint16_t type, Family family, std::span<const IpAddress> addresses) {
  if (std::ranges::none_of(addresses, [&](const auto& address) { return address.family() == family; })) return;
  transaction.add(type, type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0, [&](nlmsghdr* message) {
    put_text(message, NFTA_SET_ELEM_LIST_TABLE, kTable);
    put_text(message, NFTA_SET_ELEM_LIST_SET, set_name(family));
    const Nest elements(message, NFTA_SET_ELEM_LIST_ELEMENTS);
    for (const auto& address : addresses) {
      if (address.family() != family) continue;
      const Nest element(message, NFTA_LIST_ELEM);
      const Nest key(message, NFTA_SET_ELEM_KEY);
      mnl_attr_put(message, NFTA_DATA_VALUE, address.octets().size(), address.octets().data());
    }
  });
}

/// The first error among the kernel's answers; 0 if there is none.
int read_answers(int fd) {
  int error = 0;
  const auto note = [&](const nlmsghdr& message) {
    if (message.nlmsg_type == NLMSG_ERROR && error == 0) error = error_in(message);
  };
  Received received = Received::messages;
  while (received == Received::messages) received = receive(fd, note);
  return received == Received::overrun && error == 0 ? ENOBUFS : error;
}

}  // namespace

Result<void> RefusedAddresses::open() {
  if (socket_) return {};
  Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER));
  sockaddr_nl local{};
  local.nl_family = AF_NETLINK;
  if (!fd || ::bind(fd.get(), reinterpret_cast<sockaddr*>(&local), sizeof local) < 0)
    return system_failure("accept = false: cannot open a socket for nf_tables", errno);
  const int on = 1;
  ::setsockopt(fd.get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  socket_ = std::move(fd);
  return {};
}

Result<void> RefusedAddresses::commit(std::vector<char> messages) {
  for (std::size_t at = 0; at < messages.size();) {
    auto* message = reinterpret_cast<nlmsghdr*>(messages.data() + at);
    message->nlmsg_seq = ++sequence_;
    at += MNL_ALIGN(message->nlmsg_len);
  }
  const ssize_t sent = ::send(socket_.get(), messages.data(), messages.size(), 0);
  const int error = sent < 0 ? errno : read_answers(socket_.get());
  if (error == 0) return {};
  if (error == EEXIST) return failure("accept = false: another process owns the nf_tables table \"inet vipd\"");
  return system_failure("accept = false: the kernel refuses the nf_tables table (Linux 5.12 or later is needed)",
                        error);
}

Result<void> RefusedAddresses::change_elements(std::uint16_t type, std::span<const IpAddress> addresses) {
  for (std::size_t begin = 0; begin < addresses.size(); begin += kChunk) {
    Transaction transaction;
    const auto chunk = addresses.subspan(begin, std::min(kChunk, addresses.size() - begin));
    for (const Family family : {Family::ipv4, Family::ipv6}) add_elements(transaction, type, family, chunk);
    if (const auto done = commit(transaction.finish()); !done) return done;
  }
  return {};
}

Result<void> RefusedAddresses::add(std::span<const IpAddress> addresses) {
  if (addresses.empty() && works_) return {};
  if (const auto opened = open(); !opened) return opened;
  if (!table_)
    if (const auto made = commit(new_table()); !made) return made;
  table_ = works_ = true;
  std::vector<IpAddress> fresh;
  std::ranges::copy_if(addresses, std::back_inserter(fresh),
                       [&](const auto& each) { return !refused_.contains(each); });
  refused_.insert(fresh.begin(), fresh.end());
  auto added = change_elements(NFT_MSG_NEWSETELEM, fresh);
  if (added && !refused_.empty()) return added;
  auto removed = remove(fresh);
  return added ? removed : added;
}

Result<void> RefusedAddresses::remove(std::span<const IpAddress> addresses) {
  std::vector<IpAddress> gone;
  std::ranges::copy_if(addresses, std::back_inserter(gone), [&](const auto& each) { return refused_.erase(each) > 0; });
  if (!table_) return {};
  if (!refused_.empty()) return change_elements(NFT_MSG_DELSETELEM, gone);
  table_ = false;
  return commit(delete_table());
}

}  // namespace vipd
