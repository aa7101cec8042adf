// Any bytes as two scrapes of one target, in either format and any pieces: no crash, the same
// result however the body is cut, and shipments that replay.
#include <cstdlib>
#include <memory>

#include "common/runtime/check.h"
#include "forwarder/scrape/target_state.h"
#include "tests/support/scrape_replay.h"

namespace ampari {
namespace {

class FuzzedTarget {
 public:
  FuzzedTarget() : state_(MakeTarget(), size_t{1} << 20, numbers_) {}

  std::vector<ReplayedSample> Scrape(std::string_view body, ScrapeProtocol protocol, size_t piece) {
    now_ += 15'000;
    state_.Begin({now_, protocol});
    for (size_t at = 0; at < body.size(); at += piece) (void)state_.Feed(body.substr(at, piece));
    return replay_.Take(state_.Finish({}, nullptr));
  }

 private:
  static Target MakeTarget() {
    Target target;
    target.job = std::make_shared<ScrapeJob>();
    target.labels = Labels{{"instance", "i"}, {"job", "j"}};
    return target;
  }

  NumberSource numbers_;
  TargetState state_;
  ScrapeReplay replay_;
  int64_t now_ = 1'700'000'000'000;
};

void RunOne(std::string_view input) {
  if (input.size() < 2) return;
  const auto protocol =
      (input[0] & 1) != 0 ? ScrapeProtocol::kOpenMetrics100 : ScrapeProtocol::kText004;
  const size_t piece = 1 + static_cast<unsigned char>(input[1]) % 64;
  input.remove_prefix(2);
  const std::string_view first = input.substr(0, input.find('\x1e'));
  const std::string_view second = input.substr(std::min(input.size(), first.size() + 1));
  FuzzedTarget whole, cut;
  for (const std::string_view body : {first, second, first}) {
    const auto a = whole.Scrape(body, protocol, std::max<size_t>(body.size(), 1));
    const auto b = cut.Scrape(body, protocol, piece);
    Check(a == b, "pieces make no difference");
  }
}

}  // namespace
}  // namespace ampari

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ampari::RunOne({reinterpret_cast<const char*>(data), size});
  return 0;
}
