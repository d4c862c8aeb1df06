/// Site: the servers of a scene with their daemons, a client and a stranger, and what can be done to them.
///
/// Each server has things of others on it from the beginning: an own address in each subnet, a route, a rule, a
/// neighbour entry, an nf_tables table. More of them come by faults. What a fault takes away of them, the same fault
/// puts back (restore(), take_away()), so whatever is missing in a quiet period is vipd's doing. Commands that fail are
/// written into the diary: two faults may be in each other's way.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "scene.hpp"
#include "support/lab/stuck_log.hpp"

namespace vipd::stress {

/// A small file system that can be filled. This program has a mount namespace of its own.
class SmallDisk {
 public:
  explicit SmallDisk(std::filesystem::path at);
  ~SmallDisk();
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  void fill() const;
  void make_room() const;

 private:
  std::filesystem::path at_;
};

struct Server {
  lab::Node* node = nullptr;
  int rank = 0;
  Change change = Change::none;
  std::unique_ptr<SmallDisk> disk;
  std::unique_ptr<lab::Process> echo;  ///< answers the client
  bool started = false;                ///< vipd, and not ended by us since
  std::vector<std::string> arrived;    ///< prefixes of others that a fault has put on eth0: "192.0.2.150/24"
};

class Site {
 public:
  explicit Site(const Scene& scene);

  const Scene& scene() const { return scene_; }
  std::deque<Server>& servers() { return servers_; }
  Server& server(int index) { return servers_[static_cast<std::size_t>(index)]; }
  lab::Node& node(int index) { return *server(index).node; }
  lab::Node& client() { return client_; }
  lab::Node& stranger() { return stranger_; }
  lab::Lab& lab() { return lab_; }

  /// In a server or the client, at most a minute; what fails goes into the diary.
  void sh(const lab::Node& node, const std::string& line);
  void at_switch(const std::string& line);
  void note(const std::string& line);
  const std::vector<std::string>& diary() const { return diary_; }
  void new_diary() { diary_.clear(); }

  // Daemons.
  void start(int index);
  /// False if it has not ended in time.
  bool stop(int index, Duration bound);
  void kill(int index);
  void last_will(int index);
  /// Writes the server's file; the daemon is not told.
  void write_config(int index, Change change);
  void reload(int index, Change change);
  bool runs(int index);
  /// vipctl of a server, at most 20 s.
  void vipctl(int index, const std::vector<std::string>& words);
  /// SIGSTOP and the like, if it runs.
  void signal(int index, int number);

  // The network of a server.
  /// All that others have on an interface of a server: from the beginning, and what has arrived since.
  void restore(int index, const std::string& interface);
  /// An address of others comes to eth0 of a server and stays until the life ends.
  void arrive(int index, const std::string& prefix);
  /// Somebody deletes a virtual address. With an IPv4 address that is the first one of its subnet Linux deletes the
  /// others of that subnet; those of others are put back at once.
  void take_away(int index, const std::string& prefix, const std::string& device);
  /// The interface goes and comes back, by the same number or another one.
  void recreate(int index, const std::string& interface, bool same_number);
  std::string port(int index, const std::string& interface);

 private:
  void add_server(int rank);
  void furnish(lab::Node& node, int number);
  std::vector<std::string> own_things(int index, const std::string& interface);

  Scene scene_;
  std::vector<std::string> diary_;
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  lab::Lab lab_;
  lab::StuckLog stuck_;
  std::deque<Server> servers_;
  lab::Node &client_, &stranger_;
  std::unique_ptr<lab::Process> echo_;
};

/// "lost" of a life that cannot go on; the reason.
struct Broken : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace vipd::stress
