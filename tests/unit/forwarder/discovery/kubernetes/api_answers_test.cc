#include "forwarder/discovery/kubernetes/api_answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"
#include "tests/unit/forwarder/discovery/kubernetes/pod_json.h"

namespace ampari {
namespace {

using ::testing::HasSubstr;

TEST(ApiAnswers, APage) {
  const auto page =
      ParsePodPage(ListJson({PodJson("a", "10.0.0.1"), PodJson("b", "")}, "77", "next"));
  ASSERT_THAT(page, IsOk());
  EXPECT_EQ(page->resource_version, "77");
  EXPECT_EQ(page->continue_token, "next");
  ASSERT_EQ(page->pods.size(), 2);
  EXPECT_EQ(page->pods[0].key, "n/a");
  EXPECT_EQ(page->pods[0].group.targets, std::vector<std::string>{"10.0.0.1"});
  EXPECT_FALSE(page->pods[0].group.logs_only);
  EXPECT_TRUE(page->pods[1].group.logs_only);
  EXPECT_EQ(page->refused, "");
}

TEST(ApiAnswers, WhatIsNoPage) {
  const std::string rows[] = {
      "",
      "null",
      "{}",
      "[]",
      "<html></html>",
      R"({"kind":"PodList","metadata":{},"items":[]})",
      R"({"kind":"PodList","items":[]})",
      R"({"kind":"NodeList","metadata":{"resourceVersion":"1"},"items":[]})",
      R"({"metadata":{"resourceVersion":"1"},"items":[]})",
      R"({"kind":"PodList","metadata":{"resourceVersion":"1"},"items":[)",
      R"({"kind":"PodList","metadata":{"resourceVersion":"1"},"items":[]} {})",
      R"({"kind":"PodList","metadata":{"resourceVersion":"1"},"items":[{}]})",
      R"({"kind":"PodList","metadata":{"resourceVersion":"1"},"items":[{"metadata":{"name":"a"}}]})",
      R"({"kind":"PodList","metadata":{"resourceVersion":"1"},"items":{"a":1}})",
      StatusJson(500, "m"),
      PodJson("a", "10.0.0.1"),
      std::string(200'000, '['),
      R"({"kind":"PodList","metadata":{"resourceVersion":"1"},"items":)" +
          std::string(200'000, '['),
  };
  for (const std::string& row : rows) {
    EXPECT_THAT(ParsePodPage(row), StatusIs(absl::StatusCode::kInvalidArgument))
        << row.substr(0, 100);
  }
}

TEST(ApiAnswers, Events) {
  struct Row {
    const char* type;
    WatchEvent::Type want;
  };
  const Row rows[] = {{"ADDED", WatchEvent::Type::kUpsert},
                      {"MODIFIED", WatchEvent::Type::kUpsert},
                      {"DELETED", WatchEvent::Type::kRemove}};
  for (const Row& row : rows) {
    const auto event = ParseWatchEvent(EventJson(row.type, PodJson("a", "10.0.0.1", 9)));
    ASSERT_THAT(event, IsOk()) << row.type;
    EXPECT_EQ(event->type, row.want) << row.type;
    EXPECT_EQ(event->pod.key, "n/a");
    EXPECT_EQ(event->resource_version, "9");
  }
  const auto bookmark = ParseWatchEvent(BookmarkJson(12));
  ASSERT_THAT(bookmark, IsOk());
  EXPECT_EQ(bookmark->type, WatchEvent::Type::kBookmark);
  EXPECT_EQ(bookmark->resource_version, "12");
  const auto error = ParseWatchEvent(EventJson("ERROR", StatusJson(410, "too old", 7)));
  ASSERT_THAT(error, IsOk());
  EXPECT_EQ(error->type, WatchEvent::Type::kError);
  EXPECT_EQ(error->status.code, 410);
  EXPECT_EQ(error->status.words, "too old");
  EXPECT_EQ(error->status.retry_after, absl::Seconds(7));
  // A Status object without a status of its own.
  const auto bare = ParseWatchEvent(R"({"type":"ERROR","object":{"code":500}})");
  ASSERT_THAT(bare, IsOk());
  EXPECT_EQ(bare->status.code, 500);
}

TEST(ApiAnswers, WhatIsNoEvent) {
  const std::string pod = PodJson("a", "10.0.0.1");
  const std::string rows[] = {
      "",
      "null",
      "{}",
      "garbage",
      R"({"type":"ADDED"})",
      R"({"type":"ADDED","object":null})",
      R"({"type":"DELETED","object":{}})",
      R"({"type":"ADDED","object":{"kind":"Pod","metadata":{"name":"a","namespace":"n"}}})",
      R"({"type":"ADDED","object":{"kind":"Pod","metadata":{"resourceVersion":"1"}}})",
      R"({"type":"BOOKMARK","object":{"kind":"Pod","metadata":{}}})",
      EventJson("RENAMED", pod),
      EventJson("added", pod),
      EventJson("ADDED", StatusJson(410, "too old")),
      EventJson("ADDED", R"({"kind":"Node","metadata":{"name":"a","namespace":"n",)"
                         R"("resourceVersion":"1"}})"),
      pod,
      EventJson("ADDED", pod).substr(0, 80),
  };
  for (const std::string& row : rows) {
    EXPECT_THAT(ParseWatchEvent(row), StatusIs(absl::StatusCode::kInvalidArgument)) << row;
  }
}

TEST(ApiAnswers, APodBeyondABoundGetsNoTargetsAndHidesNoOther) {
  std::string labels = "\"l0\":\"\"";
  for (size_t i = 1; i <= kMaxPodKeys; ++i) absl::StrAppend(&labels, ",\"l", i, "\":\"\"");
  const std::string huge = absl::StrCat(
      R"({"kind":"Pod","metadata":{"name":"huge","namespace":"n","resourceVersion":"5","labels":{)",
      labels, R"(}},"status":{"podIP":"10.0.0.9"}})");
  const auto page = ParsePodPage(ListJson({PodJson("a", "10.0.0.1"), huge}, "1"));
  ASSERT_THAT(page, IsOk());
  ASSERT_EQ(page->pods.size(), 2);
  EXPECT_EQ(page->pods[1].key, "n/huge");
  EXPECT_TRUE(page->pods[1].group.targets.empty());
  EXPECT_THAT(page->refused, HasSubstr("n/huge"));
  const auto event = ParseWatchEvent(EventJson("MODIFIED", huge));
  ASSERT_THAT(event, IsOk());
  EXPECT_EQ(event->pod.key, "n/huge");
  EXPECT_THAT(event->refused, HasSubstr("n/huge"));
}

TEST(ApiAnswers, StatusObjects) {
  EXPECT_EQ(ParseApiStatus("no JSON").code, 0);
  EXPECT_EQ(ParseApiStatus(StatusJson(429, "slow\\ndown")).words, "slow down");
  EXPECT_FALSE(ParseApiStatus(StatusJson(504, "etcd")).version_too_large);
  EXPECT_TRUE(ParseApiStatus(StatusJson(504, "Too large resource version: 9, current: 1"))
                  .version_too_large);
  EXPECT_TRUE(ParseApiStatus(R"({"code":504,"details":{"causes":[{"reason":)"
                             R"("ResourceVersionTooLarge"}]}})")
                  .version_too_large);
  EXPECT_LE(ParseApiStatus(StatusJson(500, std::string(10'000, 'x'))).words.size(), 256);
}

}  // namespace
}  // namespace ampari
