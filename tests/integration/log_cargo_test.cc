// Which streams share a push.
#include <string>
#include <vector>

#include "tests/integration/log_bed.h"

namespace ampari {
namespace {

using testing::ElementsAre;

// Builds ranges of lane 0 by hand and answers 204 to all of their pushes.
class CargoRig {
 public:
  explicit CargoRig(uint32_t max_streams) {
    LokiWriteConfig config;
    config.max_streams = max_streams;
    EXPECT_TRUE(cargo_.Configure({config, {}}).ok());
    lane_.batch_bytes = config.batch_bytes;
    lane_.cursor = 1;
  }

  // A frame of `lines` lines of `bytes` bytes for each app, `age` before the clock.
  void Append(const std::vector<std::string>& apps, int lines, size_t bytes, absl::Duration age) {
    LogFrameBuilder builder;
    int64_t time_ns = absl::ToUnixNanos(clock_.Now() - age);
    for (const std::string& app : apps) {
      builder.BeginStream({{"app", app}});
      for (int i = 0; i < lines; ++i) builder.AddLine(time_ns += 1000, std::string(bytes, 'x'));
    }
    const uint64_t items = builder.lines();
    queue_.AppendRaw(0, 1, builder.Finish(++frames_), items);
    uint64_t next = 0;
    const auto records = queue_.Read(frames_, 1 << 30, &next);
    lane_.PushBack(records->at(0));
  }
  void Pass(absl::Duration time) {
    now_ += time;
    queue_.SetNow(queue_.NowMs() + absl::ToInt64Milliseconds(time));
  }

  // Where the next range ends; nothing of it is sent.
  uint64_t NextUpto() {
    EXPECT_TRUE(cargo_.Build(queue_, {now_, clock_.Now(), 0}, lane_).ok());
    return lane_.range->upto();
  }

  // Streams of each push of the next range, in the order in which they are ready.
  std::vector<size_t> Pushes() {
    EXPECT_TRUE(cargo_.Build(queue_, {now_, clock_.Now(), 0}, lane_).ok());
    std::vector<size_t> streams;
    while (!lane_.range->done()) {
      auto* attempt = static_cast<LineAttempt*>(lane_.range->Take());
      const auto groups = static_cast<const LogRange&>(*lane_.range).Load().groups;
      streams.push_back(StreamsOf(groups, attempt->unit).size());
      const std::string body = *attempt->body;
      attempt->body = nullptr;
      cargo_.Request(lane_, *attempt);
      EXPECT_EQ(*attempt->body, body);  // decoded anew, composed the same
      Outcome delivered;
      delivered.fate = Fate::kDelivered;
      lane_.range->OnAnswer(attempt, delivered, 204, "");
    }
    lane_.cursor = lane_.range->upto();
    lane_.range->Finish();
    lane_.range.reset();
    lane_.frames_ahead = 0;
    return streams;
  }

 private:
  BedClock clock_;
  MemoryQueue queue_;
  LogCargo cargo_{"acme"};
  Lane lane_;
  absl::Duration now_ = absl::Hours(1);
  uint64_t frames_ = 0;
};

TEST(LogCargo, StreamsShareAPushWhereNoneIsAtRisk) {
  const struct {
    const char* name;
    uint32_t max_streams;
    absl::Duration pause, age;  // before the second frame is taken in, and of its lines
    size_t bytes;               // of each line of the second frame
    absl::Duration late;        // the second frame is built so long after it was taken in
    std::vector<size_t> pushes;
  } rows[] = {
      {"known and live", 0, absl::Seconds(1), absl::Seconds(1), 10, absl::Seconds(1), {3}},
      {"one each as configured",
       1,
       absl::Seconds(1),
       absl::Seconds(1),
       10,
       absl::Seconds(1),
       {1, 1, 1}},
      {"two each as configured",
       2,
       absl::Seconds(1),
       absl::Seconds(1),
       10,
       absl::Seconds(1),
       {2, 1}},
      {"not used for long",
       0,
       absl::Minutes(11),
       absl::Seconds(1),
       10,
       absl::Seconds(1),
       {1, 1, 1}},
      {"old lines", 0, absl::Seconds(1), absl::Minutes(11), 10, absl::Seconds(1), {1, 1, 1}},
      {"lines of the future",
       0,
       absl::Seconds(1),
       -absl::Minutes(6),
       10,
       absl::Seconds(1),
       {1, 1, 1}},
      {"much of each", 0, absl::Seconds(1), absl::Seconds(1), 140'000, absl::Seconds(1), {1, 1, 1}},
      {"behind", 0, absl::Seconds(1), absl::Seconds(1), 10, absl::Seconds(12), {1, 1, 1}},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    CargoRig rig(row.max_streams);
    rig.Append({"a", "b", "c"}, 2, 10, absl::Seconds(1));
    EXPECT_THAT(rig.Pushes(), ElementsAre(1, 1, 1));  // the region may not know them
    rig.Pass(row.pause);
    rig.Append({"a", "b", "c"}, 2, row.bytes, row.age);
    rig.Pass(row.late);
    EXPECT_EQ(rig.Pushes(), row.pushes);
  }
}

TEST(LogCargo, AStreamThatIsNewIsAloneAmongOthers) {
  CargoRig rig(0);
  rig.Append({"a", "b"}, 1, 10, absl::Seconds(1));
  EXPECT_THAT(rig.Pushes(), ElementsAre(1, 1));
  rig.Append({"new", "a", "b"}, 1, 10, absl::Seconds(1));
  EXPECT_THAT(rig.Pushes(), ElementsAre(2, 1));
  rig.Append({"new", "a", "b"}, 1, 10, absl::Seconds(1));
  EXPECT_THAT(rig.Pushes(), ElementsAre(3));
}

// A range holds memory and a request for each of its streams, and small frames may hold many.
TEST(LogCargo, ARangeHasNoMoreStreamsThanAFrame) {
  std::vector<std::string> apps;
  for (size_t i = 0; i < kMaxStreamsAtOnce / 2 + 1; ++i) apps.push_back(std::to_string(i));
  CargoRig rig(0);
  rig.Append(apps, 1, 1, absl::Seconds(1));
  rig.Append(apps, 1, 1, absl::Seconds(1));
  rig.Pass(absl::Minutes(1));  // behind: several frames are a range
  EXPECT_EQ(rig.NextUpto(), 2u);
}

}  // namespace
}  // namespace ampari
