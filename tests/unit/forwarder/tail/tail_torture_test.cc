// Torture: many containers whose files are renamed, compressed, copied, emptied, deleted and
// restarted at random between steps, forwarders that die, a gateway that refuses and has no room.
// Every line must come once and in order, or be counted.
#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/unit/forwarder/tail/tail_bed.h"

namespace ampari {
namespace {

namespace fs = std::filesystem;

// One container's writer, as a runtime and kubelet are.
class Writer {
 public:
  Writer(TailBed* bed, std::minstd_rand* random, int number, bool careful)
      : bed_(*bed),
        random_(*random),
        careful_(careful),
        name_(absl::StrCat("w", number)),
        directory_(bed->Container(absl::StrCat("ns_pod-", number, "_", number), "app")) {}

  void Write() {
    const uint64_t lines = random_() % 20;
    for (uint64_t i = 0; i < lines; ++i) {
      const std::string text =
          absl::StrCat(name_, " ", next_++, " ", std::string(random_() % 100, 'x'));
      const char* const output = random_() % 4 == 0 ? "stderr" : "stdout";
      if (random_() % 10 == 0) {
        const size_t half = text.size() / 2;
        AppendFile(log(), bed_.Cri(text.substr(0, half), output, "P"));
        AppendFile(log(), bed_.Cri(text.substr(half), output));
      } else {
        AppendFile(log(), bed_.Cri(text, output));
      }
    }
  }
  // Rename; kubelet compresses what was renamed before, and keeps three.
  void Rotate() {
    if (!fs::exists(log())) return;
    if (!rotated_.empty() && random_() % 2 == 0) Compress(&rotated_.back());
    rotated_.push_back(absl::StrCat(log(), ".20240501-", 100000 + rotations_++));
    fs::rename(log(), rotated_.back());
    if (rotated_.size() > 3) RemoveOldest();
  }
  void Restart() {
    if (!fs::exists(log())) return;
    while (!rotated_.empty()) RemoveOldest();
    if (restart_ > 0) {
      LetItSee();
      fs::remove(absl::StrCat(directory_, "/", restart_ - 1, ".log"));
    }
    ++restart_;
  }
  void CopyTruncate() {
    if (!fs::exists(log())) return;
    rotated_.push_back(absl::StrCat(log(), ".20240501-", 100000 + rotations_++));
    fs::copy_file(log(), rotated_.back());
    fs::resize_file(log(), 0);
    if (rotated_.size() > 3) RemoveOldest();
  }

  const std::string& name() const { return name_; }
  uint64_t written() const { return next_; }

 private:
  // What was never seen would be lost without a trace, and what is held open is lost with its
  // forwarder: it gets a step to see it, or the time to ship it.
  void LetItSee() {
    if (careful_) {
      bed_.Run(absl::Seconds(2));
    } else {
      bed_.Step();
    }
  }
  void RemoveOldest() {
    LetItSee();
    fs::remove(rotated_.front());
    rotated_.erase(rotated_.begin());
  }
  std::string log() const { return absl::StrCat(directory_, "/", restart_, ".log"); }
  static void Compress(std::string* path) {
    if (path->ends_with(".gz")) return;
    WriteGz(*path + ".tmp", ReadWhole(*path));
    fs::rename(*path + ".tmp", *path + ".gz");
    fs::remove(*path);
    *path += ".gz";
  }

  TailBed& bed_;
  std::minstd_rand& random_;
  const bool careful_;
  const std::string name_, directory_;
  uint64_t next_ = 0;
  int restart_ = 0, rotations_ = 0;
  std::vector<std::string> rotated_;
};

struct Trouble {
  bool deaths = false;
  bool refusals = false;
  bool no_room = false;
  bool copy_truncate = false;
};

class TailTorture : public testing::TestWithParam<int> {
 protected:
  void Torment(const Trouble& trouble, int writers, int steps);
  void VerifyEachLineOnce(bool in_order);

