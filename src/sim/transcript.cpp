#include "vipd/sim/transcript.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "vipd/config/parse.hpp"
#include "vipd/sim/phrases.hpp"
#include "vipd/sim/scenario_config.hpp"
#include "vipd/sim/sim_kernel.hpp"

namespace vipd::sim {
namespace {

constexpr std::size_t kMostText = std::size_t{1} << 20;  // octets of a transcript

std::string_view without_blanks(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") + 1 - begin);
}

/// Takes the first word off `text`.
std::string_view take_word(std::string_view& text) {
  text = without_blanks(text);
  const std::string_view word = text.substr(0, text.find_first_of(" \t"));
  text = without_blanks(text.substr(word.size()));
  return word;
}

bool is_name(std::string_view name) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
  constexpr std::string_view kKeywords[] = {"cut", "mend", "loss", "delay", "stranger", "show"};
  return !name.empty() && name.size() <= 32 && name.find_first_not_of(kAllowed) == std::string_view::npos &&
         name.find_first_not_of('-') != std::string_view::npos &&
         std::ranges::find(kKeywords, name) == std::end(kKeywords);
}

/// Reads one text. The first fault is kept in `error_`, and nothing is read after it.
class Reader {
 public:
  Reader(std::string_view text, std::span<const NodeFile> given) : rest_(text) {
    if (text.size() > kMostText) fail("the text is longer than 1 MiB: leave something out");
    for (const NodeFile& file : given) take_given(file);
  }

  Result<Transcript> read() {
    while (!error_ && !done_ && next_line()) read_statement();
    if (!error_) finish();
    if (error_) return failure(*error_);
    return std::move(transcript_);
  }

 private:
  void fail(const std::string& what) { fail_at(number_, what); }
  void fail_at(int line, const std::string& what) {
    if (!error_) error_ = fmt::format("line {}: {}", line, what);
  }

  bool next_line() {
    if (rest_.empty()) return false;
    ++number_;
    const std::size_t end = rest_.find('\n');
    line_ = rest_.substr(0, end);
    const std::size_t used = end == std::string_view::npos ? rest_.size() : end + 1;
    transcript_.scenario += rest_.substr(0, used);
    rest_.remove_prefix(used);
    return true;
  }

  /// Reads lines that begin with a blank, and empty lines between them.
  ScenarioLines indented() {
    ScenarioLines lines;
    while (!rest_.empty()) {
      const std::string_view next = rest_.substr(0, rest_.find('\n'));
      const bool empty = without_blanks(next).empty();
      if (!empty && next[0] != ' ' && next[0] != '\t') break;
      next_line();
      if (!empty) lines.push_back({std::string(without_blanks(line_)), number_});
    }
    return lines;
  }

  void read_statement() {
    std::string_view rest = line_;
    if (without_blanks(rest).empty() || rest[0] == '#') return;
    if (rest[0] == ' ' || rest[0] == '\t')
      return fail("this line is indented, but the line above takes no lines of a configuration: begin it at the left");
    const std::string_view word = take_word(rest);
    if (word == "seed") return read_seed(rest);
    if (word == "show") return read_show(rest);
    if (word == "node") return read_node(rest);
    if (word == "at") return read_at(rest);
    if (word == "every") return read_every(rest);
    if (word == "until") return read_until(rest);
    if (word == "expect") return read_expect(rest);
    fail(fmt::format("\"{}\" is not the first word of a statement: use seed, show, node, at, every, until or expect",
                     printable(word)));
  }

