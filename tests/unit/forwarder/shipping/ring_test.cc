// The ring against a model that keeps everything and knows the rules of eviction as sentences.
#include "forwarder/shipping/ring.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "common/frame/frame.h"

namespace ampari {
namespace {

std::string FrameOf(uint64_t sequence, size_t size) {
  FrameBuilder builder;
  std::string frame = builder.Finish(sequence);
  if (frame.size() < size) frame.resize(size, 'x');
  return frame;
}

constexpr size_t kFrameBytes = 100;
constexpr size_t kSlot = kFrameBytes + sizeof(RingEntry);

Ring Filled(size_t slots, int frames) {
  Ring ring(slots * kSlot);
  for (int i = 0; i < frames; ++i)
    ring.Push(FrameOf(ring.next(), kFrameBytes), 1, absl::Seconds(i));
  return ring;
}

// What is in the ring, first to last: F a frame, g a gap.
std::string Picture(const Ring& ring) {
  std::string picture;
  for (uint64_t s = ring.first(); s < ring.next(); ++s)
    picture += ring.At(s).frame != nullptr ? 'F' : 'g';
  return picture;
}

TEST(Ring, AcknowledgedFramesStayUntilTheRoomIsNeeded) {
  Ring ring = Filled(4, 4);
  ring.Acknowledge(2);
  EXPECT_EQ(Picture(ring), "FFFF");
  ring.Push(FrameOf(5, kFrameBytes), 1, absl::Seconds(9));
  EXPECT_EQ(ring.first(), 2u);
  EXPECT_EQ(Picture(ring), "FFFF");
  EXPECT_EQ(ring.expired_frames(), 0u);
}

TEST(Ring, WithoutAcknowledgedFramesTheOldestUnsentBecomeAGap) {
  Ring ring = Filled(4, 6);
  EXPECT_EQ(ring.first(), 1u);
  EXPECT_EQ(Picture(ring).substr(0, 2), "gg");
  EXPECT_EQ(Picture(ring).back(), 'F');
  EXPECT_LE(ring.bytes(), 4 * kSlot);
  EXPECT_EQ(ring.expired_samples() + ring.samples(), 6u);
}

TEST(Ring, FramesInFlightAreNeverTouched) {
  Ring ring = Filled(4, 4);
  ring.Protect(3);
  ring.Push(FrameOf(5, kFrameBytes), 1, absl::Seconds(9));
  EXPECT_EQ(Picture(ring).substr(0, 4), "FFFg");
  ring.Protect(4);
  for (int i = 0; i < 3; ++i) ring.Push(FrameOf(ring.next(), kFrameBytes), 1, absl::Seconds(9));
  EXPECT_EQ(Picture(ring).substr(0, 3), "FFF");
  ring.Protect(0);  // the stream ended
  for (int i = 0; i < 3; ++i) ring.Push(FrameOf(ring.next(), kFrameBytes), 1, absl::Seconds(9));
  EXPECT_EQ(Picture(ring)[0], 'g');
}

TEST(Ring, RollBackStopsAtWhatIsStillHere) {
  Ring ring = Filled(4, 4);
  ring.Acknowledge(4);
  ring.Settle(2);
  ring.Push(FrameOf(5, kFrameBytes), 1, absl::Seconds(9));
  ring.RollBack(0);
  EXPECT_EQ(ring.acknowledged(), 1u);
  EXPECT_EQ(ring.settled(), 1u);
  EXPECT_EQ(ring.samples(), 4u);
}

TEST(Ring, RenumberedFramesCarryTheirNewSequence) {
  Ring ring = Filled(10, 5);
  ring.Expire(4, GapReason::kMalformed);
  EXPECT_EQ(ring.Renumber(2), 2u);
  EXPECT_EQ(ring.first(), 1u);
  EXPECT_EQ(ring.next(), 4u);
  EXPECT_EQ(Picture(ring), "FgF");
  EXPECT_EQ(ParseFrameHeader(*ring.At(3).frame)->sequence, 3u);
  EXPECT_EQ(ring.At(2).reason, GapReason::kMalformed);
}

TEST(Ring, TruncatedNumbersAreFreeAgain) {
  Ring ring = Filled(10, 5);
  ring.Acknowledge(1);
  ring.Protect(4);
  ring.Truncate(3);
  EXPECT_EQ(ring.last(), 2u);
  EXPECT_EQ(ring.frames(), 2u);
  EXPECT_EQ(ring.samples(), 1u);
  EXPECT_EQ(ring.bytes(), 2 * kSlot);
  EXPECT_EQ(ring.unacknowledged_bytes(), kFrameBytes);
  ring.Truncate(3);  // nothing is there any more
  EXPECT_EQ(ring.last(), 2u);
  ring.Push(FrameOf(3, kFrameBytes), 7, absl::Seconds(9));
  EXPECT_EQ(ring.At(3).samples, 7u);
  ring.Truncate(2);
  EXPECT_EQ(ring.next(), 2u);
  EXPECT_EQ(ring.samples(), 0u);
}

TEST(Ring, OneThatKeepsGivesUpOnlyWhatIsAcknowledged) {
  Ring ring(4 * kSlot, RingFull::kKeep);
  for (int i = 0; i < 6; ++i) ring.Push(FrameOf(ring.next(), kFrameBytes), 1, absl::Seconds(i));
  EXPECT_EQ(Picture(ring), "FFFFFF");
  ring.Acknowledge(3);
  ring.Push(FrameOf(7, kFrameBytes), 1, absl::Seconds(9));
  EXPECT_EQ(ring.first(), 4u);
  EXPECT_EQ(ring.expired_frames(), 0u);
}

TEST(Ring, TheFirstFrameIsFoundBehindGaps) {
  Ring ring = Filled(4, 7);
  EXPECT_EQ(ring.At(ring.first_frame() - 1).frame, nullptr);
  EXPECT_NE(ring.At(ring.first_frame()).frame, nullptr);
  Ring empty(1000);
  EXPECT_EQ(empty.first_frame(), 1u);
}

// Every sequence ever pushed ends in exactly one of the ways that the contract knows.
class Model {
 public:
  explicit Model(size_t bytes) : ring_(bytes) {}

