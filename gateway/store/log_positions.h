// LogPositions: how far the log files of each producer are stored. Frames move them by
// compare-and-set, in the batch that stores the lines. Pure memory: no I/O, no clock, no lock; the
// committer writes down what changes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/frame/log_frame.h"
#include "gateway/store/record.h"
#include "gateway/store/retired_files.h"

namespace ampari {

using ProducerNumber = uint32_t;  // 1..; given once, never reused

inline constexpr size_t kMaxPositionsPerProducer = 100'000;
// Beside them, of files that are gone; the oldest retirements are forgotten first.
inline constexpr size_t kMaxRetiredPerProducer = 10'000;

inline constexpr int64_t kSweepEveryMs = 10 * 1000;

struct StoredPosition {
  std::string key;  // kLogFileKeyBytes
  LogPosition at;
};

// A file whose part does not begin where the store's position is.
struct RefusedFile {
  std::string key;
  bool known = false;
  LogPosition stored;
};

// A forwarder of an entry, whatever process speaks for it.
struct LogProducer {
  ProducerNumber number = 0;
  std::string entry, forwarder_name;
  int64_t first_contact_ms = 0, last_contact_ms = 0;  // persisted clock

  struct File {
    LogPosition at;
    std::string name;  // for people
  };
  std::map<std::string, File> files;  // by key
  RetiredFiles retired;               // none of these is among the files
};

class LogPositions {
 public:
  // The producer, made if it is new (*created): its number is `next_number` then.
  LogProducer& Meet(const std::string& entry, const std::string& forwarder_name, int64_t now_ms,
                    ProducerNumber next_number, bool* created);
  LogProducer* Find(ProducerNumber number);
  // From the store, at start.
  LogProducer& Load(LogProducer producer);
  void Remove(ProducerNumber number);
  // Producers whose last contact is before `horizon_ms`.
  std::vector<ProducerNumber> ForgottenBefore(int64_t horizon_ms) const;

  // What of a frame of `instance` does not fit; empty: it may be stored. A known file fits when
  // `from` is its position, whether the part says `first` or not; an unknown one when it says so.
  static std::vector<RefusedFile> Compare(const LogProducer& producer, InstanceNumber instance,
                                          const std::vector<LogFilePart>& files);
  // Whether the producer's files stay within the bound with these.
  static bool HasRoom(const LogProducer& producer, const std::vector<LogFilePart>& files);
  // After Compare() found nothing.
  static void Move(LogProducer& producer, const std::vector<LogFilePart>& files);
  // Takes over those that `instance` may not know; the keys of those.
  static std::vector<std::string> Adopt(LogProducer& producer, InstanceNumber instance,
                                        const std::vector<StoredPosition>& offered);
  // `by` says that the file is gone; instances up to `present` may have read it. False: it is not
  // known, or was retired already.
  static bool Retire(LogProducer& producer, const std::string& key, InstanceNumber by,
                     InstanceNumber present, int64_t now_ms);
  // Retirements that are too many are forgotten; their keys.
  static std::vector<std::string> BoundRetired(LogProducer& producer);
  // Of what is told in a welcome: without the retired ones.
  static std::vector<StoredPosition> All(const LogProducer& producer);

  // Whether retired files are to be looked through; then not again for kSweepEveryMs.
  bool SweepIsDue(int64_t now_ms);

  std::map<ProducerNumber, LogProducer>& all() { return producers_; }
  const std::map<ProducerNumber, LogProducer>& all() const { return producers_; }

 private:
  std::map<ProducerNumber, LogProducer> producers_;
  std::map<std::pair<std::string, std::string>, ProducerNumber> numbers_;
  int64_t swept_ms_ = 0;
};

}  // namespace ampari
