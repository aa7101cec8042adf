#include "common/config/yaml_writer.h"

#include <string>
#include <vector>

#include "common/config/environment.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ampari {
namespace {

TEST(MappingWriterTest, WhatIsWrittenReadsBack) {
  const std::vector<std::string> texts = {
      "plain",  "true",        "null",   "~",
      "080",    "with space",  " lead",  "-x",
      "- x",    "a: b",        "a:",     "#c",
      "a #b",   "{x}",         "[y]",    "*z",
      "&z",     "!t",          "%d",     "@e",
      "`f",     "'q'",         "\"dq\"", "back\\slash",
      "tab\t",  "line\nbreak", "é",      "\x01",
      "|",      ">",           "?",      "multi\n\n  indent\n",
      "\u2028", "a,b",         "=",
  };
  for (const std::string& text : texts) {
    MappingWriter child, root;
    child.RawText("value", text).RawTexts("list", {text, text});
    std::vector<MappingWriter> children;
    children.push_back(child);
    children.push_back(child);
    root.Child("child", child).Children("children", children).RawText("last", text);
    std::vector<YamlProblem> problems;
    const YamlNode node = ParseYaml(root.ToYaml(), &problems);
    ASSERT_TRUE(problems.empty()) << root.ToYaml();
    ASSERT_EQ(node.entries.size(), 3u) << root.ToYaml();
    EXPECT_EQ(node.Find("child")->Find("value")->text, text);
    EXPECT_EQ(node.Find("children")->items.at(1).Find("list")->items.at(1).text, text);
    EXPECT_EQ(node.Find("last")->text, text);
  }
}

TEST(MappingWriterTest, TextsSurviveExpansion) {
  for (const std::string text : {"$", "$$", "${HOME}", "a$1", "${1}"}) {
    MappingWriter root;
    root.Text("value", text);
    std::vector<YamlProblem> problems;
    const YamlNode node = ParseYaml(root.ToYaml(), &problems);
    EXPECT_EQ(*ExpandEnvironment(node.Find("value")->text), text);
  }
}

TEST(MappingWriterTest, SecretsAreNotWritten) {
  HttpClientOptions options;
  options.has_basic_auth = true;
  options.username.value = "user";
  options.password.value = "canary1";
  options.authorization_type = "Bearer";
  options.credentials.value = "canary2";
  options.tls.key.value = "canary3";
  options.proxy_url = "http://u:canary4@p:1";
  options.headers = {{"X-Api-Key", {"canary5"}, {{"canary6", ""}}},
                     {"X-Scope-OrgID", {"tenant"}, {}}};
  MappingWriter root;
  const std::string yaml = root.HttpClient(options).SecretOf("token", {"canary7", ""}).ToYaml();
  EXPECT_THAT(yaml, testing::Not(testing::HasSubstr("canary")));
  EXPECT_THAT(yaml, testing::HasSubstr("<secret>"));
  EXPECT_THAT(yaml, testing::HasSubstr("tenant"));
  EXPECT_THAT(yaml, testing::HasSubstr("username: user"));
}

TEST(MappingWriterTest, AnEmptyMappingIsStillYaml) { EXPECT_EQ(MappingWriter().ToYaml(), "{}\n"); }

}  // namespace
}  // namespace ampari
