#include "vipd/config/check_kinds.hpp"

#include "vipd/config/check_program.hpp"
#include "vipd/config/rows.hpp"

namespace vipd {

namespace {

using namespace rows;

using Words = std::vector<std::string>;

constexpr std::size_t kKinds = std::variant_size_v<decltype(CheckConfig::kind)>;

/// A row of the table. `Ask` makes the command for vipd-runner from the kind's data and the check's rules.
template <typename Kind, typename Ask>
CheckKind kind(Ask, Keys<CheckConfig> keys, bool delivers_weight = false) {
  return {std::move(keys),
          [](const CheckConfig& check) -> Words { return Ask{}(std::get<Kind>(check.kind), check.rules); },
          delivers_weight};
}

/// A key that belongs to one kind.
template <typename Kind, auto member>
Key<CheckConfig> key_of(std::string_view name, std::string_view summary, const KeyOptions& options = {}) {
  return key<CheckConfig, AsKind<Kind>{}, member>(name, summary, options);
}

std::string probe(std::string_view name) { return std::string(kProbe).append(name); }

std::array<CheckKind, kKinds> make_kinds() {
  return {
      kind<CommandCheck>([](const CommandCheck& check, const CheckRules&) { return check.arguments; },
                         {key_of<CommandCheck, &CommandCheck::arguments>(
                             "command", "passes when the program ends with exit status 0", {.form = Form::command})},
                         true),
      kind<ProcessCheck>(
          [](const ProcessCheck& check, const CheckRules&) {
            return Words{std::string(kCountProcesses), check.program, std::to_string(check.count)};
          },
          {key_of<ProcessCheck, &ProcessCheck::program>("process", "passes when so many processes run it",
                                                        {.form = Form::process}),
           key_of<ProcessCheck, &ProcessCheck::count>("count", "of process: how many at least",
                                                      {.initial = "1", .range = between(1, 100'000)})}),
      kind<UnitCheck>(
          [](const UnitCheck& check, const CheckRules&) { return Words{probe("unit"), check.name}; },
          {key_of<UnitCheck, &UnitCheck::name>("unit", "passes when the unit is active", {.form = Form::unit})}),
      kind<FileCheck>(
          [](const FileCheck& check, const CheckRules& rules) {
            return Words{probe("file"), check.path, rules.delivers_weight ? "content" : ""};
          },
          {key_of<FileCheck, &FileCheck::path>("file", "passes when the file is there", {.form = Form::file})}, true),
      kind<InterfaceCheck>(
          [](const InterfaceCheck&, const CheckRules&) { return Words{}; },
          {key_of<InterfaceCheck, &InterfaceCheck::name>(
              "interface", "passes when the interface is there, up, and has a carrier", {.form = Form::interface})}),
      kind<TcpCheck>([](const TcpCheck& check, const CheckRules&) { return Words{probe("tcp"), check.target}; },
                     {key_of<TcpCheck, &TcpCheck::target>("tcp", "passes when a connection is taken",
                                                          {.form = Form::host_and_port})}),
      kind<HttpCheck>(
          [](const HttpCheck& check, const CheckRules&) {
            return Words{probe("http"), check.url, std::to_string(check.status), check.contains};
          },
          {key_of<HttpCheck, &HttpCheck::url>("http", "passes when it is answered well", {.form = Form::url}),
           key_of<HttpCheck, &HttpCheck::status>("status",
                                                 "of http: the status that is expected; by default any of 200 to 399",
                                                 {.range = between(100, 599)}),
           key_of<HttpCheck, &HttpCheck::contains>("contains", "of http: the body has to contain it",
                                                   {.form = Form::any_text})}),
      kind<PingCheck>(
          [](const PingCheck& check, const CheckRules&) {
            return check.address ? Words{probe("ping"), check.address->to_string()} : Words{};
          },
          {key_of<PingCheck, &PingCheck::address>("ping", "passes when the address answers an ICMP echo request")}),
  };
}

}  // namespace

std::span<const CheckKind> check_kinds() {
  static const auto kinds = make_kinds();
  return kinds;
}

const CheckKind& kind_of(const CheckConfig& check) { return check_kinds()[check.kind.index()]; }

std::vector<std::string> program_of(const CheckConfig& check) { return kind_of(check).program(check); }

bool is_built_in(const std::vector<std::string>& arguments) {
  return !arguments.empty() && (arguments[0].starts_with(kProbe) || arguments[0] == kCountProcesses);
}

}  // namespace vipd
