#include "bench/region/json_text.h"
#include "bench/verify/target_check.h"

namespace ampari::bench {

void VerifyCounts::Add(const VerifyCounts& other) {
  scrapes += other.scrapes;
  verified += other.verified;
  samples += other.samples;
  failing += other.failing;
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
  std::string list;
  for (const std::string& example : examples) {
    list += (list.empty() ? "" : ",") + JsonString(example);
  }
  return JsonObject()
             .Number("scrapes", scrapes)
             .Number("verified", verified)
             .Number("samples", samples)
             .Number("failing", failing)
             .Number("lost", lost)
             .Number("partial", partial)
             .Number("wrong", wrong)
             .Number("extra", extra)
             .Number("doubled", doubled)
             .Number("unexplained", unexplained)
             .Number("missing_stale", missing_stale)
             .Add("examples", "[" + list + "]")
             .Take() +
         "\n";
}

}  // namespace ampari::bench
