/// The programs that a configuration names: nothing else is ever run.
///
/// Two questions are answered here. May the programs be run? `vipd --check` and the start answer with diagnostics at
/// the programs' places. Does a request name one of them? vipd-runner asks that before it runs anything.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "vipd/config/parse.hpp"

namespace vipd {

/// Adds the programs of hooks.d as if the configuration named them; their place is the beginning of the main file.
void add_shared_hooks(const std::vector<std::string>& paths, std::vector<NamedProgram>& programs);

/// The diagnostics of the files of the programs; each path has one at most, where it stands first.
std::vector<Diagnostic> check_programs(std::span<const NamedProgram> programs);

/// A warning for each check of the kind `process` that cannot pass as the machine is now.
std::vector<Diagnostic> check_processes(std::span<const NamedProgram> programs);

/// True if these are the arguments of one of `programs`. A program with `notify` must have the four words of a notify
/// script behind them, INSTANCE|GROUP NAME MASTER|BACKUP|FAULT|STOP PRIORITY; another program must not.
bool is_named(std::span<const NamedProgram> programs, std::span<const std::string> arguments);

/// True if a program may get this environment, which has only VIPD_* variables: LD_PRELOAD or BASH_ENV would turn it
/// into another program.
bool is_harmless(std::span<const std::string> environment);

}  // namespace vipd
