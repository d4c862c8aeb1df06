/// Store: what outlives the process, as named files of records (base/record.hpp).
///
/// A seam: FileStore keeps files on a disk, the simulator keeps them in memory. The claims, the journal of hooks, the
/// configurations in force and their history are all written here and nowhere else. replace() is all or nothing, and an
/// append() that fails leaves what was there. So a full disk or a killed process costs the last record at most.
///
/// A File belongs to one thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vipd/base/record.hpp"
#include "vipd/base/result.hpp"

namespace vipd {

class Store {
 public:
  /// A file that replace() has written, to which more is added. Its owner may write until the name is replaced again.
  class File {
   public:
    virtual ~File() = default;
    /// Returns where the record stands. After a failure nothing of it is there.
    Result<std::size_t> append(const Record& record);
    /// Writes another record of the same size in the place `at`, which append() has returned. A failure leaves it open
    /// which of the two is there.
    Result<void> put(std::size_t at, const Record& record);
    /// Writes the mark of the record at `at` anew: eight octets, at once.
    Result<void> put_mark(std::size_t at, std::uint64_t mark);
    std::size_t size() const { return size_; }  ///< octets

   private:
    friend Store;
    virtual Result<void> write(std::string_view octets, std::size_t at) = 0;
    virtual void cut(std::size_t size) = 0;
    std::size_t size_ = 0;
  };

  /// Whether replace() waits until the disk has the file, fsync(2).
  enum class Sync { no, yes };
  using Boot = std::array<std::uint8_t, 16>;

  virtual ~Store() = default;

  /// What the file has. Fails with ENOENT if there is none, and if it cannot be read or is larger than a file may be.
  Result<Records> read(const std::string& name) const;
  /// Puts a file with these records in the place of whatever has the name, or changes nothing. The directory exists.
  Result<std::unique_ptr<File>> replace(const std::string& name, std::span<const Record> records, Sync sync);
  /// The same for a file whose older content would outlive its truth: before this fails, that file goes, and leaves its
  /// room to the new one. Does not wait for a disk.
  Result<std::unique_ptr<File>> begin_anew(const std::string& name, std::span<const Record> records);
  /// Nothing happens if there is none.
  virtual Result<void> remove(const std::string& name) = 0;
  /// The names in a directory, without it and in no order; empty if it cannot be read.
  virtual std::vector<std::string> names_in(const std::string& directory) const = 0;
  /// Makes a directory, and those above that are missing. One that is there stays as it is.
  virtual Result<void> make_directory(const std::string& name) = 0;
  /// The same for as long as the machine runs: times of CLOCK_BOOTTIME mean nothing in another boot.
  virtual Boot boot() const = 0;

 private:
  virtual Result<std::string> load(const std::string& name) const = 0;
  virtual Result<std::unique_ptr<File>> create(const std::string& name, std::string_view octets, Sync sync) = 0;
};

/// The words for what cannot be kept, and for what follows: "cannot write PATH: why; what follows". They are said once,
/// and again only after something has been kept.
class Loss {
 public:
  /// `consequence` is a sentence without a capital and without a full stop.
  explicit Loss(std::string_view consequence) : consequence_(consequence) {}

  /// The sentence; nullopt if it has been said. `error` is the Store's.
  std::optional<std::string> news(const Error& error);
  /// Says it in the log.
  void log(const Error& error);
  void over() { said_ = false; }

 private:
  std::string consequence_;
  bool said_ = false;
};

}  // namespace vipd
