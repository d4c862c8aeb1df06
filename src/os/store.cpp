#include "vipd/os/store.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include "vipd/base/assert.hpp"
#include "vipd/os/log.hpp"

namespace vipd {
namespace {

Result<std::string> octets_of(std::span<const Record> records) {
  std::string octets;
  for (const Record& record : records) {
    if (record.payload.size() > kLargestPayload) return system_failure("cannot keep it", EFBIG);
    octets += to_octets(record);
  }
  return octets;
}

}  // namespace

Result<std::size_t> Store::File::append(const Record& record) {
  const auto octets = octets_of({&record, 1});
  if (!octets) return std::unexpected(octets.error());
  if (const auto written = write(*octets, size_); !written) {
    cut(size_);
    return std::unexpected(written.error());
  }
  return std::exchange(size_, size_ + octets->size());
}

Result<void> Store::File::put(std::size_t at, const Record& record) {
  VIPD_ASSERT(at + kRecordHead + record.payload.size() <= size_);
  return write(to_octets(record), at);
}

Result<void> Store::File::put_mark(std::size_t at, std::uint64_t mark) {
  VIPD_ASSERT(at + kRecordHead <= size_);
  std::array<char, sizeof mark> octets;
  std::memcpy(octets.data(), &mark, sizeof mark);
  return write({octets.data(), octets.size()}, at + kMarkAt);
}

Result<Records> Store::read(const std::string& name) const {
  const auto octets = load(name);
  if (!octets) return std::unexpected(octets.error());
  return read_records(*octets);
}

Result<std::unique_ptr<Store::File>> Store::replace(const std::string& name, std::span<const Record> records,
                                                    Sync sync) {
  const auto octets = octets_of(records);
  if (!octets) return std::unexpected(octets.error());
  auto file = create(name, *octets, sync);
  if (file) (*file)->size_ = octets->size();
  return file;
}

Result<std::unique_ptr<Store::File>> Store::begin_anew(const std::string& name, std::span<const Record> records) {
  auto file = replace(name, records, Sync::no);
  if (!file && remove(name)) file = replace(name, records, Sync::no);
  return file;
}

std::optional<std::string> Loss::news(const Error& error) {
  if (std::exchange(said_, true)) return std::nullopt;
  return error.message + "; " + consequence_;
}

void Loss::log(const Error& error) {
  if (const auto sentence = news(error)) log_warning("{}", *sentence);
}

}  // namespace vipd
