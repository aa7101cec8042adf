// TailBed: a tree of logs in a temporary directory, a clock, and a gateway's books in memory, for
// tests that drive a TailEngine step by step.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/frame/log_frame.h"
#include "forwarder/shipping/log_shipper.h"
#include "forwarder/tail/log_target.h"
#include "forwarder/tail/tail_engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temp_dir.h"

namespace ampari {

// A gateway behind a shipper: positions by compare-and-set, and every line that it took. Frames
// wait in a ring until Settle(), so that a restart can lose them.
class ModelGateway {
 public:
  struct Line {
    Labels labels;
    int64_t time_ns = 0;
    std::string text;
  };

  // A new forwarder: what was not settled is lost, and it is told everything.
  void Connect(absl::Duration producer_age);
  // Takes what waits. False: something was refused.
  bool Settle();
  // As if another forwarder had shipped up to there: the next frame of the file is refused.
  void Move(const std::string& key, const LogPosition& to) { positions[key] = to; }

  std::optional<LogDirections> TakeDirections();
  bool HasRoom() const { return room && ring_.size() < ring_frames; }
  bool Push(LogFlush flush);
  void Retire(const std::vector<std::string>& keys);

  bool room = true;
  bool refuse_next = false;  // a frame that could be taken
  size_t ring_frames = 4;
  std::map<std::string, LogPosition> positions;
  std::map<std::string, std::string> names;
  std::vector<Line> lines;
  std::vector<std::string> retired;
  uint64_t refusals = 0;  // of frames that could not
  size_t most_files = 0;  // in one frame

 private:
  bool Admit(const LogFlush& flush, std::vector<FileStart>* refused) const;
  void Store(const LogFlush& flush);

  uint64_t round_ = 0;
  std::deque<LogFlush> ring_;
  std::vector<std::string> retiring_;  // once the ring is empty
  std::deque<LogDirections> directions_;
};

class TailBed {
 public:
  TailBed();

  const std::string& root() const { return root_; }  // of the pods' directories
  // <root>/<pod>/<container>, made.
  std::string Container(const std::string& pod, const std::string& container);

  // A forwarder, with what the gateway has settled. It reads what `pattern` under the root names.
  void Start(const std::string& pattern, LogStart start = LogStart::kAuto);
  void Kill();
  void Apply(const std::vector<std::string>& patterns, LogStart start = LogStart::kAuto);
  // Steps at the clock's steps of 10 ms, the gateway settling behind each.
  void Run(absl::Duration time);
  // One step without time passing.
  void Step() { engine_->Step(); }

  TailEngine& engine() { return *engine_; }
  LogTailStatus status() const { return engine_->Status(true); }
  std::vector<std::string> texts() const;

  // A CRI line of the clock's time; each call is a nanosecond later.
  std::string Cri(std::string_view text, std::string_view output = "stdout",
                  std::string_view tag = "F");

  FakeClock clock;
  ModelGateway gateway;
  LineLimits limits;
  LinkRoots links;
  size_t flush_bytes = size_t{64} << 10;
  absl::Duration producer_age = absl::Minutes(10);
  bool superseded = false;

 private:
  TempDir directory_;
  std::string root_;
  int64_t line_ns_ = 0;
  std::unique_ptr<TailEngine> engine_;
};

void AppendFile(const std::string& path, std::string_view text);
void WriteGz(const std::string& path, std::string_view text);
std::string ReadWhole(const std::string& path);

}  // namespace ampari
