// A session with its ring, a clock in hand and the gateway played by the test. What the session
// sends is told in words: H(first-last ack settled [draining]) a hello, B7 a block, F3 a frame,
// G3-5 a gap, R7 a retirement, D drained.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ampari/v1/shipping.pb.h"
#include "common/frame/frame.h"
#include "common/frame/wire.h"
#include "forwarder/shipping/metrics_cargo.h"
#include "forwarder/shipping/session.h"
#include "tests/unit/forwarder/shipping/gateway_voice.h"

namespace ampari {

class SessionHarness : public GatewayVoice {
  int ids_ = 0;  // before the session, which takes one

 public:
  explicit SessionHarness(size_t ring_bytes = size_t{1} << 20)
      : GatewayVoice(session),
        ring(ring_bytes),
        session(
            {"node-1", [this] { return std::string(15, 'i') + static_cast<char>('0' + ids_++); }},
            ring, cargo) {}

  // A frame of one stale report, `samples` big.
  void Push(uint64_t samples = 10, size_t padding = 0) {
    Scrape scrape;
    scrape.report_layout = 1;
    scrape.report_stale = true;
    if (padding > 0) scrape.metadata.push_back({Noise(padding), MetricType::kGauge, "", ""});
    builder_.Add(scrape, samples);
    ring.Push(builder_.Finish(ring.next()), samples, now);
    session.OnPushed(now);
  }
  void PushMany(int count) {
    for (int i = 0; i < count; ++i) Push();
  }

  std::string Connect() { return Words(session.Connect(now)); }
  void Disconnect() { session.OnDisconnected(); }

  // Everything that it wants to send now.
  std::string Sent() {
    std::string words;
    while (auto next = session.Next(now))
      absl::StrAppend(&words, words.empty() ? "" : " ", Words(*next));
    return words;
  }

  std::string Words(const Outgoing& message) {
    std::string bytes = message.head;
    if (message.body != nullptr) bytes += *message.body;
    const std::vector<std::string_view> pieces = {bytes};
    const auto view = ParseForwarderMessage(pieces);
    if (!view.ok()) return view.status().ToString();
    last_waited_ms = view->waited_ms;
    v1::ForwarderMessage parsed;
    if (!parsed.ParseFromString(bytes)) return "unparsable";
    return WordsOf(parsed);
  }

  Ring ring;
  Registrations registrations;
  MetricsCargo cargo{ring, registrations};
  Session session;
  std::string last_instance, last_store_id;
  uint64_t last_waited_ms = 0;
  v1::Hello last_hello;
  v1::Gap last_gap;
  std::vector<std::string> blocks;  // encoded, as sent

 private:
  static std::string Noise(size_t size) {
    std::string noise;
    for (uint32_t x = 1; noise.size() < size; x = x * 1664525 + 1013904223)
      noise += static_cast<char>(x >> 24);
    return noise;
  }

  std::string WordsOf(const v1::ForwarderMessage& message) {
    if (message.has_hello()) {
      last_hello = message.hello();
      const v1::Hello& h = last_hello;
      return absl::StrCat("H(", h.first_sequence(), "-", h.last_sequence(), " ", h.acknowledged(),
                          " ", h.settled(), h.draining() ? " draining" : "", ")");
    }
    if (message.has_retire()) {
      std::string words = "R";
      for (const uint64_t block : message.retire().blocks()) absl::StrAppend(&words, block);
      return words;
    }
    if (message.has_gap()) {
      last_gap = message.gap();
      const uint64_t first = last_gap.first_sequence();
      return absl::StrCat("G", first, "-",
                          first + static_cast<uint64_t>(last_gap.counts_size()) - 1);
    }
    if (message.has_drained()) return "D";
    if (!message.registration().empty()) {
      blocks.push_back(message.registration());
      return absl::StrCat("B", message.registration());
    }
    const auto header = ParseFrameHeader(message.frame());
    if (!header.ok()) return header.status().ToString();
    if (!VerifyFrame(*header, {message.frame()}).ok()) return "bad checksum";
    return absl::StrCat("F", header->sequence);
  }

  FrameBuilder builder_;
};

}  // namespace ampari
