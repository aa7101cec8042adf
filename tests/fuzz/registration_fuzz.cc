// Arbitrary bytes as a registration block, and as the payload of one with a right checksum. What
// decodes must encode to something that decodes to the same.
#include "common/frame/compression.h"
#include "common/frame/registration.h"
#include "common/frame/registration_header.h"
#include "common/runtime/check.h"

namespace ampari {
namespace {

void Run(std::string_view bytes) {
  (void)DecodeRegistration(bytes);
  if (bytes.size() < 2) return;
  RegistrationHeader header;
  header.number = header.first_series = header.first_layout = 1;
  header.series = static_cast<uint8_t>(bytes[0]) % 8;
  header.layouts = static_cast<uint8_t>(bytes[1]) % 8;
  header.raw_bytes = static_cast<uint32_t>(bytes.size() - 2);
  std::string block(kRegistrationHeaderBytes, '\0');
  static void* zstd = NewCompressState();
  CompressAppend(zstd, bytes.substr(2), &block);
  StoreRegistrationHeader(header, &block);
  const auto decoded = DecodeRegistration(block);
  if (!decoded.ok()) return;
  const auto again = DecodeRegistration(EncodeRegistration(*decoded));
  Check(again.ok() && *again == *decoded, "a block that decodes encodes to itself");
}

}  // namespace
}  // namespace ampari

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  ampari::Run(std::string_view(reinterpret_cast<const char*>(bytes), size));
  return 0;
}
