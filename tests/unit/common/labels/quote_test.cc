#include "common/labels/quote.h"

#include <string>

#include "gtest/gtest.h"

namespace ampari {
namespace {

struct Row {
  std::string text;
  std::string quoted;
};

// Expectations from Go's strconv.Quote.
TEST(QuoteTest, EscapesAsGo) {
  const Row rows[] = {
      {"", R"("")"},
      {"plain", R"("plain")"},
      {"\a\b\f\r\n\t\v", R"("\a\b\f\r\n\t\v")"},
      {"\\", R"("\\")"},
      {"a\xff"
       "b",
       R"("a\xffb")"},
      {"\x01", R"("\x01")"},
      {"\x7f", R"("\x7f")"},
      {"\u263a", "\"\u263a\""},
      {"\U0001F600", "\"\U0001F600\""},
      {"\u00a0", R"("\u00a0")"},
      {"\u200b", R"("\u200b")"},
      {"\U0010ffff", R"("\U0010ffff")"},
      {"\xed\xa0\x80", R"("\xed\xa0\x80")"},  // a surrogate is not UTF-8
      {"\xc0\x80", R"("\xc0\x80")"},          // nor is an overlong form
      {"\xe2\x98", R"("\xe2\x98")"},
  };
  for (const Row& row : rows) EXPECT_EQ(Quoted(row.text), row.quoted);
}

TEST(QuoteTest, KnowsUtf8) {
  for (const char* good : {"", "a", "\u00e9", "\U0001F600", "\xf4\x8f\xbf\xbf"})
    EXPECT_TRUE(IsUtf8(good)) << good;
  for (const char* bad :
       {"\xff", "a\xe2\x98", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80"})
    EXPECT_FALSE(IsUtf8(bad)) << bad;
}

TEST(QuoteTest, CodePointsSurviveDecodingAndAppending) {
  for (const char32_t c :
       {0x24u, 0x7fu, 0x80u, 0x7ffu, 0x800u, 0xd7ffu, 0xe000u, 0xffffu, 0x10000u, 0x10ffffu}) {
    std::string text;
    AppendUtf8(c, &text);
    char32_t decoded = 0;
    EXPECT_EQ(DecodeUtf8(text, &decoded), text.size());
    EXPECT_EQ(decoded, c);
  }
}

}  // namespace
}  // namespace ampari
