// The uncompressed head of a registration block; FORMAT.md has the offsets. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "common/frame/registration.h"

namespace ampari {

inline constexpr size_t kRegistrationHeaderBytes = 56;

// Writes the header, checksum included, into the first kRegistrationHeaderBytes of `block`, whose
// payload is in place.
void StoreRegistrationHeader(const RegistrationHeader& header, std::string* block);

}  // namespace ampari
