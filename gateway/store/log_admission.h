// LogAdmission: what a commit makes of the positions that streams of logs speak of. A frame of logs
// is taken or refused whole.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gateway/store/commit.h"

namespace ampari {

// A stream of logs begins: fills what the welcome tells of positions.
void WelcomeLogs(Commit& commit, const HelloRequest& hello, StreamRecord& stream,
                 WelcomeReply* reply);
// A frame of a stream that has been through refusals since: it was sent before its sender knew.
bool IsOutdated(const StreamRecord& stream, const FrameArrival& frame);
// Why the frame cannot be stored after the one before it; the stream's round has risen then.
// nullopt: its files have moved.
std::optional<FrameRefusal> MoveFiles(Commit& commit, StreamRecord& stream,
                                      const FrameArrival& frame);
void RetireFiles(Commit& commit, const StreamRecord& stream, const std::vector<std::string>& keys);
void AdoptFiles(Commit& commit, const StreamRecord& stream,
                const std::vector<StoredPosition>& offered);
// Positions of files that are gone, once no instance is left that may speak of them.
void ForgetRetiredFiles(Commit& commit);
// Producers of logs that nobody has spoken for since `max_age_ms`.
void ForgetOldLogProducers(Commit& commit, int64_t max_age_ms);

}  // namespace ampari
