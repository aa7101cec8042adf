// LogCargo: lines by Loki push.
//
// A Loki answers 204 to a push of several streams although it has stored nothing of one of them,
// when its ingester refuses that stream (rate, age, number of streams) and it is not the last of
// the push (grafana/loki, pkg/ingester/instance.go). So a stream shares a push only while the
// ingester has no reason to refuse it; MayShare() has the rule.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gateway/delivery/cargo.h"
#include "gateway/delivery/log_lines.h"
#include "gateway/delivery/log_range.h"
#include "gateway/delivery/post_message.h"

namespace ampari {

// Groups whose pushes are one queue.
struct LogRun {
  size_t group = 0, groups = 0;  // the first, and how many
  uint64_t from = 0;             // its first line, in the order of all groups
};

class LogCargo final : public Cargo {
 public:
  explicit LogCargo(std::string tenant);

  absl::StatusOr<bool> Configure(const DeliverySettings& settings) override;
  LoopRules rules() const override;
  absl::Status Build(RecordSource& source, const BuildTime& time, Lane& lane) override;
  BuildNotes TakeNotes() override { return std::exchange(notes_, {}); }
  HttpRequest Request(const Lane& lane, Attempt& attempt) override;
  Outcome Judge(const HttpResponse& response, absl::Time now) const override;

 private:
  struct Draft;

  // Whether the lane's next range is behind what comes in.
  bool CatchingUp(const RecordSource& source, const Lane& lane) const;
  size_t PickFrames(const BuildTime& time, const Lane& lane, Draft& draft) const;
  absl::Status Decode(const RecordSource& source, const Lane& lane, size_t wanted, Draft& draft);
  void Note(const FrameLines& frame);
  bool MayShare(const LineGroup& group, const BuildTime& time);
  void ChooseAlone(const BuildTime& time, Draft& draft);
  LogRange::Queue QueueOf(const Draft& draft, std::span<const LineGroup> all, const LogRun& run);
  std::vector<LogRange::Queue> QueuesOf(const Draft& draft);

  const std::string tenant_;
  LokiWriteConfig config_;
  std::shared_ptr<StreamRenderer> renderer_;
  PostMessage message_;
  LogFrameReader reader_;
  StreamBook streams_;
  PushSize size_;
  absl::Duration forget_refused_at_;  // monotonic
  PushRequestEncoder encoder_;
  BuildNotes notes_;
};

}  // namespace ampari
