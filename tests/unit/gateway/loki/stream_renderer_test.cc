// Which labels a stream is sent with, and what a limit says of it.
#include "gateway/loki/stream_renderer.h"

#include <gtest/gtest.h>

namespace ampari {
namespace {

TEST(StreamRenderer, LabelsComeInTheOrderOfTheContract) {
  const struct {
    Labels stream, external, enforced;
    const char* selector;
  } rows[] = {
      {{{"a", "own"}}, {}, {}, "{a=\"own\"}"},
      {{{"a", "own"}}, {{"a", "external"}, {"b", "external"}}, {}, "{a=\"own\", b=\"external\"}"},
      {{{"a", "own"}}, {{"b", "external"}}, {{"a", "e"}, {"b", "e"}}, "{a=\"e\", b=\"e\"}"},
      {{{"z", "1"}}, {{"m", "2"}}, {{"a", "3"}}, "{a=\"3\", m=\"2\", z=\"1\"}"},
      {{}, {}, {}, "{}"},
  };
  for (const auto& row : rows) {
    const StreamRules rules{row.external, {}};
    EXPECT_EQ(RenderStream(row.stream, row.enforced, rules).selector, row.selector);
    StreamRenderer renderer(rules);
    EXPECT_EQ(renderer.Render(row.stream, row.enforced)->selector, row.selector);
  }
}

TEST(StreamRenderer, LimitsAreNamed) {
  const Labels labels = {{"app", "web"}, {"container", "istio-proxy"}};
  const struct {
    LogLimits limits;
    const char* words;
  } rows[] = {
      {{}, ""},
      {{.max_label_names = 2, .max_label_name_length = 9, .max_label_value_length = 11}, ""},
      {{.max_label_names = 1}, "2 labels, the limit is 1"},
      {{.max_label_name_length = 8}, "a label name of 9 bytes, the limit is 8: container"},
      {{.max_label_value_length = 10}, "a label value of 11 bytes, the limit is 10: container"},
  };
  for (const auto& row : rows) EXPECT_EQ(StreamRefusal(labels, row.limits), row.words);
  const RenderedStream refused = RenderStream(labels, {}, {{}, {.max_label_names = 1}});
  EXPECT_EQ(refused.refusal, "2 labels, the limit is 1: {app=\"web\", container=\"istio-proxy\"}");
}

// Loki (pkg/distributor/validator.go) allows one name more to a stream that names its service.
TEST(StreamRenderer, TheNameOfTheServiceIsNotCounted) {
  const LogLimits limits = {.max_label_names = 2};
  EXPECT_EQ(StreamRefusal({{"a", "1"}, {"b", "2"}, {"service_name", "web"}}, limits), "");
  EXPECT_EQ(StreamRefusal({{"a", "1"}, {"b", "2"}, {"c", "3"}, {"service_name", "web"}}, limits),
            "3 labels besides service_name, the limit is 2");
}

// What is not UTF-8 is sent as U+FFFD, of three bytes.
TEST(StreamRenderer, ValuesAreMeasuredAsTheyAreSent) {
  const LogLimits limits = {.max_label_value_length = 4};
  EXPECT_EQ(StreamRefusal({{"a", "x\xff"}}, limits), "");
  EXPECT_EQ(StreamRefusal({{"a", "\xff\xff"}}, limits),
            "a label value of 6 bytes, the limit is 4: a");
}

// A name is not quoted in a selector: it could speak for the labels that an entry enforces.
TEST(StreamRenderer, NamesThatASelectorCannotHoldAreRefused) {
  for (const char* name : {"a.b", "0a", "a-b", "a b", "\xc3\xa9", "a:b", "a=\"x\", cluster",
                           "cluster=\"another\"}#", "a\n"}) {
    const RenderedStream rendered = RenderStream({{name, "v"}}, {{"cluster", "own"}}, {});
    EXPECT_EQ(rendered.refusal.find("a label name that Loki does not take: \""), 0u) << name;
  }
  EXPECT_EQ(RenderStream({{"_A1", "v"}, {"__x__", "v"}}, {}, {}).refusal, "");
}

TEST(StreamRenderer, RemembersUpToItsBound) {
  StreamRenderer renderer({});
  const auto first = renderer.Render({{"a", "0"}}, {});
  EXPECT_EQ(renderer.Render({{"a", "0"}}, {}), first);
  EXPECT_NE(renderer.Render({{"a", "0"}}, {{"b", "1"}}), first);
  const std::string large(1 << 20, 'x');
  for (int i = 0; i < 20; ++i) renderer.Render({{"a", large + std::to_string(i)}}, {});
  const auto again = renderer.Render({{"a", "0"}}, {});
  EXPECT_NE(again, first);  // it was forgotten
  EXPECT_EQ(again->selector, first->selector);
}

}  // namespace
}  // namespace ampari
