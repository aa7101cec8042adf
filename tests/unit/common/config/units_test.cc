#include "common/config/units.h"

#include <optional>
#include <string>

#include "gtest/gtest.h"

namespace ampari {
namespace {

TEST(UnitsTest, Durations) {
  const struct {
    const char* text;
    std::optional<absl::Duration> duration;
    const char* printed;
  } rows[] = {
      {"0", absl::ZeroDuration(), "0s"},
      {"0s", absl::ZeroDuration(), "0s"},
      {"15s", absl::Seconds(15), "15s"},
      {"500ms", absl::Milliseconds(500), "500ms"},
      {"1h30m", absl::Minutes(90), "1h30m"},
      {"90m", absl::Minutes(90), "1h30m"},
      {"1m30s500ms", absl::Milliseconds(90500), "1m30s500ms"},
      {"72h", absl::Hours(72), "3d"},
      {"1d1h", absl::Hours(25), "1d1h"},
      {"1w", absl::Hours(168), "1w"},
      {"8d", absl::Hours(192), "8d"},
      {"1y", absl::Hours(8760), "1y"},
      {"1y2w3d4h5m6s7ms",
       absl::Hours(8760 + 14 * 24 + 3 * 24 + 4) + absl::Minutes(5) + absl::Milliseconds(6007),
       "382d4h5m6s7ms"},
      {"292y", absl::Hours(292 * 8760), "292y"},
      {"293y", std::nullopt, ""},
      {"99999999999999999999s", std::nullopt, ""},
      {"", std::nullopt, ""},
      {"1", std::nullopt, ""},
      {"s", std::nullopt, ""},
      {"-1s", std::nullopt, ""},
      {"1.5s", std::nullopt, ""},
      {"1s1s", std::nullopt, ""},
      {"1s1h", std::nullopt, ""},
      {"1 s", std::nullopt, ""},
      {" 1s", std::nullopt, ""},
      {"1s ", std::nullopt, ""},
      {"1S", std::nullopt, ""},
      {"1ns", std::nullopt, ""},
      {"1us", std::nullopt, ""},
      {"+1s", std::nullopt, ""},
  };
  for (const auto& row : rows) {
    const auto parsed = ParsePromDuration(row.text);
    ASSERT_EQ(parsed.ok(), row.duration.has_value()) << row.text;
    if (!parsed.ok()) continue;
    EXPECT_EQ(*parsed, *row.duration) << row.text;
    EXPECT_EQ(FormatPromDuration(*parsed), row.printed);
  }
}

TEST(UnitsTest, Sizes) {
  constexpr uint64_t kMi = uint64_t{1} << 20;
  const struct {
    const char* text;
    std::optional<uint64_t> bytes;
    const char* printed;
  } rows[] = {
      {"0", 0, "0B"},
      {"1", 1, "1B"},
      {"4096", 4096, "4KiB"},
      {"512B", 512, "512B"},
      {"1KB", 1024, "1KiB"},
      {"1KiB", 1024, "1KiB"},
      {"10MB", 10 * kMi, "10MiB"},
      {"512MiB", 512 * kMi, "512MiB"},
      {"50GiB", 50 * 1024 * kMi, "50GiB"},
      {"1.5GB", 1536 * kMi, "1536MiB"},
      {"1GiB512MiB", 1536 * kMi, "1536MiB"},
      {"2TiB", 2 * kMi * kMi, "2TiB"},
      {"7EiB", uint64_t{7} << 60, "7168PiB"},
      {"8EiB", std::nullopt, ""},
      {"99999999999EiB", std::nullopt, ""},
      {"", std::nullopt, ""},
      {"MiB", std::nullopt, ""},
      {"1M", std::nullopt, ""},
      {"1Mib", std::nullopt, ""},
      {"1mb", std::nullopt, ""},
      {"-1MB", std::nullopt, ""},
      {"1 MB", std::nullopt, ""},
      {"1MB ", std::nullopt, ""},
      {"1XB", std::nullopt, ""},
      {"inf", std::nullopt, ""},
      {"nan", std::nullopt, ""},
      {"0x10", std::nullopt, ""},
      {"1e3", std::nullopt, ""},
  };
  for (const auto& row : rows) {
    const auto parsed = ParseByteSize(row.text);
    ASSERT_EQ(parsed.ok(), row.bytes.has_value()) << row.text;
    if (!parsed.ok()) continue;
    EXPECT_EQ(*parsed, *row.bytes) << row.text;
    EXPECT_EQ(FormatByteSize(*parsed), row.printed);
  }
}

}  // namespace
}  // namespace ampari
