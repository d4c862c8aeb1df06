/// Site: the servers of a scene with their daemons, a client and a stranger, and the operations on them.
///
/// Each server has objects of others from the beginning: an own address in each subnet, a route, a rule, a neighbour
/// entry, an nf_tables table. Faults add more of them. If a fault removes such objects, it restores them itself
/// (restore(), take_away()). So an object that is missing in a quiet period is missing because of vipd. Failed commands
/// are noted in the diary: two faults may disturb each other.
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
  std::unique_ptr<lab::Process> echo;  ///< the process that answers the client
  bool started = false;                ///< true if vipd was started and has not been ended by this program since
  std::vector<std::string> arrived;    ///< prefixes of others that a fault has added to eth0: "192.0.2.150/24"
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

  /// Runs a command in a server or the client, for a minute at most; a failure is noted in the diary.
  void sh(const lab::Node& node, const std::string& line);
  void at_switch(const std::string& line);
  void note(const std::string& line);
  const std::vector<std::string>& diary() const { return diary_; }
  void new_diary() { diary_.clear(); }

  // Daemons.
  void start(int index);
  /// Stops vipd. Returns false if it has not ended in time.
  bool stop(int index, Duration bound);
  void kill(int index);
  void last_will(int index);
  /// Writes the server's file without a reload.
  void write_config(int index, Change change);
  void reload(int index, Change change);
  bool runs(int index);
  /// Runs vipctl at a server, for 20 s at most.
  void vipctl(int index, const std::vector<std::string>& words);
  /// Sends a signal to vipd if it runs.
  void signal(int index, int number);

  // Restores all objects of others on an interface: those from the beginning, and those that have arrived since.
  void restore(int index, const std::string& interface);
  /// Adds an address of others to eth0 of a server, until the life ends.
  void arrive(int index, const std::string& prefix);
  /// Deletes a virtual address. If it is the first IPv4 address of its subnet, Linux deletes the other addresses of
  /// that subnet, too; those of others are restored at once.
  void take_away(int index, const std::string& prefix, const std::string& device);
  /// Deletes the interface and makes it again, with the same index or another one.
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

/// The life cannot go on; the text says why.
struct Broken : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace vipd::stress
