#include "common/http/json_writer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <string>

namespace ampari {
namespace {

TEST(JsonWriter, EscapesStrings) {
  const struct {
    std::string text;
    const char* json;
  } kRows[] = {
      {"", R"("")"},
      {"plain", R"("plain")"},
      {"a\"b\\c/d", R"("a\"b\\c/d")"},
      {"\n\r\t", R"("\n\r\t")"},
      {std::string("\0\x01\x1f\x7f", 4), R"("\u0000\u0001\u001f\u007f")"},
      {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x9a\xa2",
       "\"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x9a\xa2\""},
      {"\xff", "\"\xEF\xBF\xBD\""},
      {"\xc3", "\"\xEF\xBF\xBD\""},
      {"\xc0\xaf", "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
      {"\xed\xa0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
      {"\xf4\x90\x80\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
      {"\xe2\x82x", "\"\xEF\xBF\xBD\xEF\xBF\xBDx\""},
      {"</script>", R"("</script>")"},
  };
  for (const auto& row : kRows) {
    std::string out;
    AppendJsonString(row.text, &out);
    EXPECT_EQ(out, row.json) << row.text;
  }
}

TEST(JsonWriter, WritesNestedDocuments) {
  JsonWriter json;
  json.BeginObject()
      .Field("a", 1)
      .Key("b")
      .BeginArray()
      .Value(true)
      .Null()
      .Value(1.5)
      .BeginObject()
      .EndObject();
  json.EndArray().Field("c", "x").Key("d").BeginArray().EndArray();
  json.Counts("e", std::map<std::string, uint64_t>{{"x", 1}, {"y", 2}}).EndObject();
  EXPECT_EQ(json.Take(), R"({"a":1,"b":[true,null,1.5,{}],"c":"x","d":[],"e":{"x":1,"y":2}})");
  EXPECT_EQ(json.Take(), "");
}

TEST(JsonWriter, Numbers) {
  JsonWriter json;
  json.BeginArray()
      .Value(std::numeric_limits<uint64_t>::max())
      .Value(std::numeric_limits<int64_t>::min());
  json.Value(0.1)
      .Value(1e300)
      .Value(std::numeric_limits<double>::infinity())
      .Value(std::nan(""))
      .EndArray();
  EXPECT_EQ(json.Take(), "[18446744073709551615,-9223372036854775808,0.1,1e+300,null,null]");
}

}  // namespace
}  // namespace ampari
