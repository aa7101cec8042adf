// Settings of the lines of one entry of log_configs: their length, where files begin,
// istio_access_log, and the rules that keep, drop or sample. docs/configuration.md shows them.
#pragma once

#include "common/config/mapping_reader.h"
#include "common/config/yaml_writer.h"
#include "forwarder/tail/log_target.h"

namespace ampari {

// A line must fit into a frame, with others.
inline constexpr uint64_t kMaxConfiguredLineBytes = uint64_t{8} << 20;
inline constexpr size_t kMaxPromotedLabels = 15;  // Loki's default limit of a stream's labels
inline constexpr size_t kMaxLineRules = 256;

// Consumes the keys of `block`, which the caller finishes; fills lines, start, access and rules.
// What is wrong is an error of the block's file; a label that would make a stream of nearly every
// line is a warning.
void ReadLogLineSettings(MappingReader& block, LogJob* job);

// As they are read; what is at its default too.
void WriteLogLineSettings(const LogJob& job, MappingWriter* block);

}  // namespace ampari
