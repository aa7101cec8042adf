// Texts from anywhere stay texts in a terminal and in a browser.
#include "forwarder/plain_table.h"

#include <gtest/gtest.h>

#include <string>

namespace ampari {
namespace {

TEST(PlainTable, PrintableText) {
  const struct {
    std::string text;
    const char* printable;
  } rows[] = {
      {"", ""},
      {"/var/log/pods/a_b_c/d/0.log", "/var/log/pods/a_b_c/d/0.log"},
      {"says \"no\" \\ <b>", "says \"no\" \\ <b>"},
      {"αμπάρι", "αμπάρι"},
      {"a\nb\tc\r", "a\\nb\\tc\\r"},
      {"\x1b[2J", "\\x1b[2J"},
      {"\xff\xc3", "\\xff\\xc3"},
      {std::string("\0", 1), "\\x00"},
      {"\xc2\x9b", "\\u009b"},  // a C1 control
      {"\xe2\x80\xae"
       "abc",
       "\\u202eabc"},  // right-to-left override
  };
  for (const auto& row : rows) EXPECT_EQ(PrintableText(row.text), row.printable);
}

TEST(PlainTable, EscapedHtml) {
  EXPECT_EQ(EscapedHtml("<script>\"a\" & 'b'</script>"),
            "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/script&gt;");
  EXPECT_EQ(EscapedHtml("αμπάρι"), "αμπάρι");
}

TEST(PlainTable, ColumnsAreAligned) {
  const PlainTable table{
      "Files", {"path", "state", "n"}, {{"/α", "read", "1"}, {"/longer", "", "22"}}};
  EXPECT_EQ(TableText(table),
            "Files: 2\n"
            "path     state  n\n"
            "/α       read   1\n"
            "/longer         22\n");
  EXPECT_EQ(TableText({"Files", {"path"}, {}}), "Files: none\n");
}

TEST(PlainTable, ACellIsOneLineAndNoMarkup) {
  const PlainTable table{"T", {"a"}, {{"<i>\n\x1b"}}};
  EXPECT_EQ(TableText(table), "T: 1\na\n<i>\\n\\x1b\n");
  EXPECT_EQ(TableHtml(table),
            "<h2>T: 1</h2>\n<table>\n<tr><th>a</th></tr>\n"
            "<tr><td>&lt;i&gt;\\n\\x1b</td></tr>\n</table>\n");
}

}  // namespace
}  // namespace ampari
