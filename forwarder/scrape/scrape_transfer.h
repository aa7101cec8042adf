// ScrapeTransfer: the answer to one scrape on its way from the network to the target's parser.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/http/loop.h"
#include "forwarder/scrape/scraped_target.h"

namespace ampari {

// The request of a target's scrapes: method, URL, headers, limits. The same for each of them.
HttpRequest ScrapeRequest(const Target& target);

// Belongs to the loop thread; one per scrape. Cuts the body into pieces of kPieceBytes, which it
// hands over by move, and pauses while the target has too much unparsed. A target's limits are
// those at the start of the scrape.
class ScrapeTransfer {
 public:
  static constexpr size_t kPieceBytes = size_t{256} << 10;
  // A body without a body_size_limit ends here: an endless one must not run until the timeout of
  // each scrape.
  static constexpr uint64_t kMaxBodyBytes = uint64_t{1} << 30;
  // Of an answer that is not scraped, so much is read to keep the connection.
  static constexpr uint64_t kMaxDrainedBytes = uint64_t{64} << 10;

  // `started` is monotonic.
  ScrapeTransfer(std::shared_ptr<ScrapedTarget> target, int64_t timestamp_ms,
                 absl::Duration started);

  void OnHead(const HttpResponse& head);
  BodyFlow OnData(std::string_view bytes);
  // Hands the end of the scrape to the parser. Nothing is called afterwards.
  void OnDone(const HttpResponse& response);
  bool paused() const { return paused_; }

 private:
  void Take(std::string_view bytes);
  void Flush();
  void Fail(ScrapeFailure failure, absl::Status why);
  void BeginOnce();

  const std::shared_ptr<ScrapedTarget> target_;
  const std::shared_ptr<const Target> what_;
  const int64_t timestamp_ms_;
  const absl::Duration started_;
  std::string piece_;
  size_t expected_bytes_ = kPieceBytes;
  uint64_t body_bytes_ = 0;
  absl::StatusOr<ScrapeProtocol> protocol_ = ScrapeProtocol::kText004;
  bool begun_ = false;
  bool paused_ = false;
  ScrapeOutcome outcome_;
};

}  // namespace ampari
