#include "common/config/mapping_reader.h"

#include <stdlib.h>

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace ampari {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Every kind of field once.
struct Fields {
  std::string text, raw, path;
  bool flag = false;
  uint64_t number = 7, size = 7;
  uint32_t small = 7;
  absl::Duration duration;
  std::vector<std::string> list;
  Labels labels;
  Secret secret;
};

Fields Read(ConfigFile& file) {
  Fields fields;
  MappingReader root(file);
  root.Text("text", &fields.text);
  root.RawText("raw", &fields.raw);
  root.Path("path", &fields.path);
  root.Bool("flag", &fields.flag);
  root.Unsigned("number", &fields.number);
  root.Unsigned("small", &fields.small);
  root.Size("size", &fields.size);
  root.Duration("duration", &fields.duration);
  root.Texts("list", &fields.list);
  root.LabelSet("labels", &fields.labels);
  root.SecretOf("secret", &fields.secret);
  MappingReader child = root.Child("child");
  std::string name;
  child.Text("name", &name);
  child.Finish();
  for (MappingReader& item : root.Children("items")) {
    item.Text("name", &name);
    item.Finish();
  }
  root.Finish();
  return fields;
}

TEST(MappingReaderTest, ReadsEveryKindOfField) {
  setenv("AMPARI_TEST_A", "env", 1);
  ConfigFile file(
      "text: a-${AMPARI_TEST_A}-$$\nraw: $1-${1}-$$-${AMPARI_TEST_A}\npath: x/y\nflag: on\nnumber: "
      "12\nsmall: 13\n"
      "size: 1KiB\nduration: 1m\nlist: [1, true, '${AMPARI_TEST_A}']\nlabels: {b: 2, a: "
      "x}\nsecret_file: s\n",
      "/etc/ampari/f.yaml");
  const Fields fields = Read(file);
  ASSERT_THAT(file.status(), IsOk());
  EXPECT_EQ(fields.text, "a-env-$");
  EXPECT_EQ(fields.raw, "$1-${1}-$$-${AMPARI_TEST_A}");
  EXPECT_EQ(fields.path, "/etc/ampari/x/y");
  EXPECT_TRUE(fields.flag);
  EXPECT_EQ(fields.number, 12u);
  EXPECT_EQ(fields.small, 13u);
  EXPECT_EQ(fields.size, 1024u);
  EXPECT_EQ(fields.duration, absl::Minutes(1));
  EXPECT_THAT(fields.list, ElementsAre("1", "true", "env"));
  EXPECT_EQ(fields.labels, Labels({{"a", "x"}, {"b", "2"}}));
  EXPECT_EQ(fields.secret.file, "/etc/ampari/s");
}

TEST(MappingReaderTest, AbsentAndNullKeepDefaults) {
  for (const char* yaml : {"", "{}", "number:\nchild:\nitems:\nlist: ~\n"}) {
    ConfigFile file(yaml, "f.yaml");
    EXPECT_EQ(Read(file).number, 7u);
    EXPECT_THAT(file.status(), IsOk()) << yaml;
  }
}

TEST(MappingReaderTest, ErrorsNameFileLineAndPlace) {
  unsetenv("AMPARI_TEST_UNSET");
  setenv("AMPARI_TEST_LATIN1", "\xe9", 1);
  const struct {
    const char* yaml;
    const char* message;
  } rows[] = {
      {"\n\nflag: maybe", "f.yaml:3: flag: \"maybe\" is not true or false"},
      {"number: -1", "f.yaml:1: number: \"-1\" is not a whole number"},
      {"number: 1.5", "f.yaml:1: number: \"1.5\" is not a whole number"},
      {"number: 99999999999999999999", "is not a whole number"},
      {"small: 4294967296", "f.yaml:1: small: 4294967296 is too large"},
      {"size: 5 GB", "f.yaml:1: size: \"5 GB\" is not a size"},
      {"duration: 5", "f.yaml:1: duration: \"5\" is not a duration"},
      {"text: [a]", "f.yaml:1: text: expected a single value"},
      {"text: ${AMPARI_TEST_UNSET}",
       "f.yaml:1: text: the environment variable AMPARI_TEST_UNSET is not set"},
      {"list: a", "f.yaml:1: list: expected a list"},
      {"list: [a, {b: c}]", "f.yaml:1: list[1]: expected a single value"},
      {"labels: {a-b: c}", "f.yaml:1: labels.a-b: not a valid label name"},
      {"labels: {a: \"${AMPARI_TEST_LATIN1}\"}", "f.yaml:1: labels.a: the value is not UTF-8"},
      {"secret: a\nsecret_file: b",
       "f.yaml:1: secret: at most one of secret and secret_file may be given"},
      {"child: [a]", "f.yaml:1: child: expected a mapping"},
      {"child:\n  nam: x", "f.yaml:2: child: unknown key \"nam\"; did you mean \"name\"?"},
      {"items: {a: b}", "f.yaml:1: items: expected a list"},
      {"items:\n- name: x\n- {nme: y}",
       "f.yaml:3: items[1]: unknown key \"nme\"; did you mean \"name\"?"},
      {"items:\n- name: x\n-", "f.yaml:3: items[1]: the entry is empty"},
      {"durration: 1s", "f.yaml:1: unknown key \"durration\"; did you mean \"duration\"?"},
      {"zzzzzzzzz: 1", "f.yaml:1: unknown key \"zzzzzzzzz\"; valid here: text, raw"},
      {"- a", "f.yaml:1: expected a mapping"},
  };
  for (const auto& row : rows) {
    ConfigFile file(row.yaml, "f.yaml");
    Read(file);
    EXPECT_THAT(file.status(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(row.message)))
        << row.yaml;
  }
}

TEST(MappingReaderTest, AllErrorsComeAtOnceInTheOrderOfTheFile) {
  ConfigFile file("zzzzzzzzz: 1\nflag: maybe\nnumber: x\n", "f.yaml");
  Read(file);
  EXPECT_THAT(std::string(file.status().message()),
              testing::MatchesRegex("f.yaml:1: [^\n]*\nf.yaml:2: [^\n]*\nf.yaml:3: [^\n]*"));
}

TEST(ConfigFileTest, RelativePathsBelongToTheFilesDirectory) {
  const struct {
    const char* file;
    const char* path;
    const char* resolved;
  } rows[] = {{"/etc/a/f.yaml", "b", "/etc/a/b"},
              {"/etc/a/f.yaml", "/b", "/b"},
              {"f.yaml", "b", "b"},
              {"d/f.yaml", "b/c", "d/b/c"},
              {"/etc/a/f.yaml", "", ""}};
  for (const auto& row : rows) EXPECT_EQ(ConfigFile("", row.file).Resolve(row.path), row.resolved);
}

TEST(ConfigFileTest, LeavesOutOnlyWhatIsOtherwiseRight) {
  ConfigFile file("", "f.yaml");
  file.AddUnsupported(1, "earlier");
  const ConfigFile::Mark mark = file.mark();
  EXPECT_FALSE(file.LeaveOut(mark, 2, "job a"));
  file.AddUnsupported(3, "b: not built");
  EXPECT_TRUE(file.LeaveOut(mark, 2, "job a"));
  EXPECT_THAT(file.warnings(), ElementsAre("f.yaml:2: job a is left out: b: not built"));
  file.AddUnsupported(4, "c");
  file.AddError(5, "d");
  EXPECT_FALSE(file.LeaveOut(mark, 2, "job a"));
  EXPECT_EQ(std::string(file.status().message()), "f.yaml:1: earlier\nf.yaml:4: c\nf.yaml:5: d");
}

TEST(NearestKeyTest, FindsTyposOnly) {
  const std::vector<std::string> valid = {"scrape_interval", "scrape_timeout", "name", "url"};
  const struct {
    const char* key;
    const char* near;
  } rows[] = {{"scrape_intervall", "scrape_interval"},
              {"scrapeinterval", "scrape_interval"},
              {"nmae", "name"},
              {"URL", ""},
              {"completely_else", ""},
              {"ur", "url"}};
  for (const auto& row : rows) EXPECT_EQ(NearestKey(row.key, valid), row.near) << row.key;
}

}  // namespace
}  // namespace ampari