  void Step(std::mt19937_64& random) {
    switch (random() % 7) {
      case 0:
      case 1:
      case 2:
        return Push(random);
      case 3:
        return Send();
      case 4:
        return Acknowledge(random);
      case 5:
        return Truncate(random);
      default:
        return Stream(random);
    }
  }

  void Check() const {
    ASSERT_LE(ring_.first(), ring_.acknowledged() + 1);
    ASSERT_LE(ring_.settled(), ring_.acknowledged());
    uint64_t samples = 0, frames = 0, bytes = 0, unacknowledged = 0;
    absl::Duration last = absl::ZeroDuration();
    for (uint64_t s = ring_.first(); s < ring_.next(); ++s) {
      const RingEntry& entry = ring_.At(s);
      ASSERT_EQ(entry.samples, samples_.at(s)) << s;
      ASSERT_GE(entry.enqueued, last) << "ages are monotonic";
      last = entry.enqueued;
      bytes += sizeof(RingEntry);
      if (entry.frame == nullptr) {
        ASSERT_FALSE(s > ring_.acknowledged() && s <= sent_ && !gaps_sent_.count(s))
            << "in flight " << s;
        continue;
      }
      ++frames;
      bytes += entry.frame->size();
      if (s <= ring_.acknowledged()) continue;
      samples += entry.samples;
      unacknowledged += entry.frame->size();
    }
    ASSERT_EQ(ring_.samples(), samples);
    ASSERT_EQ(ring_.frames(), frames);
    ASSERT_EQ(ring_.bytes(), bytes);
    ASSERT_EQ(ring_.unacknowledged_bytes(), unacknowledged);
  }

 private:
  void Push(std::mt19937_64& random) {
    samples_[ring_.next()] = 1 + random() % 100;
    now_ += absl::Milliseconds(random() % 1000);
    ring_.Push(FrameOf(ring_.next(), 50 + random() % 300), samples_[ring_.next()], now_);
  }
  void Send() {
    if (!open_ || sent_ >= ring_.last()) return;
    ++sent_;
    if (ring_.At(sent_).frame == nullptr) gaps_sent_[sent_] = true;
    ring_.Protect(sent_);
  }
  void Acknowledge(std::mt19937_64& random) {
    if (sent_ <= ring_.acknowledged()) return;
    ring_.Acknowledge(ring_.acknowledged() + 1 + random() % (sent_ - ring_.acknowledged()));
    ring_.Settle(random() % (ring_.acknowledged() + 1));
  }
  void Truncate(std::mt19937_64& random) {
    if (random() % 8 != 0) return;
    ring_.Truncate(ring_.acknowledged() + 1 + random() % 10);
    sent_ = std::min(sent_, ring_.last());
    gaps_sent_.erase(gaps_sent_.upper_bound(ring_.last()), gaps_sent_.end());
  }
  void Stream(std::mt19937_64& random) {
    if (random() % 4 != 0) return;
    open_ = !open_;
    sent_ = ring_.acknowledged();
    gaps_sent_.clear();
    ring_.Protect(open_ ? sent_ : 0);
  }

  Ring ring_;
  std::map<uint64_t, uint64_t> samples_;
  std::map<uint64_t, bool> gaps_sent_;
  uint64_t sent_ = 0;
  bool open_ = false;
  absl::Duration now_;
};

TEST(Ring, RandomOperationsKeepToTheModel) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    std::mt19937_64 random(seed);
    Model model(2000);
    for (int step = 0; step < 2000; ++step) {
      model.Step(random);
      model.Check();
      if (testing::Test::HasFatalFailure()) FAIL() << "seed " << seed << " step " << step;
    }
  }
}

}  // namespace
}  // namespace ampari
