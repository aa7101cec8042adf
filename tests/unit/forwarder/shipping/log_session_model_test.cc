// Processes that read the same files and ship them through a gateway that breaks in every way that
// the contract knows: whatever happened, its store holds each line once, in order.
#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "common/runtime/logging.h"
#include "forwarder/shipping/log_cargo.h"
#include "forwarder/shipping/session.h"
#include "tests/unit/forwarder/shipping/line_reader.h"
#include "tests/unit/forwarder/shipping/model_log_gateway.h"

namespace ampari {
namespace {

// What breaks until the end begins: streams, and more.
struct Faults {
  const char* name;
  bool deaths = false;   // a process is killed, or a second one begins beside it
  bool retires = false;  // files end and go
  bool sleeps = false;   // a process stands still for long, with what it has in its ring
  bool loses_store = false, rolls_back = false;
  bool reads_superseded = false;  // a superseded process reads what directions name
  bool cuts = true;               // of streams
};

// A process: reader, ring, session and its one connection.
class Process {
 public:
  Process(const LineDisk& disk, ModelLogGateway& gateway, int number)
      : reader_(disk), gateway_(gateway), number_(number) {}

  void Step(std::mt19937_64& random, absl::Duration now, const Faults& faults) {
    switch (random() % 6) {
      case 0:
        return ReadSome(random, now, faults);
      case 1:
      case 2:
        return Send(now);
      case 3:
        return Arrive();
      case 4:
        return Hear(now);
      default:
        if (faults.cuts && random() % 40 == 0) Cut();
    }
  }
  void Cut() {
    if (stream_ == nullptr) return;
    gateway_.Close(*stream_);
    stream_.reset();
    up_.clear();
    session_.OnDisconnected();
  }
  void Die() {
    Cut();
    gateway_.Bury(session_.instance().substr(0, 8));
  }
  bool Idle() const {
    return reader_.AtEnd() && !superseded() && session_.status().welcomed &&
           ring_.acknowledged() == ring_.last() && !cargo_.has_directions() && up_.empty() &&
           stream_->out.empty();
  }
  bool superseded() const { return session_.status().superseded; }
  // Whether a frame that is not acknowledged has the first part of a file.
  bool HoldsBeginning() const {
    for (uint64_t sequence = ring_.acknowledged() + 1; sequence <= ring_.last(); ++sequence) {
      for (const LogFilePart& part : PartsOf(*ring_.At(sequence).frame)) {
        if (part.first) return true;
      }
    }
    return false;
  }

 private:
  void ReadSome(std::mt19937_64& random, absl::Duration now, const Faults& faults) {
    if (random() % 2 == 0) {
      if (const auto directions = cargo_.TakeDirections(); directions) reader_.Take(*directions);
    }
    if (superseded() && !faults.reads_superseded) return;
    Retire(reader_.Gone());
    if (ring_.last() - ring_.acknowledged() > 8) return;
    const std::optional<LogFlush> flush = reader_.Read(random, superseded());
    if (!flush || !cargo_.Takes(flush->round)) return;
    ring_.Push(WithSequence(flush->frame, ring_.next()), flush->lines, now);
    cargo_.OnPushed(flush->files);
    session_.OnPushed(now);
    reader_.OnPushed(*flush);
  }
  void Retire(std::vector<std::string> keys) {
    if (!keys.empty()) cargo_.Retire(std::move(keys));
  }
  void Send(absl::Duration now) {
    if (stream_ == nullptr || stream_->closed || session_.wants_reconnect(now)) {
      Cut();
      stream_ = gateway_.Open();
      return Queue(session_.Connect(now));
    }
    if (const auto next = session_.Next(now); next) Queue(*next);
  }
  void Queue(const Outgoing& message) {
    up_.push_back(message.head + (message.body == nullptr ? "" : *message.body));
  }
  void Arrive() {
    if (up_.empty()) return;
    v1::ForwarderMessage message;
    if (!message.ParseFromString(up_.front())) gateway_.complaint = "unparsable";
    up_.pop_front();
    gateway_.Take(*stream_, message);
  }
  void Hear(absl::Duration now) {
    if (stream_ == nullptr || stream_->out.empty()) return;
    const v1::GatewayMessage message = stream_->out.front();
    stream_->out.pop_front();
    session_.OnMessage(message, now);
  }

  LineReader reader_;
  ModelLogGateway& gateway_;
  const int number_;
  int instances_ = 0;
  Ring ring_{4000, RingFull::kKeep};
  LogCargo cargo_{ring_};
  Session session_{{"node-1",
                    [this] {
                      return absl::StrCat(absl::Dec(number_, absl::kZeroPad8),
                                          absl::Dec(++instances_, absl::kZeroPad8));
                    }},
                   ring_,
                   cargo_};
  std::shared_ptr<ModelLogGateway::Stream> stream_;
  std::deque<std::string> up_;
};

class World {
 public:
  World(const Faults& faults, uint64_t seed) : faults_(faults), random_(seed) {
    for (const char file : {'a', 'b', 'c', 'd', 'e'}) disk_.files[file].size = random_() % 20;
    Begin();
  }

