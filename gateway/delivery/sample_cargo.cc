#include "gateway/delivery/sample_cargo.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "gateway/delivery/sample_range.h"
#include "gateway/layouts/render_rules.h"

namespace ampari {
namespace {

constexpr absl::Duration kMergingOff = absl::Hours(1);  // after a merged request was refused

}  // namespace

SampleCargo::SampleCargo(std::string tenant, LayoutCache& layouts)
    : tenant_(std::move(tenant)), message_(tenant_, config_), builder_(layouts) {}

absl::StatusOr<bool> SampleCargo::Configure(const DeliverySettings& settings) {
  const auto& config = std::get<RemoteWriteConfig>(settings.config);
  absl::StatusOr<RenderRules> rules = MakeRenderRules(settings.external_labels, config);
  if (!rules.ok()) return rules.status();
  const bool changed = rules->generation != rules_.render.generation;
  config_ = config;
  rules_.render = *std::move(rules);
  rules_.bounds.max_samples = std::max<uint32_t>(1, config_.queue.max_samples_per_send);
  rules_.sample_age_limit = config_.queue.sample_age_limit;
  message_ = WriteMessage(tenant_, config_);
  return changed;
}

LoopRules SampleCargo::rules() const {
  LoopRules rules;
  rules.url = config_.url;
  rules.http = config_.http;
  rules.pacing.backoff = {config_.queue.min_backoff, config_.queue.max_backoff, kBackoffJitter};
  rules.pacing.max_in_flight = std::max<uint32_t>(1, config_.queue.max_shards);
  rules.in_flight_limit = "max_shards";
  rules.aligned = true;
  return rules;
}

absl::Status SampleCargo::Build(RecordSource& source, const BuildTime& time, Lane& lane) {
  rules_.started_ms = time.started_ms;
  rules_.parked = time.parked;
  rules_.merging = time.now < merging_off_until_ ? Merging::kOff : Merging::kOn;
  absl::Status built = builder_.Build(source, rules_, time.wall, lane);
  if (built.ok()) metadata_.Add(builder_.TakeMetadata());
  return built;
}

HttpRequest SampleCargo::Request(const Lane& lane, Attempt& attempt) {
  const RequestPlan& plan = static_cast<SampleAttempt&>(attempt).plan;
  if (attempt.body == nullptr)
    attempt.body = std::make_shared<const std::string>(encoder_.Encode(plan));
  return message_.Make(attempt.body, attempt.sends - 1, lane.number, &plan);
}

Outcome SampleCargo::Judge(const HttpResponse& response, absl::Time now) const {
  return ClassifyAnswer(response, config_.queue.retry_on_http_429, now);
}

void SampleCargo::OnDone(const LaneRange& range, absl::Duration now) {
  if (static_cast<const SampleRange&>(range).merge_refused())
    merging_off_until_ = now + kMergingOff;
}

std::optional<HttpRequest> SampleCargo::NextExtra(absl::Duration now) {
  const std::vector<FamilyMetadata> families = metadata_.Next(config_.metadata, now);
  if (families.empty()) return std::nullopt;
  auto body = std::make_shared<const std::string>(encoder_.EncodeMetadata(families));
  return message_.Make(std::move(body), 0, 0, nullptr);
}

absl::Duration SampleCargo::NextExtraAt() const {
  return metadata_.empty() ? -absl::InfiniteDuration() : metadata_.NextRound();
}

}  // namespace ampari
