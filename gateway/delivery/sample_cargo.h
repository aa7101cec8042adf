// SampleCargo: samples by remote write.
#pragma once

#include <string>

#include "gateway/delivery/cargo.h"
#include "gateway/delivery/metadata_book.h"
#include "gateway/delivery/range_builder.h"
#include "gateway/delivery/write_message.h"
#include "gateway/remote_write/write_request.h"

namespace ampari {

// `layouts` must outlive it.
class SampleCargo final : public Cargo {
 public:
  SampleCargo(std::string tenant, LayoutCache& layouts);

  absl::StatusOr<bool> Configure(const DeliverySettings& settings) override;
  LoopRules rules() const override;
  absl::Status Build(RecordSource& source, const BuildTime& time, Lane& lane) override;
  BuildNotes TakeNotes() override { return {builder_.TakeOverLimit(), 0}; }
  HttpRequest Request(const Lane& lane, Attempt& attempt) override;
  Outcome Judge(const HttpResponse& response, absl::Time now) const override;
  void OnDone(const LaneRange& range, absl::Duration now) override;
  std::optional<HttpRequest> NextExtra(absl::Duration now) override;
  absl::Duration NextExtraAt() const override;

 private:
  const std::string tenant_;
  RemoteWriteConfig config_;
  RangeRules rules_;
  WriteMessage message_;
  RangeBuilder builder_;
  WriteRequestEncoder encoder_;
  MetadataBook metadata_;
  absl::Duration merging_off_until_ = -absl::InfiniteDuration();
};

}  // namespace ampari
