#include "bench/verify/target_check.h"
#include "common/http/json_writer.h"

namespace ampari::bench {

void VerifyCounts::Add(const VerifyCounts& other) {
  scrapes += other.scrapes;
  verified += other.verified;
  samples += other.samples;
  failing += other.failing;
  given_up += other.given_up;
  lost += other.lost;
  partial += other.partial;
  wrong += other.wrong;
  extra += other.extra;
  doubled += other.doubled;
  unexplained += other.unexplained;
  missing_stale += other.missing_stale;
  for (const std::string& example : other.examples) {
    if (examples.size() < kMaxExamples) examples.push_back(example);
  }
}

std::string VerifyCounts::ToJson() const {
  JsonWriter out;
  out.BeginObject()
      .Field("scrapes", scrapes)
      .Field("verified", verified)
      .Field("samples", samples)
      .Field("failing", failing)
      .Field("given_up", given_up)
      .Field("lost", lost)
      .Field("partial", partial)
      .Field("wrong", wrong)
      .Field("extra", extra)
      .Field("doubled", doubled)
      .Field("unexplained", unexplained)
      .Field("missing_stale", missing_stale)
      .Key("examples")
      .BeginArray();
  for (const std::string& example : examples) out.Value(example);
  out.EndArray().EndObject();
  return out.Take() + "\n";
}

}  // namespace ampari::bench
