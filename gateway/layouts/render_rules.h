// RenderRules of a destination, from its configuration.
#pragma once

#include "absl/status/statusor.h"
#include "common/labels/labels.h"
#include "gateway/config.h"
#include "gateway/layouts/layout_cache.h"

namespace ampari {

// Raised whenever the same configuration would give a request other bytes than the version before.
inline constexpr uint64_t kComposerVersion = 1;

// Hash of all that shapes a request's bytes: external labels, write_relabel_configs, limits,
// request size, composer.
uint64_t RenderGeneration(const Labels& external_labels, const RemoteWriteConfig& config);

// InvalidArgument when a rule does not compile; configuration has checked that before.
absl::StatusOr<RenderRules> MakeRenderRules(const Labels& external_labels,
                                            const RemoteWriteConfig& config);

}  // namespace ampari
