// Compressed files read as what they hold, at any offset, whole or damaged.
#include "forwarder/tail/gz_reader.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <random>

#include "common/runtime/unique_fd.h"
#include "tests/unit/forwarder/tail/tail_bed.h"

namespace ampari {
namespace {

std::string Numbers(size_t lines) {
  std::string text;
  for (size_t i = 0; i < lines; ++i) text += "line " + std::to_string(i * 7919) + "\n";
  return text;
}

std::string ReadFrom(GzReader& reader, uint64_t offset, size_t piece) {
  std::string all, buffer(piece, '\0');
  for (bool at_end = false; !at_end;) {
    const size_t n = reader.ReadAt(offset + all.size(), buffer, &at_end);
    all.append(buffer, 0, n);
  }
  return all;
}

class GzReaderTest : public testing::Test {
 protected:
  UniqueFd Open(const std::string& path) { return UniqueFd(::open(path.c_str(), O_RDONLY)); }
  TempDir directory_;
  const std::string path_ = directory_.File("x.gz");
};

TEST_F(GzReaderTest, AnyOffsetAndPiece) {
  const std::string text = Numbers(100'000);
  WriteGz(path_, text);
  const UniqueFd fd = Open(path_);
  EXPECT_EQ(GzReader::DeclaredSize(fd.get()), text.size());
  for (const size_t piece : {size_t{1000}, size_t{1} << 18}) {
    for (const size_t offset :
         {size_t{0}, size_t{1}, text.size() / 2, text.size() - 1, text.size()}) {
      GzReader reader(fd.get());
      EXPECT_EQ(ReadFrom(reader, offset, piece), text.substr(offset)) << offset << " " << piece;
      EXPECT_TRUE(reader.error().ok());
    }
  }
}

TEST_F(GzReaderTest, BackwardsInflatesAnew) {
  const std::string text = Numbers(50'000);
  WriteGz(path_, text);
  const UniqueFd fd = Open(path_);
  GzReader reader(fd.get());
  EXPECT_EQ(ReadFrom(reader, text.size() - 10, 4096), text.substr(text.size() - 10));
  EXPECT_EQ(ReadFrom(reader, 5, 4096), text.substr(5));
}

TEST_F(GzReaderTest, GoesOnAnewWhenItsMemoryWasGivenBack) {
  const std::string text = Numbers(50'000);
  WriteGz(path_, text);
  const UniqueFd fd = Open(path_);
  GzReader reader(fd.get());
  EXPECT_EQ(ReadFrom(reader, 100'000, 4096), text.substr(100'000));
  reader.Release();
  EXPECT_EQ(ReadFrom(reader, 200'000, 4096), text.substr(200'000));
}

TEST_F(GzReaderTest, SeveralMembersAndNone) {
  WriteGz(path_, "one\n");
  WriteGz(directory_.File("y.gz"), "two\n");
  AppendFile(path_, ReadWhole(directory_.File("y.gz")));
  const UniqueFd fd = Open(path_);
  GzReader reader(fd.get());
  EXPECT_EQ(ReadFrom(reader, 0, 100), "one\ntwo\n");
  EXPECT_TRUE(reader.error().ok());
  WriteGz(directory_.File("z.gz"), "");
  const UniqueFd empty = Open(directory_.File("z.gz"));
  GzReader nothing(empty.get());
  EXPECT_EQ(ReadFrom(nothing, 0, 100), "");
  EXPECT_TRUE(nothing.error().ok());
}

TEST_F(GzReaderTest, DamageEndsItWhereItShows) {
  const std::string text = Numbers(50'000);
  WriteGz(path_, text);
  const std::string good = ReadWhole(path_);
  std::minstd_rand random(7);
  for (int round = 0; round < 40; ++round) {
    std::string bad = good;
    if (round % 2 == 0) {
      bad.resize(random() % bad.size());
    } else {
      bad[random() % bad.size()] ^= 0x10;
    }
    const std::string path = directory_.Write("bad.gz", bad);
    const UniqueFd fd = Open(path);
    GzReader reader(fd.get());
    const std::string read = ReadFrom(reader, 0, 10'000);
    if (round % 2 == 0) {
      EXPECT_FALSE(reader.error().ok()) << round;
      EXPECT_EQ(read, text.substr(0, read.size())) << round;
    }
  }
}

}  // namespace
}  // namespace ampari
