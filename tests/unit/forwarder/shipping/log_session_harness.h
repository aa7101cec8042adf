// A session of logs with its ring, a clock in hand and the gateway played by the test. Files are
// letters, positions those of stdout. What a frame holds is told as "a*0-10 b5-7" (* says first);
// what the session sends: H(first-last ack settled [draining]) a hello, F3r1 a frame and its round,
// O(a10 b5) an offer, X(ab) a retirement, D drained. Directions: "1: a5 b?0" (round, files; ? is
// not known), "1 all: …". Sorted by file.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/frame/log_frame.h"
#include "common/frame/wire.h"
#include "forwarder/shipping/log_cargo.h"
#include "forwarder/shipping/session.h"
#include "tests/unit/forwarder/shipping/gateway_voice.h"

namespace ampari {

inline std::vector<std::string> WordsIn(const std::string& text) {
  return absl::StrSplit(text, ' ', absl::SkipEmpty());
}

inline std::string KeyOf(char file) { return std::string(kLogFileKeyBytes, file); }

// "a*0-10": of file a, first, from 0 to 10.
inline LogFilePart PartOf(std::string_view words) {
  LogFilePart part;
  part.key = KeyOf(words[0]);
  part.first = words[1] == '*';
  const std::vector<std::string> numbers =
      absl::StrSplit(std::string(words.substr(part.first ? 2 : 1)), '-');
  if (!absl::SimpleAtoi(numbers[0], &part.from.out)) part.key.clear();
  if (!absl::SimpleAtoi(numbers[1], &part.upto.out)) part.key.clear();
  part.name = part.first ? "a file" : "";
  return part;
}

class LogSessionHarness : public GatewayVoice {
  int ids_ = 0;  // before the session, which takes one

 public:
  explicit LogSessionHarness(size_t ring_bytes = size_t{1} << 20)
      : GatewayVoice(session),
        ring(ring_bytes, RingFull::kKeep),
        session(
            {"node-1", [this] { return std::string(15, 'i') + static_cast<char>('0' + ids_++); }},
            ring, cargo) {}

  // A first connection and what it directed, taken over.
  void Begin(const std::string& positions = "") {
    Connect();
    Welcome(v1::Welcome::FOUND_NEW, 0);
    Positions(positions);
    Directions();
  }
  // A frame with these parts, read under the last directions that were taken.
  bool Push(const std::string& words, size_t padding = 0) {
    if (!cargo.Takes(taken_round)) return false;
    LogFrameBuilder builder;
    std::vector<LogFilePart> parts;
    for (const std::string& part : WordsIn(words)) parts.push_back(PartOf(part));
    for (const LogFilePart& part : parts) builder.AddFile(part);
    builder.BeginStream(Labels{{"a", "b"}});
    builder.AddLine(1, Noise(padding + 1));
    ring.Push(builder.Finish(ring.next()), 1, now);
    cargo.OnPushed(parts);
    session.OnPushed(now);
    return true;
  }
  void Retire(const std::string& files) {
    std::vector<std::string> keys;
    for (const char file : files) keys.push_back(KeyOf(file));
    cargo.Retire(std::move(keys));
  }
  std::string Directions() {
    const std::optional<LogDirections> directions = cargo.TakeDirections();
    if (!directions) return "none";
    taken_round = directions->round;
    last_producer_age = directions->producer_age;
    std::vector<std::string> files;
    for (const FileStart& file : directions->files) {
      files.push_back(absl::StrCat(file.key.substr(0, 1), file.known ? "" : "?", file.from.out));
    }
    std::sort(files.begin(), files.end());
    return absl::StrCat(directions->round, directions->all ? " all:" : ":",
                        files.empty() ? "" : " ", absl::StrJoin(files, " "));
  }

  // "a10 b5" as one message of several, or the last.
  void Positions(const std::string& words, bool complete = true) {
    v1::GatewayMessage message;
    message.mutable_positions()->set_complete(complete);
    for (const std::string& word : WordsIn(words)) {
      v1::FilePosition& file = *message.mutable_positions()->add_files();
      file.set_key(KeyOf(word[0]));
      file.set_out(std::stoull(word.substr(1)));
    }
    session.OnMessage(message, now);
  }
  // "a10 b?": a is stored at 10, b is unknown.
  void RefusePositions(uint64_t sequence, uint32_t round, const std::string& words) {
    v1::GatewayMessage message;
    v1::Refusal& refusal = *message.mutable_refusal();
    refusal.set_sequence(sequence);
    refusal.set_reason(v1::Refusal::REASON_POSITION);
    refusal.set_round(round);
    for (const std::string& word : WordsIn(words)) {
      v1::RefusedFile& file = *refusal.add_files();
      file.set_key(KeyOf(word[0]));
      file.set_known(word[1] != '?');
      if (file.known()) file.set_out(std::stoull(word.substr(1)));
    }
    session.OnMessage(message, now);
  }
  // A whole connection of the living instance: hello, welcome, positions.
  void Reconnect(v1::Welcome::Found found, uint64_t mark, const std::string& positions,
                 uint64_t settled = 0, bool superseded = false) {
    Disconnect();
    Connect();
    Welcome(found, mark, settled, superseded);
    Positions(positions);
  }

  std::string Connect() { return Words(session.Connect(now)); }
  void Disconnect() { session.OnDisconnected(); }
  std::string Sent() {
    std::vector<std::string> words;
    while (auto next = session.Next(now)) words.push_back(Words(*next));
    return absl::StrJoin(words, " ");
  }

  Ring ring;
  LogCargo cargo{ring};
  Session session;
  uint64_t taken_round = 0;
  absl::Duration last_producer_age;
  v1::Hello last_hello;

 private:
  static std::string Noise(size_t size) {
    std::string noise;
    for (uint32_t x = 1; noise.size() < size; x = x * 1664525 + 1013904223)
      noise += static_cast<char>(x >> 24);
    return noise;
  }

  std::string Words(const Outgoing& outgoing) {
    std::string bytes = outgoing.head;
    if (outgoing.body != nullptr) bytes += *outgoing.body;
    const std::vector<std::string_view> pieces = {bytes};
    const auto view = ParseForwarderMessage(pieces);
    if (!view.ok()) return view.status().ToString();
    v1::ForwarderMessage message;
    if (!message.ParseFromString(bytes)) return "unparsable";
    if (message.has_hello()) return HelloWords(message.hello());
    if (message.has_offer()) return OfferWords(message.offer());
    if (message.has_retire()) {
      std::string files;
      for (const std::string& key : message.retire().files()) files += key[0];
      std::sort(files.begin(), files.end());
      return absl::StrCat("X(", files, ")");
    }
    if (message.has_drained()) return "D";
    const auto header = ParseFrameHeader(message.frame());
    if (!header.ok()) return header.status().ToString();
    if (!VerifyFrame(*header, {message.frame()}).ok()) return "bad checksum";
    return absl::StrCat("F", header->sequence, "r", message.round());
  }
  std::string HelloWords(const v1::Hello& h) {
    last_hello = h;
    return absl::StrCat("H(", h.first_sequence(), "-", h.last_sequence(), " ", h.acknowledged(),
                        " ", h.settled(), h.draining() ? " draining" : "", ")");
  }
  static std::string OfferWords(const v1::Offer& offer) {
    std::vector<std::string> files;
    for (const v1::FilePosition& file : offer.files())
      files.push_back(absl::StrCat(file.key().substr(0, 1), file.out()));
    std::sort(files.begin(), files.end());
    return absl::StrCat("O(", absl::StrJoin(files, " "), ")");
  }
};

}  // namespace ampari
