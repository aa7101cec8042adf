// Delivery of logs: batches, limits, the outcome table, order; over a queue in memory.
#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "tests/integration/log_bed.h"

namespace ampari {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

ServerResponse Answer(int status, std::string body = "") {
  ServerResponse response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

std::vector<std::string> TextsOf(const std::vector<LokiLine>& lines) {
  std::vector<std::string> texts;
  for (const LokiLine& line : lines) texts.push_back(std::get<1>(line));
  return texts;
}

TEST(LogDelivery, LinesArriveByStreamWithTheirTimes) {
  LogBed bed;
  bed.external_labels = {{"app", "external"}, {"mesh", "prod"}};
  bed.queue.SetEnforced(1, {{"cluster", "a"}});
  bed.Append(3, 1, {{"web", "one"}, {"web", "two"}, {"db", "three"}}, {{"code", "200"}});
  bed.Start();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  bed.ExpectSound();
  const auto stored = bed.loki.stored();
  ASSERT_THAT(stored, SizeIs(2));
  EXPECT_THAT(stored.at("{app=\"web\", cluster=\"a\", mesh=\"prod\"}"),
              ElementsAre(LokiLine(kFirstNs, "one", "code=200,"),
                          LokiLine(kFirstNs + 1, "two", "code=200,")));
  EXPECT_THAT(TextsOf(stored.at("{app=\"db\", cluster=\"a\", mesh=\"prod\"}")),
              ElementsAre("three"));
  EXPECT_EQ(bed.queue.totals().delivered, 3u);
  EXPECT_EQ(bed.queue.totals().settled.at(1), 1u);
  const LokiRequest request = bed.loki.requests().at(0);
  EXPECT_EQ(request.headers.at("content-encoding"), "snappy");
  EXPECT_EQ(request.headers.at("x-scope-orgid"), "acme");
  EXPECT_EQ(request.headers.at("x-ampari-frames"), "acme/logs;lane=3;frames=1-1");
}

// A frame waits for others until the wait is over by the queue's clock.
TEST(LogDelivery, FramesOfALaneTravelTogether) {
  LogBed bed;
  bed.config.batch_wait = absl::Seconds(10);
  for (int i = 0; i < 3; ++i) bed.Append(2, 1, {{"web", std::to_string(i)}});
  bed.queue.SetNow(bed.queue.NowMs() + 10'000);
  bed.Start();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  bed.ExpectSound();
  ASSERT_THAT(bed.loki.requests(), SizeIs(1));
  const LokiRequest request = bed.loki.requests()[0];
  ASSERT_THAT(request.streams, SizeIs(1));
  EXPECT_THAT(TextsOf(request.streams[0].second), ElementsAre("0", "1", "2"));
  EXPECT_EQ(request.headers.at("x-ampari-frames"), "acme/logs;lane=2;frames=1-3");
  EXPECT_EQ(bed.queue.totals().settlements, 1u);
}

TEST(LogDelivery, AFrameWaitsForOthersOfItsLane) {
  LogBed bed;
  bed.config.batch_wait = absl::Seconds(10);
  bed.Append(1, 1, {{"old", "x"}});
  bed.queue.SetNow(bed.queue.NowMs() + 10'000);
  bed.Append(0, 1, {{"web", "1"}});
  bed.Start();
  ASSERT_TRUE(
      bed.queue.WaitFor([](const MemoryQueue::Totals& totals) { return totals.delivered == 1; }));
  EXPECT_THAT(bed.loki.requests(), SizeIs(1));  // both frames were read, one has waited enough
  bed.Append(0, 1, {{"web", "2"}});
  bed.queue.SetNow(bed.queue.NowMs() + 10'000);
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  bed.ExpectSound();
  EXPECT_THAT(TextsOf(bed.loki.stored().at("{app=\"web\"}")), ElementsAre("1", "2"));
}

TEST(LogDelivery, BatchesEndAtTheirSizeAndALargerLineIsAlone) {
  LogBed bed;
  bed.config.batch_bytes = 1000;
  std::vector<AppLine> lines;
  for (int i = 0; i < 7; ++i)
    lines.emplace_back("web", std::string(300, static_cast<char>('a' + i)));
  lines.insert(lines.begin() + 4, {{"db", std::string(5000, 'x')}, {"db", "small"}});
  bed.Append(0, 1, lines);
  bed.Start();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  bed.ExpectSound();
  std::map<std::string, std::vector<size_t>> sizes;
  for (const LokiRequest& request : bed.loki.requests())
    sizes[request.streams.at(0).first].push_back(request.lines());
  EXPECT_THAT(sizes, ElementsAre(Pair("{app=\"db\"}", ElementsAre(1, 1)),
                                 Pair("{app=\"web\"}", ElementsAre(3, 3, 1))));
  EXPECT_EQ(bed.loki.stored_lines(), 9u);
}

// Streams that are told apart only by a label which the entry enforces become one.
TEST(LogDelivery, StreamsThatEnforcedLabelsMakeEqualAreOne) {
  LogBed bed;
  bed.queue.SetEnforced(1, {{"app", "same"}});
  bed.Append(0, 1, {{"web", "1"}, {"db", "2"}, {"web", "3"}});
  bed.Start();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  bed.ExpectSound();
  EXPECT_THAT(TextsOf(bed.loki.stored().at("{app=\"same\"}")), ElementsAre("1", "2", "3"));
}

TEST(LogDelivery, AFilteredFrameIsSettledWithoutARequest) {
  LogBed bed;
  LogFrameBuilder builder;
  builder.AddFile({std::string(kLogFileKeyBytes, 'k'), true, {}, {100, 0}, "file"});
  bed.queue.AppendRaw(0, 1, builder.Finish(1), 0);
  bed.Start();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  bed.ExpectSound();
  EXPECT_THAT(bed.loki.requests(), IsEmpty());
}

struct Row {
  const char* name;
  std::vector<ServerResponse> answers;  // then the region's own judgement
  bool stores = false;                  // stores what it was sent with these answers
  uint64_t delivered = 4, rejected = 0, uncertain = 0;
  const char* reason = "bad_request";
  size_t requests = 2;
};

ServerResponse NoAnswer() {
  ServerResponse response;
  response.close_without_answer = true;
  return response;
}

// Four lines, answered as the row says.
TEST(LogDelivery, OutcomeTable) {
  const Row rows[] = {
      {.name = "204", .answers = {Answer(204)}, .stores = true, .requests = 1},
      {.name = "200", .answers = {Answer(200)}, .stores = true, .requests = 1},
      {.name = "503", .answers = {Answer(503)}},
      {.name = "500 stored", .answers = {Answer(500)}, .stores = true},
      {.name = "408", .answers = {Answer(408)}},
      {.name = "no answer", .answers = {NoAnswer()}, .stores = true},
      {.name = "429", .answers = {Answer(429), Answer(429)}, .requests = 3},
      {.name = "429 partly stored", .answers = {Answer(429)}, .stores = true},
      {.name = "413 halves", .answers = {Answer(413)}, .requests = 3},
      {.name = "260",
       .answers = {Answer(260, "blocked")},
       .delivered = 0,
       .rejected = 4,
       .reason = "blocked",
       .requests = 1},
      {.name = "400 all",
       .answers = std::vector<ServerResponse>(7, Answer(400)),
       .delivered = 0,
       .rejected = 4,
       .requests = 7},
      {.name = "422",
       .answers = std::vector<ServerResponse>(7, Answer(422)),
       .delivered = 0,
       .rejected = 4,
       .requests = 7},
      {.name = "413 all",
       .answers = std::vector<ServerResponse>(7, Answer(413)),
       .delivered = 0,
       .rejected = 4,
       .reason = "too_large",
       .requests = 7},
      {.name = "no answer, then refused",
       .answers = {NoAnswer(), Answer(400), Answer(400), Answer(400), Answer(400), Answer(400),
                   Answer(400), Answer(400)},
       .delivered = 0,
       .uncertain = 4,
       .requests = 8},
      {.name = "refused for its order after the good part was stored",
       .answers = {Answer(400), Answer(400, "entry too far behind"),
                   Answer(400, "entry too far behind"), Answer(400, "entry too far behind")},
       .stores = true,
       .delivered = 2,
       .uncertain = 2,
       .requests = 5},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    LogBed bed;
    bed.loki.SetScript([&row](const LokiRequest&, size_t number, bool* store) {
      *store = row.stores;
      return number < row.answers.size() ? std::optional(row.answers[number]) : std::nullopt;
    });
    bed.AppendRun(0, 1, "web", 4);
    bed.Start();
    ASSERT_TRUE(bed.queue.WaitUntilSettled());
    bed.loop->Stop();
    bed.ExpectSound();
    const MemoryQueue::Totals totals = bed.queue.totals();
    EXPECT_EQ(totals.delivered, row.delivered);
    EXPECT_EQ(bed.Rejected(row.reason), row.rejected);
    EXPECT_EQ(totals.uncertain, row.uncertain);
    EXPECT_THAT(bed.loki.requests(), SizeIs(row.requests));
    EXPECT_EQ(totals.dead_letters.empty(), row.rejected + row.uncertain == 0);
  }
}

TEST(LogDelivery, WhatIsSentAgainIsTheSameBytes) {
  LogBed bed;
  bed.loki.SetScript([](const LokiRequest&, size_t number, bool*) {
    return number < 3 ? std::optional(Answer(503)) : std::nullopt;
  });
  bed.AppendRun(0, 1, "web", 100);
  bed.Start();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  const auto requests = bed.loki.requests();
  ASSERT_THAT(requests, SizeIs(4));
  for (const LokiRequest& request : requests) EXPECT_EQ(request.body, requests[0].body);
  EXPECT_EQ(requests[3].headers.at("retry-attempt"), "3");
}

TEST(LogDelivery, RefusedLinesAreFoundAndKeptWithTheRegionsWords) {
  LogBed bed;
  bed.loki.SetPoison("bad");
  std::vector<AppLine> lines;
  for (int i = 0; i < 1000; ++i) {
    const std::string app = "app-" + std::to_string(i / 100);
    lines.emplace_back(app, i % 333 == 7 ? "a bad \"line\"" : "good " + std::to_string(i));
  }
  bed.Append(0, 1, lines);
  bed.Start();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  bed.ExpectSound();
  const MemoryQueue::Totals totals = bed.queue.totals();
  EXPECT_EQ(totals.delivered, 997u);
  EXPECT_EQ(bed.Rejected("bad_request"), 3u);
  EXPECT_EQ(bed.loki.stored_lines(), 997u);
  ASSERT_THAT(totals.dead_letters, SizeIs(3));
  const auto found =
      std::find_if(totals.dead_letters.begin(), totals.dead_letters.end(),
                   [](const DeadLetter& l) { return l.series.find("app-0") != std::string::npos; });
  ASSERT_NE(found, totals.dead_letters.end());
  const DeadLetter& letter = *found;
  EXPECT_EQ(letter.sequence, 1u);
  EXPECT_EQ(letter.samples, 1u);
  EXPECT_EQ(letter.http_status, 400);
  EXPECT_EQ(letter.series,
            "{app=\"app-0\"} 2023-11-14T22:13:20.000000007+00:00 \"a bad \\\"line\\\"\"");
  EXPECT_EQ(letter.response, "400: some line is refused");
}

// A stream that the region refuses as a whole costs a bounded search, and no other stream a line.
TEST(LogDelivery, AStreamThatIsRefusedAsAWholeIsGivenUp) {
  LogBed bed;
  bed.loki.SetPoison("{app=\"bad\"}");
  std::vector<AppLine> lines;
  for (int i = 0; i < 3000; ++i)
    lines.emplace_back(i / 1000 == 1 ? "bad" : "good-" + std::to_string(i / 1000), "text");
  bed.Append(0, 1, lines);
  bed.Start();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  bed.ExpectSound();
  const MemoryQueue::Totals totals = bed.queue.totals();
  EXPECT_EQ(totals.delivered, 2000u);
  EXPECT_EQ(totals.uncertain + bed.Rejected("bad_request"), 1000u);
  EXPECT_LT(bed.loki.requests().size(), 120u);
}

// Later pushes of such a stream are not searched again: a request for each split between streams.
TEST(LogDelivery, ARefusedStreamIsRemembered) {
  LogBed bed;
  bed.loki.SetPoison("{app=\"bad\"}");
  bed.config.batch_bytes = 2000;
  std::vector<AppLine> lines(100, {"bad", "0123456789"});
  for (int i = 0; i < 50; ++i) bed.Append(0, 1, lines);
  bed.AppendRun(0, 1, "good", 10);
  bed.Start();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  bed.ExpectSound();
  const MemoryQueue::Totals totals = bed.queue.totals();
  EXPECT_EQ(totals.delivered, 10u);
  EXPECT_EQ(totals.uncertain + bed.Rejected("bad_request"), 5000u);
  EXPECT_LT(bed.loki.requests().size(), 180u);
}

TEST(LogDelivery, AnUnreadableFrameIsSetAsideAndHoldsNobodyBack) {
  LogBed bed;
  bed.Append(0, 1, {{"web", "before"}});
  bed.queue.AppendRaw(0, 1, "no frame", 5);
  LogFrameBuilder builder;
  builder.BeginStream({{"app", "web"}});
  builder.AddLine(kFirstNs, "of another count");
  bed.queue.AppendRaw(0, 1, builder.Finish(3), 2);
  bed.Append(0, 1, {{"web", "after"}});
  bed.Start();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  bed.ExpectSound();
  const MemoryQueue::Totals totals = bed.queue.totals();
  EXPECT_EQ(totals.delivered, 2u);
  EXPECT_EQ(totals.aside, 7u);
  ASSERT_THAT(totals.aside_frames, SizeIs(2));
  EXPECT_EQ(totals.aside_frames[0].reason, AsideReason::kQuarantined);
  EXPECT_THAT(totals.aside_frames[1].words, HasSubstr("1 lines, its record says 2"));
}

TEST(LogDelivery, EachLaneHasOneRequestInFlightAndLanesAreIndependent) {
  LogBed bed;
  bed.loki.SetScript([](const LokiRequest& request, size_t,
                        bool*) -> std::optional<ServerResponse> {
    if (request.streams[0].first != "{app=\"slow\"}") return std::nullopt;
    return request.headers.contains("retry-attempt") ? std::nullopt : std::optional(Answer(500));
  });
  constexpr int kFrames = 30;
  for (int frame = 0; frame < kFrames; ++frame) {
    for (uint32_t lane = 0; lane < 8; ++lane)
      bed.AppendRun(lane, lane + 1, lane == 3 ? "slow" : "app-" + std::to_string(lane), 10);
  }
  bed.Start();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  bed.ExpectSound();  // a stream is in one lane: two requests of a lane would be a complaint
  EXPECT_EQ(bed.loki.stored_lines(), 8u * kFrames * 10);
  EXPECT_EQ(bed.queue.totals().delivered, 8u * kFrames * 10);
}

TEST(LogDelivery, LimitsAreEnforcedBeforeSending) {
  LogBed bed;
  bed.config.limits.max_line_bytes = 10;
  bed.config.limits.max_label_names = 1;
  bed.config.limits.max_label_value_length = 8;
  bed.queue.SetEnforced(2, {{"second", "label"}});
  bed.Append(0, 1, {{"web", "0123456789"}, {"web", "0123456789a"}, {"too-long-a-value", "x"}});
  bed.Append(1, 2, {{"web", "of an entry with a label more"}});
  bed.Append(2, 1, {{"meta", "x"}}, {{"key", std::string(kMaxLineMetadataBytes, 'v')}});
  bed.Start();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  bed.ExpectSound();
  ASSERT_THAT(bed.loki.stored(), SizeIs(1));
  EXPECT_THAT(TextsOf(bed.loki.stored().at("{app=\"web\"}")), ElementsAre("0123456789"));
  EXPECT_EQ(bed.queue.totals().delivered, 1u);
  EXPECT_EQ(bed.Rejected("limit"), 4u);
  EXPECT_THAT(bed.queue.totals().dead_letters, IsEmpty());
  EXPECT_THAT(
      bed.loop->status().over_limit_series,
      ElementsAre(
          Pair("2 labels, the limit is 1: {app=\"web\", second=\"label\"}", 1),
          Pair("a label value of 16 bytes, the limit is 8: app: {app=\"too-long-a-value\"}", 1),
          Pair("a line over 10 bytes: {app=\"web\"}", 1),
          Pair("structured metadata of a line over 65536 bytes: {app=\"meta\"}", 1)));
  EXPECT_EQ(bed.loop->status().lines_cut_total, 0u);
}

TEST(LogDelivery, WordsOfALimitAreBounded) {
  LogBed bed;
  bed.config.limits.max_line_bytes = 10;
  bed.Append(0, 1, {{std::string(100'000, 'n'), "0123456789a"}});
  bed.Start();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  const auto refused = bed.loop->status().over_limit_series;
  ASSERT_THAT(refused, SizeIs(1));
  EXPECT_LT(refused.begin()->first.size(), 600u);
}

TEST(LogDelivery, LongLinesAreCutBetweenCharacters) {
  LogBed bed;
  bed.config.limits.max_line_bytes = 10;
  bed.config.limits.cut_long_lines = true;
  bed.Append(0, 1,
             {{"a", "0123456789abc"},
              {"a", "01234567\u20ac"},   // the sign would end at 11
              {"a", "0123456\u20acx"},   // it ends at 10
              {"a", "0123456\xff\xff"},  // each bad byte becomes three
              {"a", "short"}});
  bed.Start();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  bed.ExpectSound();
  EXPECT_THAT(TextsOf(bed.loki.stored().at("{app=\"a\"}")),
              ElementsAre("0123456789", "01234567", "0123456\u20ac", "0123456\ufffd", "short"));
  EXPECT_EQ(bed.loop->status().lines_cut_total, 4u);
  EXPECT_EQ(bed.queue.totals().delivered, 5u);
}

// 401, 403, 404, 405 and redirects hold the destination; one success lifts the hold.
TEST(LogDelivery, AHeldDestinationKeepsItsLinesAndRecovers) {
  for (const int status : {401, 403, 404, 405, 302}) {
    SCOPED_TRACE(status);
    LogBed bed;
    bed.loki.SetScript([status](const LokiRequest&, size_t number, bool*) {
      return number == 0 ? std::optional(Answer(status, "who are you")) : std::nullopt;
    });
    bed.AppendRun(0, 1, "web", 10);
    bed.Start();
    ASSERT_TRUE(bed.loki.WaitForRequests(1));
    while (!bed.loop->status().held) absl::SleepFor(absl::Milliseconds(1));
    const DeliveryStatus held = bed.loop->status();
    EXPECT_EQ(held.state, "held");
    EXPECT_THAT(held.last_error, HasSubstr("who are you"));
    bed.loop->Reconfigure({bed.config, bed.external_labels});  // tries at once
    ASSERT_TRUE(bed.queue.WaitUntilSettled());
    bed.ExpectSound();
    EXPECT_EQ(bed.queue.totals().delivered, 10u);
  }
}

// What is held is composed anew when the rules change, since that may be what mends it.
TEST(LogDelivery, AHeldRangeTakesOverNewRules) {
  LogBed bed;
  bed.loki.SetScript([](const LokiRequest& request, size_t, bool*) {
    const bool known = request.streams[0].first.find("mesh") != std::string::npos;
    return known ? std::nullopt : std::optional(Answer(403));
  });
  bed.AppendRun(0, 1, "web", 10);
  bed.Start();
  ASSERT_TRUE(bed.loki.WaitForRequests(1));
  while (!bed.loop->status().held) absl::SleepFor(absl::Milliseconds(1));
  bed.loop->Reconfigure({bed.config, {{"mesh", "prod"}}});
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  bed.ExpectSound();
  EXPECT_EQ(bed.queue.totals().delivered, 10u);
  EXPECT_THAT(bed.loki.stored(), ElementsAre(Pair("{app=\"web\", mesh=\"prod\"}", SizeIs(10))));
}

TEST(LogDelivery, OneTenantsHeldLogsDelayNobodyElses) {
  LogBed held, flowing;
  held.loki.SetScript([](const LokiRequest&, size_t, bool*) { return std::optional(Answer(401)); });
  held.AppendRun(0, 1, "web", 10);
  held.Start();
  ASSERT_TRUE(held.loki.WaitForRequests(1));
  for (int i = 0; i < 20; ++i) flowing.AppendRun(static_cast<uint32_t>(i % 4), 1, "web", 10);
  flowing.Start();
  ASSERT_TRUE(flowing.queue.WaitUntilSettled());
  EXPECT_EQ(flowing.queue.totals().delivered, 200u);
  EXPECT_EQ(held.queue.totals().settlements, 0u);
}

// A lane whose push is refused for a while (a stream that is limited) stops no other lane.
TEST(LogDelivery, RetryAfterIsHonoured) {
  LogBed bed;
  ServerResponse busy = Answer(429);
  busy.headers.emplace_back("Retry-After", "1");
  bed.loki.SetScript([busy](const LokiRequest&, size_t number, bool*) {
    return number == 0 ? std::optional(busy) : std::nullopt;
  });
  bed.AppendRun(0, 1, "web", 10);
  const absl::Time begin = absl::Now();
  bed.Start();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  EXPECT_GE(absl::Now() - begin, absl::Milliseconds(900));
  EXPECT_THAT(bed.loki.requests(), SizeIs(2));
}

// After a start, what may have been sent before the stop is not told as refused for certain.
TEST(LogDelivery, AStopInTheMiddleLosesAndDoublesNothing) {
  LogBed bed;
  bed.config.batch_bytes = 200;
  for (int i = 0; i < 40; ++i) bed.AppendRun(0, 1, "web", 5);
  bed.loki.SetScript([](const LokiRequest&, size_t number, bool* store) {
    *store = true;
    return number == 1 ? std::optional(NoAnswer()) : std::nullopt;
  });
  bed.Start();
  ASSERT_TRUE(bed.loki.WaitForRequests(2));
  bed.loop->Stop();
  bed.loki.SetScript({});
  bed.Start();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  bed.ExpectSound();
  EXPECT_EQ(bed.loki.stored_lines(), 200u);
  EXPECT_EQ(bed.queue.totals().delivered, 200u);
}

TEST(LogDelivery, FramesOfAnEarlierLifeAreUncertainWhenRefused) {
  LogBed bed;
  bed.loki.SetPoison("web");
  for (int i = 0; i < 20; ++i) bed.AppendRun(0, 1, "web", 1);
  bed.queue.SetNow(bed.queue.NowMs() + 1);
  bed.Start();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  bed.ExpectSound();
  EXPECT_EQ(bed.queue.totals().uncertain, kMaxFramesAhead);
  EXPECT_EQ(bed.Rejected("bad_request"), 20u - kMaxFramesAhead);
}

TEST(LogDelivery, UncertainLinesAreNotMixedWithFreshOnes) {
  LogBed bed;
  bed.loki.SetPoison("web");
  for (int i = 0; i < 3; ++i) bed.AppendRun(0, 1, "web", 1);
  bed.queue.SetNow(bed.queue.NowMs() + 1);
  for (int i = 0; i < 3; ++i) bed.AppendRun(0, 1, "web", 1);
  bed.Start();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  bed.ExpectSound();
  EXPECT_EQ(bed.queue.totals().uncertain, 3u);
  EXPECT_EQ(bed.Rejected("bad_request"), 3u);
}

// A tenant's burst: what is larger is answered 429 for ever, until it is sent in smaller pieces.
TEST(LogDelivery, APushBeyondTheRegionsBurstIsMadeSmaller) {
  LogBed bed;
  bed.loki.SetScript([](const LokiRequest& request, size_t, bool*) {
    size_t bytes = 0;
    for (const LokiLine& line : request.streams[0].second) bytes += std::get<1>(line).size();
    return bytes > 40'000 ? std::optional(Answer(429, "Ingestion rate limit")) : std::nullopt;
  });
  for (int frame = 0; frame < 8; ++frame) {
    std::vector<AppLine> lines;
    for (int i = 0; i < 200; ++i)
      lines.emplace_back("web", std::to_string(i) + std::string(1000, 'x'));
    bed.Append(0, 1, lines);
  }
  bed.Start();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  bed.ExpectSound();
  EXPECT_EQ(bed.queue.totals().delivered, 1600u);
  EXPECT_EQ(bed.loki.stored_lines(), 1600u);
}

// Whatever a push holds, nothing is counted as delivered that the region has not stored.
TEST(LogDelivery, ARegionThatTellsOfTheLastStreamOnlyLosesNothingSilently) {
  LogBed bed;
  bed.loki.SetForgetful();
  bed.loki.SetPoison("bad");
  for (int frame = 0; frame < 20; ++frame) {
    bed.Append(0, 1, {{"bad-" + std::to_string(frame), "x"}, {"web", "y"}, {"db", "z"}});
  }
  bed.Start();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  bed.ExpectSound();
  EXPECT_EQ(bed.loki.stored_lines(), 40u);
  EXPECT_EQ(bed.queue.totals().delivered, 40u);
  EXPECT_EQ(bed.Rejected("bad_request"), 20u);
}

// With 150 ms to the region and frames of one second each, a lane catches up at ten times its rate
// when 64 of them take no more than 42 times there and back.
TEST(LogDelivery, ALaneCatchesUpOverALongWay) {
  LogBed bed;
  bed.loki.SetDelay(absl::Milliseconds(150));
  constexpr int kSeconds = 64;
  std::vector<AppLine> lines;
  for (int i = 0; i < 20; ++i) lines.emplace_back("app-" + std::to_string(i), "text");
  for (int i = 0; i < kSeconds; ++i) bed.Append(0, 1, lines);
  bed.Start();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  bed.ExpectSound();
  const size_t rounds =
      bed.queue.totals().settlements + bed.loki.requests().size() / bed.config.max_in_flight;
  EXPECT_LE(rounds, 42u);
}

}  // namespace
}  // namespace ampari
