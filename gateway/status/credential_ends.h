// When the gateway's own credentials end: its certificate, and what it shows and trusts at regions.
#pragma once

#include <string>
#include <vector>

#include "gateway/config.h"
#include "gateway/status/snapshot.h"

namespace ampari {

// Reads the files. What does not end (an opaque token) or cannot be read is left out.
std::vector<CredentialEnd> CredentialEnds(const GatewayConfig& config);

}  // namespace ampari
