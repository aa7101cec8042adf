// LogCargo: a session of logs: which positions the gateway has stored, which frames fit them, and
// where the files have to be read on.
//
// The positions that follow each welcome are the truth. They are compared with the frames in the
// ring that the gateway does not have, as it would compare them itself; the first frame that does
// not fit is forgotten with all behind it, as after a refusal. Then whatever file the gateway has
// elsewhere than it was read is directed there. So the ordinary reconnect directs nothing, and a
// gateway that lost something, or another one, corrects the reader before a frame is sent.
//
// A gateway that lost what it had acknowledged, and another one, is offered a position of each file
// before the first frame: where the ring begins it, else how far it was read; but where frames left
// the ring before they were settled, the beginning of the first of these, so that their lines are
// read again as far as they are on disk.
//
// A superseded instance gives no directions for a file that its successor moved, and for none that
// is not in a forgotten frame: the successor reads those. For the other files of forgotten frames
// it does: lines do not tell which file they are from, so a frame cannot be sent without some of
// its files; they are read again, or their lines stay on disk for the successor. Nor does it retire
// a file: the successor may read it still, and would be asked to begin it as an unknown one.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "forwarder/shipping/log_directions.h"
#include "forwarder/shipping/log_parts.h"
#include "forwarder/shipping/log_retirements.h"
#include "forwarder/shipping/session_cargo.h"

namespace ampari {

// Not thread-safe. The ring outlives it. All is bounded by kMaxFiles.
class LogCargo final : public SessionCargo {
 public:
  static constexpr size_t kMaxFiles = 100'000;  // as many as a gateway keeps of a producer
  static constexpr size_t kFilesPerOffer = 4096;

  explicit LogCargo(Ring& ring);  // sets the ring's on_crowded_out

  // --- the reader's side
  std::optional<LogDirections> TakeDirections();
  bool has_directions() const { return directions_.has_value(); }
  // Whether a flush that was read under the directions of `round` goes into the ring.
  bool Takes(uint64_t round) const;
  // Its frame is in the ring.
  void OnPushed(const std::vector<LogFilePart>& files);
  void Retire(std::vector<std::string> keys);

  // --- the session's side
  v1::Signal signal() const override { return v1::SIGNAL_LOGS; }
  uint32_t round() const override { return round_; }
  bool awaits_positions() const override { return true; }
  void OnConnect() override;
  void OnPositions(const v1::Positions& positions) override;
  std::optional<uint64_t> OnWelcomed(const v1::Welcome& welcome) override;
  void OnAcknowledged() override;
  void OnNewInstance(NewInstance why, uint64_t forget_upto) override;
  void OnPositionRefusal(const v1::Refusal& refusal, bool superseded) override;
  UnfitFrame OnUnfit(uint64_t sequence, GapReason reason) override;
  std::optional<Outgoing> Next(uint64_t sent, bool superseded) override;

 private:
  enum class Offering { kNothing, kPositions, kPositionsAnew };
  using Starts = absl::flat_hash_map<std::string, FileStart>;

  // What left the ring before it was settled, of one file.
  struct UnsettledPart {
    LogPosition from;
    uint64_t last = 0;  // sequence of the last such frame
  };

  void OnCrowdedOut(uint64_t sequence);
  void PrepareOffer();
  std::optional<uint64_t> FirstMisfit();
  Starts Forget(uint64_t from, const std::vector<LogConflict>& conflicts, bool superseded);
  void AddDifferences(Starts* starts) const;
  void Direct(Starts starts);
  void DirectAll(Starts starts, absl::Duration producer_age);

  Ring& ring_;
  LogPlaces read_;  // how far each file was read, as far as it was pushed or told
  absl::flat_hash_map<std::string, UnsettledPart> unsettled_;
  uint64_t settled_ = 0;  // as unsettled_ was looked through for it
  LogRetirements retirements_;
  std::optional<LogDirections> directions_;  // that were not taken; all of them as one
  uint64_t directed_ = 0;                    // round of the last directions; 0: there were none
  bool all_due_ = true;                      // the next welcome's positions are all that counts
  Offering offering_ = Offering::kNothing;   // until more than offered_at_ is acknowledged
  uint64_t offered_at_ = 0;
  uint64_t rebuilt_ = 0;  // this frame is to be read again; 0: none

  // Of the living stream.
  uint32_t round_ = 0;
  LogPlaces stored_;                      // as told behind the welcome; empty once it took effect
  std::deque<v1::ForwarderMessage> due_;  // what goes before the first frame
};

}  // namespace ampari
