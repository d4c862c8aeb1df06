// Records: the reader reads whole records, and nothing else.
#include "vipd/base/record.hpp"

#include <cstring>

#include "support/catch.hpp"

using namespace vipd;

namespace {

std::string file_of(const std::vector<Record>& records) {
  std::string octets;
  for (const Record& record : records) octets += to_octets(record);
  return octets;
}

const std::vector<Record> kThree = {{"first", 7}, {"", 0}, {std::string("the \0 third", 11), ~0ULL}};

/// The first `count` records of kThree.
std::vector<Record> first(std::size_t count) { return {kThree.begin(), kThree.begin() + std::ptrdiff_t(count)}; }

}  // namespace

TEST_CASE("CRC-32C: the examples of RFC 3720, appendix B.4") {
  CHECK(crc32c(std::string(32, '\0')) == 0x8A9136AA);
  CHECK(crc32c(std::string(32, '\xff')) == 0x62A8AB43);
  std::string up, down;
  for (char i = 0; i < 32; ++i) up.push_back(i), down.push_back(static_cast<char>(31 - i));
  CHECK(crc32c(up) == 0x46DD794E);
  CHECK(crc32c(down) == 0x113FDB5C);
  CHECK(crc32c("123456789") == 0xE3069283);
}

TEST_CASE("Records: what was written is read") {
  const Records read = read_records(file_of(kThree));
  CHECK(read.whole == kThree);
  CHECK(read.ending == Ending::whole);
  CHECK(read.rest.empty());
  CHECK(read_records("").ending == Ending::whole);
  CHECK(to_octets({"first", 7}).substr(0, 8) == std::string("vipd\1\0\0\0", 8));
}

TEST_CASE("Records: of a file whose end is missing, all whole records are read, and where it stops is said") {
  const std::string octets = file_of(kThree);
  for (std::size_t size = 0; size <= octets.size(); ++size) {
    std::size_t whole = 0;
    while (whole < kThree.size() && file_of(first(whole + 1)).size() <= size) ++whole;
    const Records read = read_records(octets.substr(0, size));
    CAPTURE(size, whole);
    REQUIRE(read.whole == first(whole));
    REQUIRE(read.rest == octets.substr(file_of(first(whole)).size(), size - file_of(first(whole)).size()));
    REQUIRE((read.ending == Ending::whole) == read.rest.empty());
    REQUIRE(read.ending != Ending::damaged);
  }
}

TEST_CASE("Records: each flipped bit is found, and is no missing end; a mark's are its owner's") {
  const std::string octets = file_of(kThree);
  std::size_t begin = 0;
  for (std::size_t record = 0; record < kThree.size(); ++record) {
    const std::size_t end = file_of(first(record + 1)).size();
    for (std::size_t at = begin; at < end; ++at)
      for (int bit = 0; bit < 8; ++bit) {
        std::string damaged = octets;
        damaged[at] = static_cast<char>(octets[at] ^ (1 << bit));
        const Records read = read_records(damaged);
        const bool in_mark = at - begin >= kMarkAt && at - begin < kMarkAt + sizeof(std::uint64_t);
        CAPTURE(record, at, bit);
        REQUIRE((read.ending == Ending::whole) == in_mark);
        if (in_mark) {
          REQUIRE(read.whole.size() == kThree.size());
          REQUIRE(read.whole[record].payload == kThree[record].payload);
        } else {
          REQUIRE(read.ending == Ending::damaged);
          REQUIRE(read.whole == first(record));
        }
      }
    begin = end;
  }
}

TEST_CASE("Records: of another version, or foreign octets, nothing is read") {
  const std::string sound = to_octets({"text"});
  std::string later = sound;
  later[4] = 2;
  for (const std::string& octets : {later, std::string("{}"), std::string("v1"), std::string(1000, '\0')}) {
    const Records read = read_records(octets);
    CHECK(read.whole.empty());
    CHECK(read.ending == Ending::damaged);
    CHECK(read.rest == octets);
  }
  CHECK(read_records(sound + "x").ending == Ending::damaged);
}

TEST_CASE("Records: a text is the only record, or stands alone as vipd 0.1.0 has left it") {
  CHECK(only_text(read_records(to_octets({"{}"}))) == "{}");
  CHECK(only_text(read_records("{}")) == "{}");
  CHECK(only_text(read_records("")).empty());
  CHECK(only_text(read_records(file_of(kThree))).empty());
  CHECK(only_text(read_records(to_octets({"{}"}) + "{}")).empty());
}
