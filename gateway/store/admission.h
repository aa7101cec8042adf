// Admission: what becomes of everything that arrives on a stream, step by step, within a commit.
// Duplicates are acknowledged without a write; a frame that is not mark + 1 is refused.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/store/commit.h"

namespace ampari {

void AdmitHello(Commit& commit, StreamId stream, const HelloRequest& hello,
                std::shared_ptr<StreamSink> sink);
void AdmitRegistration(Commit& commit, StreamId stream, const std::string& block);
void AdmitRetire(Commit& commit, StreamId stream, const std::vector<uint64_t>& blocks);
// Of logs: positions that are retired, or brought along by a new instance.
void AdmitRetireFiles(Commit& commit, StreamId stream, const std::vector<std::string>& keys);
void AdmitOffer(Commit& commit, StreamId stream, const std::vector<StoredPosition>& offered);
void AdmitFrame(Commit& commit, StreamId stream, const FrameArrival& frame);
void AdmitGap(Commit& commit, StreamId stream, const GapArrival& gap);
void AdmitDrained(Commit& commit, StreamId stream);
// The stream ended; nothing is said to it.
void AdmitClose(Commit& commit, StreamId stream);
// The stream ends with a last word.
void CloseWith(Commit& commit, StreamId stream, const absl::Status& why);
// Tells streams whose standing has changed (superseded, admitted).
void JudgeStandings(Commit& commit);
// Tells every stream of metrics and logs that the gateway takes frames again, or that it does not.
void TellPaused(Commit& commit);
// Sum of settled frames changed: what the streams of these instances are told with the next
// acknowledgement.
void AcknowledgeInstance(Commit& commit, InstanceNumber instance);

}  // namespace ampari
