// Files that an earlier vipd left, whatever became of them: what is taken from them was written by a vipd, and
// otherwise they are as good as none.
#include <sodium.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "fuzz/bytes.hpp"
#include "fuzz/scratch.hpp"
#include "vipd/base/assert.hpp"
#include "vipd/load/config_history.hpp"
#include "vipd/node/claim_store.hpp"
#include "vipd/node/hook_journal.hpp"

using namespace vipd;
using fuzz::Bytes;
using fuzz::scratch;

namespace {

/// Octets are changed, or the end is cut off or doubled.
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

/// What is taken is told to hooks as it stands; and reading it begins the file anew.
void check_journal_of(const std::string& text) {
  const std::string path = scratch("hooks.journal");
  fuzz::write(path, text);
  HookJournal journal(path);
  for (const HookSubject& subject : {kWeb, kGroup}) {
    const auto taken = journal.take(subject);
    VIPD_ASSERT(!taken || (taken->again && parse_hook_state(to_string(taken->state)) == taken->state));
    VIPD_ASSERT(!taken || text.starts_with(R"({"schema":"vipd.hook-journal/1"})"));
    VIPD_ASSERT(!journal.take(subject));
  }
  VIPD_ASSERT(fuzz::contents(path) == "{\"schema\":\"vipd.hook-journal/1\"}\n");
}

void check_journal(Bytes& bytes) { check_journal_of("{\"schema\":\"vipd.hook-journal/1\"}\n" + bytes.text()); }

/// A journal that was written, and damaged or not.
void check_written_journal(Bytes& bytes) {
  const std::string path = scratch("hooks.journal");
  std::filesystem::remove(path);
  {
    HookJournal journal(path);
    for (unsigned left = bytes.octet() % 8; left > 0; --left) {
      const unsigned choice = bytes.octet();
      const HookSubject& subject = choice % 2 == 0 ? kWeb : kGroup;
      if (choice >= 128)
        journal.ended(subject);
      else
        journal.began(subject, event(choice / 2));
    }
  }
  check_journal_of(damaged(fuzz::contents(path), bytes));
}

// --- The history of configurations.

/// A text that was in force is the text that was in force.
void check_history(Bytes& bytes) {
  static const std::string path = scratch("history");
  static const std::vector<ConfigSource> files = {{"vipd.toml", "[instance.web]\nvrid = 51\n"}, {"b", "\xff\n"}};
  static const std::string whole = [] {
    VIPD_ASSERT(ConfigHistory(path).keep({files.front()}, "2026-01-01T00:00:00.000Z") == 1U);
    return fuzz::contents(path + "/1.json");
  }();
  fuzz::write(path + "/1.json", damaged(whole, bytes));
  const ConfigHistory history(path);
  const auto newest = history.newest();
  VIPD_ASSERT(history.list().size() == (newest ? 1 : 0));
  VIPD_ASSERT(!newest || (newest->files.size() == 1 && newest->files.front().text == files.front().text &&
                          newest->files.front().name == files.front().name));
}

void check_any_history(Bytes& bytes) {
  std::filesystem::create_directory(scratch("any"));
  fuzz::write(scratch("any/7.json"), R"({"schema":"vipd.kept-config/1",)" + bytes.text());
  const ConfigHistory history(scratch("any"));
  VIPD_ASSERT(history.list().size() == (history.newest() ? 1 : 0));
}

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

/// A claim that is found was kept; its time alone is not a part of the sum, and is judged by KeptClaim::is_good().
void check_claims(Bytes& bytes) {
  const std::string path = scratch("claims");
  std::filesystem::remove(path);
  std::array<KeptClaim, 3> kept;
  std::string text;
  {
    ClaimStore store(path);
    for (std::size_t i = 0; i < kept.size(); ++i)
      store.keep(std::string(1, static_cast<char>('a' + i)), kept[i] = claim(bytes));
    text = fuzz::contents(path);
  }
  const std::string read = damaged(text, bytes);
  fuzz::write(path, read);
  const ClaimStore next(path);
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

/// Records that are sound, and say anything.
void check_any_claims(Bytes& bytes) {
  static const std::string path = scratch("claims");
  static const std::string head = [] {
    const ClaimStore store(path);
    return fuzz::contents(path).substr(0, kRecord);
  }();
  std::string text = head;
  while (!bytes.empty()) {
    const auto octets = bytes.take(kRecord);
    std::string record(octets.begin(), octets.end());
    record.resize(kRecord);
    text += with_sum(record);
  }
  fuzz::write(path, text);
  ClaimStore store(path);
  store.drop_all_but([&](const std::string& name) {
    const KeptClaim* found = store.find(name);
    const TimePoint now(std::chrono::seconds(1000));
    if (found == nullptr) return true;
    VIPD_ASSERT(found->state <= ShownState::fault && found->family <= Family::ipv6);
    VIPD_ASSERT(!found->is_good(now) || (found->until > now && found->until <= now + KeptClaim::kLongest));
    return found->is_good(now);
  });
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  spdlog::set_level(spdlog::level::off);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static constexpr void (*kChecks[])(Bytes&) = {check_journal,     check_written_journal, check_history,
                                                check_any_history, check_claims,          check_any_claims};
  Bytes bytes(data, size);
  kChecks[bytes.octet() % std::size(kChecks)](bytes);
  return 0;
}