  TailBed bed_;
  std::minstd_rand random_{static_cast<unsigned>(GetParam() + 1)};
  std::vector<Writer> writers_;
};

void TailTorture::Torment(const Trouble& trouble, int writers, int steps) {
  bed_.flush_bytes = 2000;
  for (int i = 0; i < writers; ++i)
    writers_.emplace_back(&bed_, &random_, i, trouble.deaths || trouble.refusals);
  bed_.Start("*/app/*.log");
  for (int step = 0; step < steps; ++step) {
    for (Writer& writer : writers_) {
      if (random_() % 2 == 0) writer.Write();
      const auto dice = random_() % 16;
      if (dice < 2) writer.Rotate();
      if (dice == 2 && trouble.copy_truncate) writer.CopyTruncate();
      if (dice == 3 && !trouble.copy_truncate) writer.Restart();
    }
    if (trouble.no_room && random_() % 8 == 0) bed_.gateway.room = !bed_.gateway.room;
    // A second of the clock, a look at the least, between two rotations of most files.
    for (auto i = random_() % 3; i-- > 0;) bed_.Run(absl::Milliseconds(10));
    if (trouble.copy_truncate) bed_.Run(absl::Milliseconds(10));
    if (random_() % 10 == 0) bed_.Run(absl::Seconds(2));
    if (trouble.refusals && random_() % 6 == 0) bed_.gateway.refuse_next = true;
    if (trouble.deaths && random_() % 12 == 0) {
      bed_.Kill();
      bed_.Start("*/app/*.log");
      // What happens to files that nobody holds open would be lost: let it meet them.
      bed_.Step();
    }
  }
  bed_.gateway.room = true;
  bed_.Run(absl::Seconds(10));
}

void TailTorture::VerifyEachLineOnce(bool in_order) {
  std::map<std::string, std::vector<uint64_t>> seen;  // by writer and output
  std::map<std::string, std::set<uint64_t>> all;
  for (const ModelGateway::Line& line : bed_.gateway.lines) {
    const std::vector<std::string> words = absl::StrSplit(line.text, ' ');
    ASSERT_GE(words.size(), 2) << line.text;
    uint64_t number = 0;
    ASSERT_TRUE(absl::SimpleAtoi(words[1], &number)) << line.text;
    EXPECT_TRUE(all[words[0]].insert(number).second) << "doubled: " << line.text;
    seen[absl::StrCat(words[0], std::string(line.labels.Get("stream")))].push_back(number);
  }
  for (const Writer& writer : writers_) {
    for (uint64_t i = 0; i < writer.written(); ++i) {
      EXPECT_TRUE(all[writer.name()].contains(i)) << "lost: " << writer.name() << " " << i;
    }
  }
  for (const auto& [stream, numbers] : seen) {
    EXPECT_TRUE(!in_order || std::is_sorted(numbers.begin(), numbers.end())) << stream;
  }
  EXPECT_EQ(bed_.status().rotated_unread_bytes_total, 0);
  EXPECT_EQ(bed_.gateway.refusals, 0);
}

TEST_P(TailTorture, RotationsAndRestarts) {
  Torment({}, 20, 150);
  VerifyEachLineOnce(true);
}

TEST_P(TailTorture, WithoutRoomNowAndThen) {
  Torment({.no_room = true}, 20, 150);
  VerifyEachLineOnce(true);
}

TEST_P(TailTorture, ForwardersDie) {
  Torment({.deaths = true}, 20, 100);
  VerifyEachLineOnce(false);
}

TEST_P(TailTorture, RefusedFrames) {
  Torment({.refusals = true}, 20, 100);
  VerifyEachLineOnce(true);
  EXPECT_GT(bed_.status().rereads_total, 0);
}

TEST_P(TailTorture, CopyTruncate) {
  Torment({.copy_truncate = true}, 20, 150);
  VerifyEachLineOnce(true);
}

INSTANTIATE_TEST_SUITE_P(Seeds, TailTorture, testing::Range(0, 3));

}  // namespace
}  // namespace ampari
