/// The programs that a configuration names: nothing else is ever run.
///
/// Two questions about them. Are they fit to be run, which `vipd --check` and the start answer with diagnostics at
/// their places; and does a request name one of them, which vipd-runner asks before it runs anything.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "vipd/config/parse.hpp"

namespace vipd {

/// The programs of hooks.d as if the configuration had named them; their place is the beginning of the main file.
void add_shared_hooks(const std::vector<std::string>& paths, std::vector<NamedProgram>& programs);

/// What is wrong with the files of the programs; each path is complained of once, where it stands first.
std::vector<Diagnostic> check_programs(std::span<const NamedProgram> programs);

/// A warning for each check of `process` that cannot pass as the machine is now.
std::vector<Diagnostic> check_processes(std::span<const NamedProgram> programs);

/// Are these the arguments of one of `programs`, with the four words of a notify script behind them exactly where such
/// are appended: INSTANCE|GROUP NAME MASTER|BACKUP|FAULT|STOP PRIORITY?
bool is_named(std::span<const NamedProgram> programs, std::span<const std::string> arguments);

/// May a program be given this environment? Only VIPD_* variables: LD_PRELOAD or BASH_ENV would make another program of
/// it.
bool is_harmless(std::span<const std::string> environment);

}  // namespace vipd