  void Run() {
    for (int step = 0; step < 4000; ++step) {
      Step();
      if (random_() % 50 == 0) Break();
      if (random_() % 10 == 0) Write();
      if (faults_.sleeps && processes_.size() == 1 && random_() % 8 == 0) Sleep();
    }
    awake_at_ = {};
    for (int step = 0; faults_.sleeps && step < 1000; ++step) Step();
    while (processes_.size() > 1) Kill(random_() % 2);
    faults_.cuts = false;  // no new stream helps on what hangs
    for (int step = 0; step < 100000 && !processes_[0]->Idle(); ++step) Step();
  }
  void Verify() {
    ASSERT_TRUE(processes_[0]->Idle());
    ASSERT_EQ(gateway_.complaint, "");
    std::map<char, std::vector<uint64_t>> stored;
    for (const auto& frame : gateway_.disk.frames) {
      for (const auto& line : frame.lines) stored[line.file].push_back(line.number);
    }
    for (const auto& [name, file] : disk_.files) {
      const std::vector<uint64_t>& lines = stored[name];
      const uint64_t begin = lines.empty() ? file.size : lines.front();
      for (uint64_t line = 0; line < begin; ++line)
        ASSERT_TRUE(gateway_.delivered.contains({name, line})) << name << " lost " << line;
      for (uint64_t line = begin; line < file.size; ++line) {
        ASSERT_LT(line - begin, lines.size()) << name << " lost " << line;
        ASSERT_EQ(lines[line - begin], line) << name;
      }
      ASSERT_EQ(lines.size(), file.size - begin) << name << " doubled";
      if (!file.gone) continue;
      ASSERT_FALSE(gateway_.disk.positions.contains(LineFileKey(name))) << name << " is gone";
    }
  }
  const ModelLogGateway& gateway() const { return gateway_; }

 private:
  void Begin() { processes_.push_back(std::make_unique<Process>(disk_, gateway_, ++number_)); }
  void Kill(size_t index) {
    awake_at_.erase(processes_[index].get());
    processes_[index]->Die();
    processes_.erase(processes_.begin() + static_cast<ptrdiff_t>(index));
  }
  void Step() {
    now_ += absl::Milliseconds(100);
    Process& process = *processes_[random_() % processes_.size()];
    if (now_ >= awake_at_[&process]) process.Step(random_, now_, faults_);
    if (random_() % 20 == 0) gateway_.Settle();
  }
  void Break() {
    if (faults_.deaths && random_() % 3 == 0) {
      if (processes_.size() == 1) Begin();
      const size_t victim = random_() % processes_.size();
      if (random_() % 2 == 0 && now_ >= awake_at_[processes_[victim].get()]) Kill(victim);
    }
    if (faults_.loses_store && random_() % 10 == 0) gateway_.LoseStore();
    if (faults_.rolls_back && random_() % 4 == 0) gateway_.Keep();
    if (faults_.rolls_back && random_() % 8 == 0) gateway_.RollBack();
  }
  // One that holds a beginning stands still, and a second one begins; some files end meanwhile.
  void Sleep() {
    if (!processes_.front()->HoldsBeginning()) return;
    awake_at_[processes_.front().get()] = now_ + absl::Seconds(random_() % 100);
    Begin();
    for (auto& [name, file] : disk_.files) file.finished = file.finished || random_() % 2 == 0;
  }
  void Write() {
    for (auto& [name, file] : disk_.files) {
      if (!file.finished) file.size += random_() % 4;
      // It goes when everything of it is stored.
      const auto stored = gateway_.disk.positions.find(LineFileKey(name));
      if (file.finished && stored != gateway_.disk.positions.end() && stored->second == file.size)
        file.gone = true;
    }
    if (faults_.retires && random_() % 20 == 0) {
      auto oldest = disk_.files.begin();
      while (oldest != disk_.files.end() && oldest->second.finished) ++oldest;
      if (oldest != disk_.files.end()) oldest->second.finished = true;
      const char fresh = static_cast<char>(disk_.files.rbegin()->first + 1);
      if (fresh <= 'z') disk_.files[fresh].size = 1;
    }
  }

  Faults faults_;
  std::mt19937_64 random_;
  LineDisk disk_;
  ModelLogGateway gateway_;
  std::vector<std::unique_ptr<Process>> processes_;
  std::map<const Process*, absl::Duration> awake_at_;
  int number_ = 0;
  absl::Duration now_ = absl::Seconds(1000);
};

class LogModel : public testing::TestWithParam<Faults> {};

TEST_P(LogModel, EveryLineIsStoredOnce) {
  SetLogLevel(LogLevel::kError);
  uint64_t refusals = 0, late = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    World world(GetParam(), seed);
    world.Run();
    world.Verify();
    if (testing::Test::HasFatalFailure()) FAIL() << "seed " << seed;
    refusals += world.gateway().refusals;
    late += world.gateway().refused_retired;
  }
  EXPECT_EQ(refusals > 0, GetParam().deaths) << "who alone reads is never refused";
  EXPECT_EQ(late > 0, GetParam().sleeps) << "of files that others have retired";
}

INSTANTIATE_TEST_SUITE_P(
    All, LogModel,
    testing::Values(
        Faults{.name = "Cuts"}, Faults{.name = "Retirements", .retires = true},
        Faults{.name = "Deaths", .deaths = true},
        Faults{.name = "DeathsAndRetirements", .deaths = true, .retires = true},
        Faults{.name = "SleepersAndRetirements", .deaths = true, .retires = true, .sleeps = true},
        Faults{.name = "DeathsAndSupersededReaders", .deaths = true, .reads_superseded = true},
        Faults{.name = "LostStores", .loses_store = true},
        Faults{.name = "RolledBackStores", .rolls_back = true},
        Faults{.name = "DeathsAndRolledBackStores", .deaths = true, .rolls_back = true}),
    [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace ampari
