// The code has the table of docs/decisions/0018, cell by cell.
#include "vipd/daemon/lifecycle.hpp"

#include <fstream>
#include <map>
#include <sstream>

#include "support/catch.hpp"

using namespace vipd;

namespace {

constexpr std::array<Phase, kPhases> kAllPhases = {Phase::starting, Phase::serving, Phase::on_trial,
                                                   Phase::handing_over, Phase::stopping};

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(' ');
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

/// The cells of a row: {"a", "b"} for "| a | b |".
std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream stream(line.substr(1));
  for (std::string cell; std::getline(stream, cell, '|');) cells.push_back(trimmed(cell));
  return cells;
}

/// The table of the page: its cells by "`event`".
std::map<std::string, std::vector<std::string>> table_of_the_page() {
  std::ifstream page(VIPD_SOURCE_DIR "/docs/decisions/0018-a-stop-is-final.md");
  REQUIRE(page.good());
  std::map<std::string, std::vector<std::string>> rows;
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| `")) continue;
    auto cells = cells_of(line);
    const std::string event = cells.front().substr(1, cells.front().find('`', 1) - 1);
    cells.erase(cells.begin());
    REQUIRE(rows.emplace(event, std::move(cells)).second);
  }
  return rows;
}

/// A cell as the page shows it.
std::string shown(Phase phase, LifeEvent event) {
  const Cell& cell = kLifecycle[static_cast<std::size_t>(event)][static_cast<std::size_t>(phase)];
  if (!cell.goes) return "no: " + std::string(cell.refusal);
  return cell.next == phase ? "yes" : "yes, then " + std::string(to_string(cell.next));
}

/// Brings a new Lifecycle to a phase.
Lifecycle at(Phase phase) {
  Lifecycle life;
  if (phase == Phase::starting) return life;
  REQUIRE(life.take(LifeEvent::started));
  if (phase == Phase::on_trial) REQUIRE(life.take(LifeEvent::trial_begun));
  if (phase == Phase::handing_over) REQUIRE(life.take(LifeEvent::reexec));
  if (phase == Phase::stopping) REQUIRE(life.take(LifeEvent::stop));
  REQUIRE(life.phase() == phase);
  return life;
}

}  // namespace

TEST_CASE("Lifecycle: each cell is what the decision shows, and none is empty") {
  const auto page = table_of_the_page();
  CHECK(page.size() == kEvents);
  for (std::size_t i = 0; i < kEvents; ++i) {
    const auto event = static_cast<LifeEvent>(i);
    const auto row = page.find(std::string(to_string(event)));
    CAPTURE(to_string(event));
    REQUIRE(row != page.end());
    REQUIRE(row->second.size() == kPhases);
    for (const Phase phase : kAllPhases) {
      CAPTURE(to_string(phase));
      const Cell& cell = kLifecycle[i][static_cast<std::size_t>(phase)];
      CHECK(cell.goes == cell.refusal.empty());  // a forgotten cell would have neither
      CHECK(row->second[static_cast<std::size_t>(phase)] == shown(phase, event));
    }
  }
}

TEST_CASE("Lifecycle: each event in each phase leads where its cell says, or nowhere with the cell's words") {
  for (std::size_t i = 0; i < kEvents; ++i)
    for (const Phase phase : kAllPhases) {
      const auto event = static_cast<LifeEvent>(i);
      CAPTURE(to_string(event), to_string(phase));
      const Cell& cell = kLifecycle[i][static_cast<std::size_t>(phase)];
      Lifecycle life = at(phase);
      const auto allowed = life.allows(event);
      CHECK(life.phase() == phase);
      const auto taken = life.take(event);
      CHECK(allowed.has_value() == cell.goes);
      CHECK(taken.has_value() == cell.goes);
      CHECK(life.phase() == (cell.goes ? cell.next : phase));
      if (!taken) CHECK(taken.error().message == cell.refusal);
    }
}

TEST_CASE("Lifecycle: nothing leads out of a stop, and nothing but looking is answered in it") {
  for (std::size_t i = 0; i < kEvents; ++i) {
    Lifecycle life = at(Phase::stopping);
    CHECK(life.take(static_cast<LifeEvent>(i)).has_value() == (static_cast<LifeEvent>(i) == LifeEvent::look));
    CHECK(life.phase() == Phase::stopping);
  }
}

TEST_CASE("Lifecycle: a trial is left by its confirmation, its way back or a stop, and by nothing else") {
  for (std::size_t i = 0; i < kEvents; ++i) {
    Lifecycle life = at(Phase::on_trial);
    const auto event = static_cast<LifeEvent>(i);
    (void)life.take(event);
    const bool leaves = event == LifeEvent::confirm || event == LifeEvent::trial_expired ||
                        event == LifeEvent::trial_undone || event == LifeEvent::stop;
    CHECK((life.phase() != Phase::on_trial) == leaves);
  }
}
