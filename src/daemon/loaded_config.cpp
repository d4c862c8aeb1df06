#include "vipd/daemon/loaded_config.hpp"

#include <iterator>
#include <utility>

#include "vipd/daemon/config_files.hpp"
#include "vipd/daemon/programs.hpp"

namespace vipd {
namespace {

void append(std::vector<Diagnostic>& to, std::vector<Diagnostic> more) {
  to.insert(to.end(), std::move_iterator(more.begin()), std::move_iterator(more.end()));
}

}  // namespace

std::string LoadedConfig::report(bool color) const {
  const std::string more = omitted == 0 ? "" : "and " + std::to_string(omitted) + " more\n";
  return render(diagnostics, sources, color) + more;
}

Result<LoadedConfig> load_config(const std::string& path, Purpose purpose) {
  auto files = read_config_files(path);
  if (!files) return std::unexpected(files.error());
  ParsedConfig parsed = parse_config(files->sources, host_name());
  if (parsed.config) parsed.config->hooks_d = files->hooks;
  add_shared_hooks(files->hooks, parsed.programs);
  LoadedConfig loaded{std::move(files->sources), std::move(files->permissions), std::move(parsed.config),
                      parsed.omitted, std::move(parsed.overrides)};
  if (purpose == Purpose::run && !loaded.diagnostics.empty()) {
    for (Diagnostic& one : loaded.diagnostics) one.severity = Severity::error;
    loaded.config.reset();
  }
  append(loaded.diagnostics, std::move(parsed.diagnostics));
  if (!loaded.config || purpose == Purpose::clean_up) return loaded;
  std::vector<Diagnostic> unfit = check_programs(parsed.programs);
  if (!unfit.empty()) loaded.config.reset();
  append(loaded.diagnostics, std::move(unfit));
  return loaded;
}

}  // namespace vipd
