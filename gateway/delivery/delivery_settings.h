// DeliverySettings: what a destination is configured with. A plain value.
#pragma once

#include <variant>

#include "common/labels/labels.h"
#include "gateway/config.h"

namespace ampari {

struct DeliverySettings {
  std::variant<RemoteWriteConfig, LokiWriteConfig> config;  // never changes its kind
  Labels external_labels;
};

}  // namespace ampari
