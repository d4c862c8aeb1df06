#include "vipd/node/claim_store.hpp"

#include <utility>
#include <vector>

#include "vipd/base/assert.hpp"
#include "vipd/node/claim_format.hpp"
#include "vipd/os/log.hpp"

namespace vipd {

ClaimStore::ClaimStore(Store& store, std::string name) : store_(&store), name_(std::move(name)) {
  bool complete = true;
  for (auto& [instance, claim] : claims_in(store.read(name_).value_or(Records()), store.boot(), complete))
    entries_[instance].claim = std::move(claim);
  if (!complete)
    log_warning("{} is damaged or of another version: an instance goes on only if its claim could be read", name_);
  begin_anew();
}

/// Writes the file with what is known.
void ClaimStore::begin_anew() {
  std::erase_if(entries_, [](const auto& entry) { return !entry.second.claim; });
  std::vector<Record> records = {claims_head(store_->boot())};
  for (auto& [instance, entry] : entries_) {
    entry.at = records.size() * kClaimSize;
    records.push_back(claim_record(instance, *entry.claim));
  }
  auto file = store_->begin_anew(name_, records);
  if (!file) return give_up(file.error());
  file_ = std::move(*file);
}

/// What the file says would outlive its truth.
void ClaimStore::give_up(const Error& error) {
  loss_.log(error);
  file_.reset();
  (void)store_->remove(name_);
}

void ClaimStore::write(const std::string& instance, Entry& entry) {
  if (store_ == nullptr) return;
  if (!file_) return begin_anew();
  const Record record = claim_record(instance, *entry.claim);
  if (entry.at) {
    if (const auto put = file_->put(*entry.at, record); !put) give_up(put.error());
  } else if (const auto at = file_->append(record)) {
    entry.at = *at;
  } else {
    loss_.log(at.error());
  }
}

const KeptClaim* ClaimStore::find(std::string_view instance) const {
  const auto found = entries_.find(instance);
  return found != entries_.end() && found->second.claim ? &*found->second.claim : nullptr;
}

void ClaimStore::keep(const std::string& instance, const KeptClaim& claim) {
  Entry& entry = entries_[instance];
  entry.claim = claim;
  write(instance, entry);
}

/// A claim for which the disk had no room is written as soon as there is some.
void ClaimStore::extend(const std::string& instance, TimePoint until) {
  const auto known = entries_.find(instance);
  VIPD_ASSERT(known != entries_.end() && known->second.claim);
  known->second.claim->until = until;
  if (!file_) return;
  if (!known->second.at) return write(instance, known->second);
  if (const auto put = file_->put_mark(*known->second.at, claim_mark(until)); !put) loss_.log(put.error());
}

void ClaimStore::drop(const std::string& instance) {
  const auto known = entries_.find(instance);
  if (known != entries_.end()) drop(known->second);
}

void ClaimStore::drop_all_but(const std::function<bool(const std::string&)>& stays) {
  for (auto& [instance, entry] : entries_)
    if (!stays(instance)) drop(entry);
}

void ClaimStore::drop(Entry& entry) {
  if (!entry.claim) return;
  entry.claim.reset();
  if (!file_ || !entry.at) return;
  if (const auto put = file_->put_mark(*entry.at, kNoClaim); !put) give_up(put.error());
}

}  // namespace vipd