  void read_seed(std::string_view rest) {
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), transcript_.seed);
    if (error != std::errc() || end != rest.data() + rest.size() || rest.empty())
      fail("a seed is a number without a sign: \"seed 1\"");
  }

  void read_show(std::string_view rest) {
    if (rest != "announcements") return fail("only \"show announcements\" is known here");
    transcript_.shows_announcements = true;
  }

  // --- nodes

  void take_given(const NodeFile& file) {
    ScenarioLines lines;
    int number = 0;
    for (std::string_view rest = file.toml; !rest.empty();) {
      const std::size_t end = rest.find('\n');
      lines.push_back({std::string(rest.substr(0, end)), ++number});
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    add_node(file.name, false, std::move(lines));
    if (error_) error_ = file.name + ": " + *error_;
  }

  /// node NAME [like NAME] [off]
  void read_node(std::string_view rest) {
    const int line = number_;
    const std::string name(take_word(rest));
    if (!is_name(name))
      return fail(
          "a node needs a name of letters, digits, dots and dashes, which is not a word of a scenario: \"node lb1\"");
    std::optional<std::size_t> model;
    bool off = false;
    while (!rest.empty() && !error_) {
      const std::string_view word = take_word(rest);
      if (word == "off") {
        off = true;
      } else if (word == "like") {
        model = find_node(take_word(rest));
        if (!model) fail("\"like\" needs the name of a node that stands above" + known_nodes());
      } else {
        fail(fmt::format("\"{}\" is not known behind a node's name: use \"like NODE\" or \"off\"", printable(word)));
      }
    }
    ScenarioLines lines = indented();
    if (error_) return;
    if (model) {
      auto amended = amend(texts_[*model], lines);
      if (!amended) return take_error(amended.error());
      lines = std::move(*amended);
    }
    if (lines.empty())
      return fail_at(line, "the node has no configuration: write it below, indented, or \"like NODE\"");
    add_node(name, off, std::move(lines));
  }

  void add_node(const std::string& name, bool off, ScenarioLines lines) {
    if (error_) return;
    if (find_node(name)) return fail(fmt::format("there is a node {} already: give this one another name", name));
    if (texts_.size() == kMostScenarioNodes) return fail(fmt::format("there are {} nodes at most", kMostScenarioNodes));
    names_.push_back(name);
    auto config = judge(lines, name);
    texts_.push_back(std::move(lines));
    if (!config) return take_error(config.error());
    transcript_.nodes.push_back({.name = name, .off = off, .config = *config, .ever = config->instances});
  }

  void take_error(const Error& error) {
    if (!error_) error_ = error.message;
  }

  std::optional<std::size_t> find_node(std::string_view name) const {
    const auto found = std::ranges::find(names_, name);
    return found == names_.end() ? std::nullopt : std::optional<std::size_t>(found - names_.begin());
  }

  std::string known_nodes() const {
    return names_.empty() ? "" : fmt::format(": there is {}", fmt::join(names_, ", "));
  }

  // --- events

  std::optional<Duration> time_of(std::string_view word, const char* example) {
    const auto time = parse_scenario_time(word);
    if (!time)
      fail(fmt::format("\"{}\" is not a time: write it as 250ms, 10.3s, 2m or 1h, and 24h at most, as in \"{}\"",
                       printable(word), example));
    return time;
  }

  bool expect_word(std::string_view word, std::string_view wanted, const char* example) {
    if (word == wanted) return true;
    fail(fmt::format("write \"{}\" in place of \"{}\", as in \"{}\"", wanted, printable(word), example));
    return false;
  }

  void read_at(std::string_view rest) {
    const auto time = time_of(take_word(rest), "at 10s lb1 stop");
    if (time) add_happening({.at = *time, .period = {}, .last = *time, .words = {}, .deed = {}}, rest);
  }

  void read_every(std::string_view rest) {
    constexpr const char* kExample = "every 5s from 10s until 1m lb1 address 192.0.2.10 deleted";
    const auto period = time_of(take_word(rest), kExample);
    if (!period || !expect_word(take_word(rest), "from", kExample)) return;
    const auto first = time_of(take_word(rest), kExample);
    if (!first || !expect_word(take_word(rest), "until", kExample)) return;
    const auto last = time_of(take_word(rest), kExample);
    if (!last) return;
    if (*period < kLeastPeriod) return fail("the period is 1ms at least");
    if (*last < *first) return fail("\"until\" comes before \"from\": let it end later than it begins");
    add_happening({.at = *first, .period = *period, .last = *last, .words = {}, .deed = {}}, rest);
  }

  void add_happening(Happening happening, std::string_view words) {
    happening.line = number_;
    while (!words.empty()) happening.words += (happening.words.empty() ? "" : " ") + std::string(take_word(words));
    if (!transcript_.happenings.empty() && happening.at < transcript_.happenings.back().at)
      return fail(fmt::format("this happens before line {}: put the lines in the order of their times",
                              transcript_.happenings.back().line));
    const auto times = happening.period == Duration::zero() ? 0 : (happening.last - happening.at) / happening.period;
    count_ += 1 + static_cast<std::size_t>(times);
    if (count_ > kMostHappenings)
      return fail(fmt::format("more than {} things happen: leave some out", kMostHappenings));
    auto understood = understand(happening.words, names_);
    if (!understood) return fail(understood.error().message);
    const ScenarioLines lines = indented();
    if (!lines.empty()) take_lines(*understood, lines, happening.line);
    if (error_) return;
    happening.deed = understood->phrase->make(understood->spoken);
    transcript_.happenings.push_back(std::move(happening));
  }

  /// Gives the files of a node other lines from now on.
  void take_lines(Understood& understood, const ScenarioLines& lines, int line) {
    if (!understood.phrase->takes_lines)
      return fail_at(line + 1, "only \"NODE start\" and \"NODE reload\" take lines of a configuration");
    const std::size_t node = understood.spoken.nodes.front();
    auto amended = amend(texts_[node], lines);
    if (!amended) return take_error(amended.error());
    auto config = judge(*amended, names_[node]);
    if (!config) return take_error(config.error());
    texts_[node] = std::move(*amended);
    auto& ever = transcript_.nodes[node].ever;
    ever.insert(ever.end(), config->instances.begin(), config->instances.end());
    understood.spoken.config = std::make_shared<const Config>(std::move(*config));
  }

  // --- the end

  void read_until(std::string_view rest) {
    const auto time = time_of(take_word(rest), "until 30s");
    if (!time) return;
    if (!rest.empty()) return fail("nothing stands behind the time of \"until\"");
    if (has_end_) return fail("the scenario has an end already: leave one \"until\"");
    has_end_ = true;
    transcript_.length = *time;
  }

  void read_expect(std::string_view rest) {
    if (rest == "overlap") {
      transcript_.may_overlap = true;
    } else if (rest == "split") {
      transcript_.may_split = true;
    } else if (rest == "no gap") {
      transcript_.has_no_gap = true;
    } else if (rest.empty()) {
      done_ = true;
      transcript_.expected = std::string(rest_);
    } else {
      fail(fmt::format(
          "\"expect {}\" is not known: \"overlap\", \"split\", \"no gap\", or nothing, and the timeline below",
          printable(rest)));
    }
  }

  void finish() {
    if (names_.empty()) return fail("there is no node: begin with \"node lb1\" and its configuration, indented");
    if (!has_end_) return fail("a line \"until TIME\" is missing: it says when the run ends");
    for (const Happening& each : transcript_.happenings)
      if (each.last > transcript_.length)
        return fail_at(each.line, "this happens after the end: let \"until\" say a later time");
    if (!done_) transcript_.scenario += transcript_.scenario.ends_with('\n') ? "expect\n" : "\nexpect\n";
    if (!transcript_.scenario.ends_with('\n')) transcript_.scenario += '\n';
  }

  std::string_view rest_;
  std::string_view line_;
  int number_ = 0;
  Transcript transcript_;
  std::vector<std::string> names_;    // names of the nodes
  std::vector<ScenarioLines> texts_;  // lines of the nodes' files at this point of the scenario
  std::size_t count_ = 0;             // number of events, repetitions included
  bool has_end_ = false, done_ = false;
  std::optional<std::string> error_;
};

}  // namespace

