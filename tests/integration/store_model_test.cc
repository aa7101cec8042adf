// The store against a model in memory: random arrivals, duplicates, settlements, gaps and
// reopenings; the ledger holds and agrees with the model after every step.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

#include "gateway/store/ledger.h"
#include "tests/unit/gateway/store/store_rig.h"

namespace ampari {
namespace {

struct ModelFrame {
  std::string forwarder;
  uint64_t sequence = 0, items = 0;
};

struct Model {
  std::vector<ModelFrame> frames;  // in order of the queue: frames[i] has sequence i + 1
  uint64_t accepted = 0, expired = 0;
  std::map<std::string, uint64_t> marks;
};

class StoreModelTest : public testing::TestWithParam<uint32_t> {
 protected:
  void SetUp() override {
    Open();
    rng_.seed(GetParam());
  }
  void Open() {
    rig_.Open();
    rig_.Apply({"one", "two"});
    for (int i = 0; i < 4; ++i) {
      std::string name = "node-" + std::to_string(i);
      HelloRequest hello = HelloOf(name, 'a');
      hello.store_id = store_id_;
      hello.acknowledged = model_.marks[name];
      streams_[name] = rig_.Connect(hello);
      EXPECT_EQ(streams_[name].welcome.mark, model_.marks[name]);
    }
    store_id_ = streams_["node-0"].welcome.store_id;
  }
  uint64_t Random(uint64_t below) { return rng_() % below; }

  void Append() {
    std::string name = "node-" + std::to_string(Random(4));
    StoreRig::Stream& stream = streams_[name];
    uint64_t& mark = model_.marks[name];
    // Some of what is sent was stored before.
    uint64_t first = mark + 1 - std::min<uint64_t>(mark, Random(3));
    uint64_t last = mark + 1 + Random(5);
    for (uint64_t sequence = first; sequence <= last; ++sequence) {
      rig_.store().SubmitFrame(stream.id, FrameOf(sequence, sequence % 7, Random(2000)));
      if (sequence <= mark) continue;
      model_.frames.push_back({name, sequence, sequence % 7});
      model_.accepted += sequence % 7;
    }
    mark = last;
    stream.sink->WaitDurable(last);
  }
  void Gap() {
    std::string name = "node-" + std::to_string(Random(4));
    uint64_t& mark = model_.marks[name];
    rig_.store().SubmitGap(streams_[name].id, {mark + 1, {3, 4}, "ring_full"});
    mark += 2;
    model_.accepted += 7;
    model_.expired += 7;
    streams_[name].sink->WaitDurable(mark);
  }
  void Compare() {
    std::vector<RecordPtr> records = rig_.ReadAll(rig_.Id("one"));
    for (const RecordPtr& record : records) {
      const ModelFrame& frame = model_.frames.at(record->sequence - 1);
      ASSERT_EQ(record->header.frame_sequence, frame.sequence);
      ASSERT_EQ(record->header.items, frame.items);
      ASSERT_EQ(record->header.lane, LaneOf("cluster-a", frame.forwarder));
    }
    for (const char* name : {"one", "two"}) {
      Ledger ledger = rig_.LedgerOf(rig_.Id(name));
      EXPECT_TRUE(Holds(ledger));
      EXPECT_EQ(ledger.accepted, model_.accepted);
      EXPECT_EQ(ledger.expired["ring_full"], model_.expired);
      auto lanes = rig_.store().Lanes(rig_.Id(name));
      uint64_t pending = 0;
      for (size_t i = 0; i < model_.frames.size(); ++i) {
        const ModelFrame& frame = model_.frames[i];
        if (i + 1 >= lanes[LaneOf("cluster-a", frame.forwarder)].cursor) pending += frame.items;
      }
      EXPECT_EQ(ledger.pending, pending);
    }
  }

  StoreRig rig_;
  Model model_;
  std::mt19937_64 rng_;
  std::string store_id_;
  std::map<std::string, StoreRig::Stream> streams_;
};

TEST_P(StoreModelTest, AgreesAtEveryStep) {
  for (int step = 0; step < 60; ++step) {
    switch (Random(10)) {
      case 0:
        rig_.Close();
        Open();
        break;
      case 1:
        Gap();
        break;
      case 2:
        rig_.SettleBelow(rig_.Id("one"), Random(model_.frames.size() + 1));
        break;
      case 3:
        rig_.SettleBelow(rig_.Id("two"), Random(model_.frames.size() + 1));
        break;
      case 4:
        rig_.clock().Advance(absl::Seconds(61));  // makes trims due
        break;
      default:
        Append();
    }
    Compare();
    if (HasFatalFailure()) return;
  }
  EXPECT_TRUE(rig_.store().Verify().empty());
}

INSTANTIATE_TEST_SUITE_P(Seeds, StoreModelTest, testing::Values(1u, 2u, 3u));

}  // namespace
}  // namespace ampari
