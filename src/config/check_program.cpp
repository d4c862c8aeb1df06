#include "vipd/config/check_program.hpp"

namespace vipd {

std::vector<std::string> program_of(const CheckConfig& check) {
  if (!check.command.empty()) return check.command;
  const auto probe = [](const char* kind) { return std::string(kProbe) + kind; };
  if (!check.process.empty()) return {std::string(kCountProcesses), check.process, std::to_string(check.count)};
  if (!check.unit.empty()) return {probe("unit"), check.unit};
  if (!check.file.empty()) return {probe("file"), check.file, check.rules.delivers_weight ? "content" : ""};
  if (!check.tcp.empty()) return {probe("tcp"), check.tcp};
  if (!check.http.empty()) return {probe("http"), check.http, std::to_string(check.status), check.contains};
  if (check.ping) return {probe("ping"), check.ping->to_string()};
  return {};
}

bool is_built_in(const std::vector<std::string>& arguments) {
  return !arguments.empty() && (arguments[0].starts_with(kProbe) || arguments[0] == kCountProcesses);
}

}  // namespace vipd