std::optional<Duration> parse_scenario_time(std::string_view text) {
  struct Unit {
    std::string_view name;
    Duration length;
  };
  constexpr Unit kUnits[] = {{"us", std::chrono::microseconds(1)},
                             {"ms", std::chrono::milliseconds(1)},
                             {"s", std::chrono::seconds(1)},
                             {"m", std::chrono::minutes(1)},
                             {"h", std::chrono::hours(1)}};
  constexpr std::string_view kDigits = "0123456789";
  const std::size_t whole = std::min(text.find_first_not_of(kDigits), text.size());
  std::string_view fraction = text.substr(whole);
  if (fraction.starts_with('.')) {
    const std::size_t end = std::min(fraction.find_first_not_of(kDigits, 1), fraction.size());
    fraction = fraction.substr(0, end);
    if (fraction.size() < 2) return std::nullopt;
  } else {
    fraction = {};
  }
  const std::string_view unit = text.substr(whole + fraction.size());
  const auto found = std::ranges::find(kUnits, unit, &Unit::name);
  if (whole == 0 || whole > 9 || fraction.size() > 7 || found == std::end(kUnits)) return std::nullopt;
  std::int64_t digits = 0;
  for (const char digit : std::string(text.substr(0, whole))) digits = 10 * digits + (digit - '0');
  if (digits > kLongestScenario / found->length) return std::nullopt;
  Duration time = digits * found->length;
  std::int64_t scale = 10;
  for (const char digit : fraction.substr(std::min<std::size_t>(1, fraction.size()))) {
    time += (digit - '0') * found->length / scale;
    scale *= 10;
  }
  return time <= kLongestScenario ? std::optional(time) : std::nullopt;
}

Result<Transcript> read_transcript(std::string_view text, std::span<const NodeFile> given) {
  return Reader(text, given).read();
}

}  // namespace vipd::sim
