// Files of a previous run, damaged or not: only records that a vipd wrote are taken from them, and other files count as
// none.
#include <sodium.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "fuzz/bytes.hpp"
#include "vipd/base/assert.hpp"
#include "vipd/load/config_history.hpp"
#include "vipd/node/claim_store.hpp"
#include "vipd/node/hook_journal.hpp"
#include "vipd/sim/sim_store.hpp"

using namespace vipd;
using fuzz::Bytes;

namespace {

// --- The records of all files.

/// Checks that the records read are those written, in order, up to the end that the reader reports.
void check_records_of(const std::string& octets) {
  const Records read = read_records(octets);
  std::string again;
  for (const Record& record : read.whole) again += to_octets(record);
  VIPD_ASSERT(again + read.rest == octets);
  VIPD_ASSERT((read.ending == Ending::whole) == read.rest.empty());
}

void check_records(Bytes& bytes) {
  std::string octets;
  while (!bytes.empty()) {
    const unsigned size = bytes.octet();
    const auto payload = bytes.take(size % 64);
    octets +=
        size < 128 ? to_octets({{payload.begin(), payload.end()}, size}) : std::string(payload.begin(), payload.end());
  }
  check_records_of(octets);
}

/// `text` with changed octets, or with its end cut off or doubled.
std::string damaged(std::string text, Bytes& bytes) {
  while (!bytes.empty() && !text.empty()) {
    const unsigned where = bytes.word() % static_cast<unsigned>(text.size()), how = bytes.octet();
    if (how == 0)
      text.resize(where);
    else if (how == 1 && text.size() < 4096)
      text += text.substr(where);
    else
      text[where] = static_cast<char>(how);
  }
  return text;
}

// --- The hook journal.

const HookSubject kWeb{.group = false, .name = "web", .interface = "eth0", .addresses = "192.0.2.10/24"};
const HookSubject kGroup{.group = true, .name = "edge", .interface = "", .addresses = ""};

HookEvent event(unsigned choice) {
  static constexpr HookState kStates[] = {HookState::active, HookState::backup, HookState::fault, HookState::stop};
  return {.state = kStates[choice % 4],
          .old_state = "backup",
          .reason = "no advert",
          .priority = static_cast<std::uint8_t>(choice),
          .peer = "192.0.2.2",
          .sequence = choice};
}

constexpr const char* kJournalHead = R"({"schema":"vipd.hook-journal/1"})";

/// Checks that hooks can be told of each taken transition, and that reading begins the file anew.
void check_journal_of(const std::string& text) {
  sim::SimStore store;
  store.set("hooks.journal", text);
  HookJournal journal(store, "hooks.journal");
  for (const HookSubject& subject : {kWeb, kGroup}) {
    const auto taken = journal.take(subject);
    VIPD_ASSERT(!taken || (taken->again && parse_hook_state(to_string(taken->state)) == taken->state));
    VIPD_ASSERT(!taken || text.find(kJournalHead) != std::string::npos);
    VIPD_ASSERT(!journal.take(subject));
  }
  VIPD_ASSERT(store.at("hooks.journal") == to_octets({kJournalHead}));
}

/// A journal as vipd 0.1.0 wrote it.
void check_old_journal(Bytes& bytes) { check_journal_of(std::string(kJournalHead) + "\n" + bytes.text()); }

/// Sound records with any contents.
void check_any_journal(Bytes& bytes) {
  std::string octets = to_octets({kJournalHead});
  const std::string documents = bytes.text();
  for (std::size_t begin = 0; begin < documents.size();) {
    const std::size_t end = std::min(documents.find('\n', begin), documents.size());
    octets += to_octets({documents.substr(begin, end - begin)});
    begin = end + 1;
  }
  check_journal_of(octets);
}

/// A written journal, damaged or not.
void check_written_journal(Bytes& bytes) {
  sim::SimStore store;
  {
    HookJournal journal(store, "hooks.journal");
    for (unsigned left = bytes.octet() % 8; left > 0; --left) {
      const unsigned choice = bytes.octet();
      const HookSubject& subject = choice % 2 == 0 ? kWeb : kGroup;
      if (choice >= 128)
        journal.ended(subject);
      else
        journal.began(subject, event(choice / 2));
    }
  }
  check_journal_of(damaged(store.at("hooks.journal"), bytes));
}

// --- The history of configurations.

/// Checks that a kept text is read as it was, or not at all. `head` octets of the file are left out.
void check_history_without(std::size_t head, Bytes& bytes) {
  static const std::vector<ConfigSource> files = {{"vipd.toml", "[instance.web]\nvrid = 51\n"}, {"b", "\xff\n"}};
  sim::SimStore store;
  VIPD_ASSERT(ConfigHistory(store, "history").keep({files.front()}, "2026-01-01T00:00:00.000Z") == 1U);
  std::string& octets = store.at("history/1.json");
  octets = damaged(octets.substr(head), bytes);
  const ConfigHistory history(store, "history");
  const auto newest = history.newest();
  VIPD_ASSERT(history.list().size() == (newest ? 1 : 0));
  VIPD_ASSERT(!newest || (newest->files.size() == 1 && newest->files.front().text == files.front().text &&
                          newest->files.front().name == files.front().name));
}

void check_history(Bytes& bytes) { check_history_without(0, bytes); }
/// A history as vipd 0.1.0 wrote it.
void check_old_history(Bytes& bytes) { check_history_without(kRecordHead, bytes); }

void check_history_of(const std::string& octets) {
  sim::SimStore store;
  store.set("any/7.json", octets);
  const ConfigHistory history(store, "any");
  VIPD_ASSERT(history.list().size() == (history.newest() ? 1 : 0));
}

constexpr const char* kHistoryHead = R"({"schema":"vipd.kept-config/1",)";
void check_any_history(Bytes& bytes) { check_history_of(to_octets({kHistoryHead + bytes.text()})); }
void check_any_old_history(Bytes& bytes) { check_history_of(kHistoryHead + bytes.text()); }

// --- The claims.

constexpr std::size_t kRecord = 256, kSum = 16;

KeptClaim claim(Bytes& bytes) {
  const unsigned choice = bytes.octet();
  return {.interface = "eth0",
          .ifindex = static_cast<int>(bytes.octet()),
          .family = (choice & 1) != 0 ? Family::ipv6 : Family::ipv4,
          .vrid = bytes.octet(),
          .virtual_mac = (choice & 2) != 0,
          .state = static_cast<ShownState>(choice / 64 % 3),
          .until = TimePoint(std::chrono::seconds(1 + bytes.word())),
          .since = TimePoint(std::chrono::seconds(1)),
          .fit = (choice & 4) != 0,
          .reason = std::string(choice / 8, 'r')};
}

/// Checks that a found claim was kept. Only its time is outside of the checksum; KeptClaim::is_good() judges it.
void check_claims(Bytes& bytes) {
  sim::SimStore store;
  std::array<KeptClaim, 3> kept;
  std::string text;
  {
    ClaimStore claims(store, "claims");
    for (std::size_t i = 0; i < kept.size(); ++i)
      claims.keep(std::string(1, static_cast<char>('a' + i)), kept[i] = claim(bytes));
    text = store.at("claims");
  }
  const std::string read = damaged(text, bytes);
  store.set("claims", read);
  const ClaimStore next(store, "claims");
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const KeptClaim* found = next.find(std::string(1, static_cast<char>('a' + i)));
    VIPD_ASSERT(found != nullptr || read != text);
    if (found == nullptr) continue;
    kept[i].until = found->until;
    VIPD_ASSERT(*found == kept[i]);
  }
}

