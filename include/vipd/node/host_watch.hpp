/// HostWatch: announcements of other hosts about the addresses of an Active router.
///
/// A host that announces a virtual address is named, and the address is announced again (Defence). A host that has the
/// source address of the adverts is named, too: the kernel drops its adverts, so both nodes may be Active. Each MAC is
/// named once, and the log gets a line a minute at most.
///
/// The router reports each announcement that it hears, and carries out the answer.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "vipd/base/log_limit.hpp"
#include "vipd/base/time.hpp"
#include "vipd/vrrp/announcement.hpp"
#include "vipd/vrrp/defence.hpp"

namespace vipd {

class HostWatch {
 public:
  /// Another host with the source address of this router's adverts, and when it was heard.
  struct Twin {
    AddressClaim claim;
    TimePoint heard;
  };
  struct Answer {
    std::set<IpAddress> addresses;       ///< addresses to announce again
    std::optional<std::string> warning;  ///< a sentence about the host, for the log
  };

  /// Another host has announced a virtual address of this router. `expected`: it may be the old holder still.
  void heard_virtual(const AddressClaim& claim, bool expected, TimePoint now) { defence_.note(claim, expected, now); }
  /// Another host has announced the source address. Returns a sentence for the log when that is news.
  std::optional<std::string> heard_source(const AddressClaim& claim, TimePoint now);

  /// When answer() is due; kNever if no answer is.
  TimePoint due() const { return defence_.due(); }
  /// Takes the answer that is due.
  Answer answer(TimePoint now);
  /// Forgets open answers: the router is no longer Active.
  void forget() { defence_.forget(); }

  /// The announcements of the virtual addresses by others since the start; nullopt if there were none.
  const std::optional<Defence::Contest>& contest() const { return defence_.contest(); }
  /// The host with our source address; nullopt if none was heard since the start.
  const std::optional<Twin>& twin() const { return twin_; }

 private:
  Defence defence_;
  std::optional<Twin> twin_;
  LogLimit contest_log_, twin_log_;
};

}  // namespace vipd
