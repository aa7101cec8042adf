#include "common/relabel/unicode_case.h"

#include "gtest/gtest.h"

namespace ampari {
namespace {

TEST(UnicodeCaseTest, MapsCodePointsAsGo) {
  const struct {
    const char* text;
    const char* lower;
    const char* upper;
  } rows[] = {
      {"", "", ""},
      {"aBc-1_Z", "abc-1_z", "ABC-1_Z"},
      {"ÄÖÜ äöü é", "äöü äöü é", "ÄÖÜ ÄÖÜ É"},
      {"Αμπάρι", "αμπάρι", "ΑΜΠΆΡΙ"},
      {"Ковчег", "ковчег", "КОВЧЕГ"},
      {"ß", "ß", "ß"},  // one code point stays one
      {"船", "船", "船"},
      {"ÿ", "ÿ", "Ÿ"},
      {"a\xff", "a\uFFFD", "A\uFFFD"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(ToLowerText(row.text), row.lower);
    EXPECT_EQ(ToUpperText(row.text), row.upper);
  }
}

}  // namespace
}  // namespace ampari
