// The history of configurations: it keeps and finds them, and a damaged file stops nothing.
#include <fstream>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"
#include "vipd/load/config_history.hpp"
#include "vipd/os/file_store.hpp"

using namespace vipd;
using vipd::test::TemporaryDirectory;

namespace {

FileStore store;

std::vector<ConfigSource> files(const std::string& text) {
  return {{"/etc/vipd/vipd.toml", text}, {"/etc/vipd/conf.d/a.toml", "# a\n"}};
}

}  // namespace

TEST_CASE("ConfigHistory: what was kept comes back, with its files, time and hash", "[daemon][history]") {
  const TemporaryDirectory directory;
  ConfigHistory history(store, directory.path() + "/history");
  CHECK(history.list().empty());
  CHECK(history.keep(files("one"), "2026-01-01T00:00:00.000Z") == 1u);
  CHECK(history.keep(files("two"), "2026-01-02T00:00:00.000Z") == 2u);
  const auto kept = ConfigHistory(store, directory.path() + "/history").list();
  REQUIRE(kept.size() == 2);
  CHECK(kept[0].number == 1);
  CHECK(kept[0].time == "2026-01-01T00:00:00.000Z");
  CHECK(kept[0].sha256.size() == 64);
  CHECK(kept[0].sha256 != kept[1].sha256);
  REQUIRE(kept[1].files.size() == 2);
  CHECK(kept[1].files[0].name == "/etc/vipd/vipd.toml");
  CHECK(kept[1].files[0].text == "two");
}

TEST_CASE("ConfigHistory: the same again is not kept twice, an older one is", "[daemon][history]") {
  const TemporaryDirectory directory;
  ConfigHistory history(store, directory.path());
  CHECK(history.keep(files("one"), "t") == 1u);
  CHECK(history.keep(files("one"), "t") == 1u);
  CHECK(history.keep(files("two"), "t") == 2u);
  CHECK(history.keep(files("one"), "t") == 3u);
}

TEST_CASE("ConfigHistory: ten are kept, numbers go on", "[daemon][history]") {
  const TemporaryDirectory directory;
  ConfigHistory history(store, directory.path());
  for (int i = 1; i <= 25; ++i) REQUIRE(history.keep(files(std::to_string(i)), "t") == std::uint64_t(i));
  const auto kept = history.list();
  REQUIRE(kept.size() == ConfigHistory::kKept);
  CHECK(kept.front().number == 16);
  CHECK(kept.back().files[0].text == "25");
}

TEST_CASE("ConfigHistory: the older ones can be dropped", "[daemon][history]") {
  const TemporaryDirectory directory;
  ConfigHistory history(store, directory.path());
  history.drop_older();
  for (const char* text : {"one", "two", "three"}) REQUIRE(history.keep(files(text), "t"));
  history.drop_older();
  REQUIRE(history.list().size() == 1);
  CHECK(history.list()[0].files[0].text == "three");
  CHECK(history.keep(files("four"), "t") == 4u);
}

TEST_CASE("ConfigHistory: a damaged or foreign file is passed over", "[daemon][history]") {
  const TemporaryDirectory directory;
  ConfigHistory history(store, directory.path());
  REQUIRE(history.keep(files("one"), "t") == 1u);
  REQUIRE(history.keep(files("two"), "t") == 2u);
  std::ofstream(directory.path() + "/2.json") << "{\"schema\":\"vipd.kept-config/1\",\"time\":7}";
  std::ofstream(directory.path() + "/notes.txt") << "mine";
  REQUIRE(history.list().size() == 1);
  CHECK(history.keep(files("three"), "t") == 3u);
  CHECK(history.list().size() == 2);

  std::ofstream(directory.path() + "/4.json")
      << R"({"schema":"vipd.kept-config/1","time":"t","sha256":"0","files":[{"path":"/x","text":"forged"}]})";
  CHECK(history.list().size() == 2);
}

TEST_CASE("ConfigHistory: a directory that cannot be written is an error that names it", "[daemon][history]") {
  ConfigHistory history(store, "/proc/vipd");
  const auto kept = history.keep(files("one"), "t");
  REQUIRE_FALSE(kept.has_value());
  CHECK(kept.error().message.find("/proc/vipd") != std::string::npos);
  CHECK(history.list().empty());
}

TEST_CASE("KeptConfig: a record says the same again, and what is no sound record is none", "[daemon][history]") {
  const KeptConfig kept{0, "now", config_hash(files("one")), files("one"),
                        std::vector<std::string>{"/etc/vipd/hooks.d/a"}};
  const std::string record = to_record(kept);
  const auto read = from_record(record);
  REQUIRE(read);
  CHECK(read->files == kept.files);
  CHECK(read->hooks == kept.hooks);
  CHECK_FALSE(from_record(to_record({0, "now", kept.sha256, kept.files}))->hooks);
  const auto with = [&](const std::string& part, const std::string& other) {
    std::string text = record;
    return from_record(text.replace(text.find(part), part.size(), other));
  };
  CHECK_FALSE(with("one", "two"));  // another hash
  CHECK_FALSE(with("kept-config/1", "kept-config/2"));
  CHECK_FALSE(with("[\"/etc/vipd/hooks.d/a\"]", "7"));
  CHECK_FALSE(with("[\"/etc/vipd/hooks.d/a\"]", "[7]"));
  CHECK_FALSE(from_record(record.substr(0, record.size() / 2)));
  CHECK_FALSE(from_record(""));
  CHECK_FALSE(from_record(std::string(100'000, '[')));
}

TEST_CASE("KeptConfig: a record with more than files may have is none", "[daemon][history]") {
  const auto sound = [](const std::vector<ConfigSource>& all) {
    return from_record(to_record({0, "now", config_hash(all), all})).has_value();
  };
  CHECK_FALSE(sound({}));
  CHECK(sound(std::vector<ConfigSource>(257, {"a.toml", ""})));
  CHECK_FALSE(sound(std::vector<ConfigSource>(258, {"a.toml", ""})));
  CHECK(sound(std::vector<ConfigSource>(8, {"a.toml", std::string(1 << 20, '#')})));
  CHECK_FALSE(sound(std::vector<ConfigSource>(9, {"a.toml", std::string(1 << 20, '#')})));
}
