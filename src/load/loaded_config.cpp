#include "vipd/load/loaded_config.hpp"

#include <net/if.h>

#include <iterator>
#include <span>
#include <utility>

#include "vipd/load/config_files.hpp"
#include "vipd/load/programs.hpp"
#include "vipd/os/link_flags.hpp"
#include "vipd/os/log.hpp"

namespace vipd {
namespace {

void insert(std::vector<Diagnostic>& list, std::vector<Diagnostic>::iterator where, std::vector<Diagnostic> more) {
  list.insert(where, std::move_iterator(more.begin()), std::move_iterator(more.end()));
}

/// Warnings about interfaces that this machine has. The files may be for another machine, and an interface may change.
std::vector<Diagnostic> check_interfaces(std::span<const NamedInterface> interfaces) {
  std::vector<Diagnostic> diagnostics;
  for (const NamedInterface& interface : interfaces) {
    const auto flags = link_flags(interface.name);
    if (!interface.needs_multicast || !flags || (*flags & IFF_MULTICAST) != 0) continue;
    diagnostics.push_back(
        {interface.place,
         Severity::warning,
         "interface",
         "interface " + interface.name + " of this machine has no multicast, and there are no \"peers\"",
         "list the addresses of the other nodes: peers = [\"192.0.2.2\"]",
         {}});
  }
  return diagnostics;
}

/// The files as a LoadedConfig that is not yet judged by the machine.
LoadedConfig read(const ConfigFiles& files, const std::string& host) {
  ParsedConfig parsed = parse_config(files.sources, host);
  if (parsed.config) parsed.config->hooks_d = files.hooks;
  add_shared_hooks(files.hooks, parsed.programs);
  return {.sources = files.sources,
          .diagnostics = std::move(parsed.diagnostics),
          .config = parsed.config ? std::make_shared<Config>(*std::move(parsed.config)) : nullptr,
          .omitted = parsed.omitted,
          .overrides = std::move(parsed.overrides),
          .programs = std::move(parsed.programs),
          .interfaces = std::move(parsed.interfaces),
          .host = host,
          .hash = config_hash(files.sources)};
}

/// True if parsing the files again would give the same result. (A configuration that was loaded to run has only the
/// parser's diagnostics: the machine's are errors then.)
bool is_as_before(const LoadedConfig& before, const ConfigFiles& files, const std::string& host, Purpose purpose) {
  return purpose == Purpose::run && before.config && before.sources == files.sources &&
         before.config->hooks_d == files.hooks && before.host == host;
}

/// `loaded`, which was read from `files`, with the diagnostics about its programs and about who may write the files.
LoadedConfig judged(LoadedConfig loaded, ConfigFiles files, Purpose purpose) {
  if (purpose == Purpose::run && !files.permissions.empty()) {
    for (Diagnostic& one : files.permissions) one.severity = Severity::error;
    loaded.config.reset();
  }
  insert(loaded.diagnostics, loaded.diagnostics.begin(), std::move(files.permissions));
  if (!loaded.config || purpose == Purpose::clean_up || purpose == Purpose::go_on) return loaded;
  if (purpose == Purpose::check)
    insert(loaded.diagnostics, loaded.diagnostics.end(), check_interfaces(loaded.interfaces));
  std::vector<Diagnostic> unfit = check_programs(loaded.programs);
  if (!unfit.empty()) loaded.config.reset();
  insert(loaded.diagnostics, loaded.diagnostics.end(), std::move(unfit));
  if (purpose == Purpose::check)  // a daemon that runs learns it from the check itself
    insert(loaded.diagnostics, loaded.diagnostics.end(), check_processes(loaded.programs));
  return loaded;
}

}  // namespace

std::string LoadedConfig::report(bool color) const {
  const std::string more = omitted == 0 ? "" : "and " + std::to_string(omitted) + " more\n";
  return render(diagnostics, sources, color) + more;
}

Result<LoadedConfig> load_config(const std::string& path, Purpose purpose, const LoadedConfig& in_force) {
  auto files = read_config_files(path);
  if (!files) return std::unexpected(files.error());
  const std::string host = host_name();
  LoadedConfig loaded = is_as_before(in_force, *files, host, purpose) ? in_force : read(*files, host);
  loaded.on_disk = true;
  return judged(std::move(loaded), std::move(*files), purpose);
}

void say_overrides(const LoadedConfig& loaded) {
  if (loaded.overrides.starts_with("no"))
    log_warning("{}: it has the values for all nodes; name it with [node] name, or by hostnamectl", loaded.overrides);
  else if (!loaded.overrides.empty())
    log_info("{}", loaded.overrides);
}

/// The permissions of the present files are not judged: these texts come from a record.
LoadedConfig load_kept(const std::string& path, const KeptConfig& kept, Purpose purpose) {
  ConfigFiles files = {.sources = kept.files, .hooks = {}, .permissions = {}};
  files.hooks = kept.hooks ? *kept.hooks : find_shared_hooks(path).value_or(std::vector<std::string>());
  const auto now = read_config_files(path);
  const bool on_disk = now && now->sources == files.sources && now->hooks == files.hooks;
  LoadedConfig loaded = read(files, host_name());
  loaded.on_disk = on_disk;
  return judged(std::move(loaded), std::move(files), purpose);
}

bool say_the_same(const LoadedConfig& files, const LoadedConfig& in_force) {
  if (files.sources != in_force.sources) return false;
  return !files.config || files.config->hooks_d == in_force.config->hooks_d;
}

}  // namespace vipd