std::string with_sum(std::string record) {
  constexpr std::array<unsigned char, crypto_shorthash_KEYBYTES> kKey{};
  std::string summed = record;
  std::fill_n(summed.begin(), 8, '\0');
  std::fill_n(summed.begin() + kSum, 8, '\0');
  std::array<unsigned char, crypto_shorthash_BYTES> sum;
  crypto_shorthash(sum.data(), reinterpret_cast<const unsigned char*>(summed.data()), summed.size(), kKey.data());
  std::memcpy(record.data() + kSum, sum.data(), sum.size());
  return record;
}

/// Checks that only a valid claim is resumed.
void check_claims_of(const std::string& octets) {
  sim::SimStore store;
  store.set("claims", octets);
  ClaimStore claims(store, "claims");
  claims.drop_all_but([&](const std::string& name) {
    const KeptClaim* found = claims.find(name);
    const TimePoint now(std::chrono::seconds(1000));
    if (found == nullptr) return true;
    VIPD_ASSERT(found->state <= ShownState::fault && found->family <= Family::ipv6);
    VIPD_ASSERT(!found->is_good(now) || (found->until > now && found->until <= now + KeptClaim::kLongest));
    return found->is_good(now);
  });
}

/// Sound records of claims with any contents.
void check_any_claims(Bytes& bytes) {
  sim::SimStore store;
  {
    const ClaimStore empty(store, "claims");
  }
  std::string octets = store.at("claims");
  while (!bytes.empty()) {
    const std::uint64_t mark = bytes.word() * 1'000'000'000ULL;
    const auto payload = bytes.take(kRecord - kRecordHead);
    Record record{{payload.begin(), payload.end()}, mark};
    record.payload.resize(kRecord - kRecordHead);
    octets += to_octets(record);
  }
  check_claims_of(octets);
}

/// Sound records in the format of vipd 0.1.0.
void check_any_old_claims(Bytes& bytes) {
  std::string octets("vipd claims 2");
  octets.resize(kRecord);
  while (!bytes.empty()) {
    const auto record = bytes.take(kRecord);
    std::string whole(record.begin(), record.end());
    whole.resize(kRecord);
    octets += with_sum(whole);
  }
  check_claims_of(octets);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  spdlog::set_level(spdlog::level::off);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static constexpr void (*kChecks[])(Bytes&) = {check_old_journal,     check_written_journal, check_old_history,
                                                check_any_old_history, check_claims,          check_any_old_claims,
                                                check_records,         check_any_journal,     check_history,
                                                check_any_history,     check_any_claims};
  Bytes bytes(data, size);
  kChecks[bytes.octet() % std::size(kChecks)](bytes);
  return 0;
}
