// LogCargo: lines by Loki push.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gateway/delivery/cargo.h"
#include "gateway/delivery/log_lines.h"
#include "gateway/delivery/log_range.h"
#include "gateway/delivery/post_message.h"

namespace ampari {

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

  size_t PickFrames(const BuildTime& time, const Lane& lane, bool* attempted) const;
  absl::Status Decode(const RecordSource& source, const Lane& lane, size_t wanted, Draft& draft);
  void Note(const FrameLines& frame);
  void Take(Draft draft, bool attempted, Lane& lane);

  const std::string tenant_;
  LokiWriteConfig config_;
  std::shared_ptr<StreamRenderer> renderer_;
  PostMessage message_;
  LogFrameReader reader_;
  RefusedStreams refused_;
  absl::Duration forget_refused_at_;  // monotonic
  PushRequestEncoder encoder_;
  BuildNotes notes_;
};

}  // namespace ampari
