// Every row of the outcome table, end to end: what the region answers, and what becomes of the
// samples.
#include <atomic>
#include <thread>

#include "tests/integration/delivery_bed.h"

namespace ampari {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Pair;
using testing::SizeIs;

constexpr int64_t kT = 1'700'000'000'000;

FakeRegion::Script AnswerFirst(size_t times, ServerResponse answer) {
  return
      [times, answer](const RegionRequest&, size_t number, bool*) -> std::optional<ServerResponse> {
        if (number < times) return answer;
        return std::nullopt;
      };
}

ServerResponse Status(int status, std::vector<std::pair<std::string, std::string>> headers = {}) {
  ServerResponse response;
  response.status = status;
  response.headers = std::move(headers);
  return response;
}

ServerResponse Reset() {
  ServerResponse response;
  response.close_without_answer = true;
  return response;
}

class RetriedTest : public testing::TestWithParam<ServerResponse> {};

// The same bytes again until they are taken; nothing is counted but the delivery.
TEST_P(RetriedTest, SameBytesUntilTaken) {
  DeliveryBed bed;
  bed.region.SetScript(AnswerFirst(3, GetParam()));
  const uint64_t layout = bed.AddTarget(1, "a", 10);
  bed.queue.Append(5, 1, {DeliveryBed::ScrapeOf(layout, 10, kT)});
  bed.Start();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  EXPECT_EQ(bed.queue.totals().delivered, 10u);
  const auto requests = bed.region.requests();
  ASSERT_EQ(requests.size(), 4u);
  for (size_t i = 0; i < requests.size(); ++i) {
    EXPECT_EQ(requests[i].body, requests[0].body);
    EXPECT_EQ(requests[i].headers.count("retry-attempt"), i == 0 ? 0u : 1u);
    EXPECT_EQ(requests[i].headers.at("x-ampari-frames"), "acme/metrics;lane=5;frames=1-1");
  }
  EXPECT_EQ(requests[3].headers.at("retry-attempt"), "3");
  bed.ExpectSound();
}

INSTANTIATE_TEST_SUITE_P(Answers, RetriedTest,
                         testing::Values(Status(500), Status(502), Status(503), Status(504),
                                         Status(599), Status(408), Status(429), Reset()));

class TakenTest : public testing::TestWithParam<int> {};

TEST_P(TakenTest, IsDelivered) {
  DeliveryBed bed;
  bed.region.SetScript(AnswerFirst(1, Status(GetParam())));
  bed.queue.Append(0, 1, {DeliveryBed::ScrapeOf(bed.AddTarget(1, "a", 3), 3, kT)});
  bed.Start();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  EXPECT_EQ(bed.queue.totals().delivered, 3u);
  EXPECT_THAT(bed.region.requests(), SizeIs(1));
}

INSTANTIATE_TEST_SUITE_P(Answers, TakenTest, testing::Values(200, 202, 204));

class HeldTest : public testing::TestWithParam<int> {};

// The data is kept and the state says so; a change of configuration is tried at once, and one
// success lifts the hold.
TEST_P(HeldTest, IsHeldAndLifted) {
  DeliveryBed bed;
  std::atomic<bool> refuse{true};
  const int status = GetParam();
  bed.region.SetScript(
      [&, status](const RegionRequest&, size_t, bool*) -> std::optional<ServerResponse> {
        if (refuse) return Status(status, {{"Location", "http://127.0.0.1:1/"}});
        return std::nullopt;
      });
  const uint64_t layout = bed.AddTarget(1, "a", 3);
  bed.queue.Append(0, 1, {DeliveryBed::ScrapeOf(layout, 3, kT)});
  bed.queue.Append(0, 1, {DeliveryBed::ScrapeOf(layout, 3, kT + 1000)});
  bed.Start();
  ASSERT_TRUE(bed.region.WaitForRequests(1));
  while (!bed.loop->status().held) std::this_thread::yield();
  EXPECT_EQ(bed.loop->status().state, "held");
  EXPECT_THAT(bed.loop->status().last_error, HasSubstr(std::to_string(status)));
  EXPECT_EQ(bed.queue.totals().settlements, 0u);
  refuse = false;
  bed.loop->Reconfigure({bed.config, bed.external_labels});
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  EXPECT_EQ(bed.queue.totals().delivered, 6u);
  while (bed.loop->status().held) std::this_thread::yield();
  bed.ExpectSound();
}

INSTANTIATE_TEST_SUITE_P(Answers, HeldTest,
                         testing::Values(401, 403, 404, 405, 415, 418, 301, 302, 307, 308));

TEST(Outcomes, TooLargeIsSplitUntilItFits) {
  DeliveryBed bed;
  bed.region.SetScript([](const RegionRequest& r, size_t, bool*) -> std::optional<ServerResponse> {
    if (r.series.size() > 30) return Status(413);
    return std::nullopt;
  });
  bed.queue.Append(0, 1, {DeliveryBed::ScrapeOf(bed.AddTarget(1, "a", 100), 100, kT)});
  bed.Start();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  EXPECT_EQ(bed.queue.totals().delivered, 100u);
  EXPECT_THAT(bed.region.stored(), SizeIs(100));
  bed.ExpectSound();
}

class BisectTest : public testing::TestWithParam<FakeRegion::Kind> {};

// Only the refused series is refused; a good one never is.
TEST_P(BisectTest, FindsTheRefusedSeries) {
  DeliveryBed bed(GetParam());
  bed.queue.SetNow(kT);
  const uint64_t layout = bed.AddTarget(1, "a", 1000);
  bed.region.SetPoison("i=777,");
  bed.Start();
  bed.queue.SetNow(kT + 1);  // taken in after the start: never sent before
  bed.queue.Append(0, 1, {DeliveryBed::ScrapeOf(layout, 1000, kT)});
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  const auto totals = bed.queue.totals();
  EXPECT_EQ(totals.delivered, 999u);
  EXPECT_EQ(bed.Rejected("bad_request"), 1u);
  EXPECT_EQ(totals.uncertain, 0u);
  EXPECT_THAT(bed.region.stored(), SizeIs(999));
  ASSERT_THAT(totals.dead_letters, SizeIs(1));
  EXPECT_EQ(totals.dead_letters[0].samples, 1u);
  EXPECT_EQ(totals.dead_letters[0].http_status, 400);
  EXPECT_EQ(totals.dead_letters[0].sequence, 1u);
  EXPECT_EQ(totals.dead_letters[0].series, "{__name__=\"m\", i=\"777\", pod=\"a\"}");
  EXPECT_THAT(totals.dead_letters[0].response, HasSubstr("some sample is refused"));
  bed.ExpectSound();
}

// After an attempt without an answer a refusal proves nothing: the region may have the sample.
TEST_P(BisectTest, RefusedAfterAnUnansweredAttemptIsUncertain) {
  DeliveryBed bed(GetParam());
  const uint64_t layout = bed.AddTarget(1, "a", 50);
  bed.region.SetPoison("i=7,");
  bed.region.SetScript(AnswerFirst(1, Status(500)));
  bed.Start();
  bed.queue.SetNow(kT + 1);
  bed.queue.Append(0, 1, {DeliveryBed::ScrapeOf(layout, 50, kT)});
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  EXPECT_EQ(bed.queue.totals().delivered, 49u);
  EXPECT_EQ(bed.queue.totals().uncertain, 1u);
  EXPECT_EQ(bed.Rejected("bad_request"), 0u);
  bed.ExpectSound();
}

// Several scrapes in one request: unmerged, oldest first, then bisected. Whatever the receiver kept
// of the merged request, every good sample is there at the end, and nothing good is counted as
// rejected: the first frame, which goes alone, has the one sample whose refusal is certain.
TEST_P(BisectTest, MergedRequestsAreTakenApart) {
  DeliveryBed bed(GetParam());
  const uint64_t layout = bed.AddTarget(1, "a", 20);
  bed.region.SetPoison("i=3,");
  for (int i = 0; i <= 4; ++i) {
    bed.queue.Append(0, 1, {DeliveryBed::ScrapeOf(layout, 20, kT + i)});
  }
  bed.Start();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  EXPECT_EQ(bed.Rejected("bad_request"), 1u);
  EXPECT_EQ(bed.queue.totals().delivered + bed.queue.totals().uncertain, 99u);
  if (GetParam() == FakeRegion::Kind::kPrometheus) {
    EXPECT_EQ(bed.queue.totals().uncertain, 4u);
  }
  EXPECT_THAT(bed.region.stored(), SizeIs(19));
  for (const auto& [series, samples] : bed.region.stored()) EXPECT_THAT(samples, SizeIs(5));
  bed.ExpectInOrder();
  bed.ExpectSound();
}

INSTANTIATE_TEST_SUITE_P(Regions, BisectTest,
                         testing::Values(FakeRegion::Kind::kPrometheus, FakeRegion::Kind::kMimir));

TEST(Outcomes, RefusalStatusesAreAlike) {
  for (const int status : {400, 409, 422}) {
    DeliveryBed bed;
    const uint64_t layout = bed.AddTarget(1, "a", 1);
    bed.region.SetScript(AnswerFirst(1, Status(status)));
    bed.Start();
    bed.queue.SetNow(kT + 1);
    bed.queue.Append(0, 1, {DeliveryBed::ScrapeOf(layout, 1, kT)});
    ASSERT_TRUE(bed.queue.WaitUntilSettled());
    EXPECT_EQ(bed.Rejected("bad_request"), 1u) << status;
  }
}

// A region that hangs after it has stored: the same bytes come again and double nothing.
TEST(Outcomes, TimeoutAfterCommitDoublesNothing) {
  DeliveryBed bed;
  bed.config.remote_timeout = absl::Milliseconds(300);
  bed.region.SetScript(
      [](const RegionRequest&, size_t number, bool* store) -> std::optional<ServerResponse> {
        if (number > 0) return std::nullopt;
        *store = true;
        return Reset();
      });
  const uint64_t layout = bed.AddTarget(1, "a", 10);
  bed.queue.Append(0, 1, {DeliveryBed::ScrapeOf(layout, 10, kT)});
  bed.Start();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  EXPECT_EQ(bed.queue.totals().delivered, 10u);
  EXPECT_EQ(bed.region.identical_resends(), 10u);
  for (const auto& [series, samples] : bed.region.stored()) EXPECT_THAT(samples, SizeIs(1));
}

TEST(Outcomes, UndecodableFramesAreSetAsideAndHoldNobodyBack) {
  DeliveryBed bed;
  const uint64_t layout = bed.AddTarget(1, "a", 2);
  bed.queue.Append(0, 1, {DeliveryBed::ScrapeOf(layout, 2, kT)});
  bed.queue.AppendRaw(0, 1, "not a frame", 7);
  bed.queue.Append(0, 1, {DeliveryBed::ScrapeOf(layout, 2, kT + 2)});
  bed.queue.Append(1, 1,
                   {DeliveryBed::ScrapeOf(99, 2, kT + 2)});  // a layout that nobody registered
  bed.Start();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  const auto totals = bed.queue.totals();
  EXPECT_EQ(totals.delivered, 4u);
  ASSERT_THAT(totals.aside_frames, SizeIs(2));
  for (const AsideFrame& frame : totals.aside_frames) {
    EXPECT_EQ(frame.reason, AsideReason::kQuarantined);
    EXPECT_NE(frame.words, "");
  }
  EXPECT_EQ(totals.settled.at(1), 4u);
  bed.ExpectSound();
}

TEST(Outcomes, LimitsRelabellingAndAgeAreCountedByName) {
  DeliveryBed bed;
  RelabelRule drop;
  drop.action = RelabelAction::kDrop;
  drop.source_labels = {"i"};
  drop.regex = "0|1";
  bed.config.write_relabel_rules = {drop};
  bed.config.limits.max_label_value_length = 5;
  bed.config.queue.sample_age_limit = absl::Hours(1);
  const int64_t now = absl::ToUnixMillis(absl::Now());
  const uint64_t good = bed.AddTarget(1, "a", 4), over = bed.AddTarget(1, "longer", 4);
  bed.queue.Append(0, 1,
                   {DeliveryBed::ScrapeOf(good, 4, now), DeliveryBed::ScrapeOf(over, 4, now)});
  bed.queue.Append(0, 1, {DeliveryBed::ScrapeOf(good, 4, now - 7'200'000)});
  bed.Start();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  const auto totals = bed.queue.totals();
  EXPECT_EQ(totals.delivered, 2u);
  EXPECT_EQ(totals.dropped, 4u);
  EXPECT_EQ(bed.Rejected("limit"), 2u);
  EXPECT_THAT(totals.expired, Contains(Pair("sample_age_limit", 4u)));
  EXPECT_THAT(bed.loop->status().over_limit_series, SizeIs(1));
  EXPECT_THAT(bed.loop->status().over_limit_series.begin()->first, HasSubstr("pod"));
  bed.ExpectSound();
}

TEST(Outcomes, HeadersAreTheSpecifications) {
  DeliveryBed bed;
  bed.queue.Append(63, 1, {DeliveryBed::ScrapeOf(bed.AddTarget(1, "a", 2), 2, kT)});
  bed.Start();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  const auto headers = bed.region.requests().at(0).headers;
  EXPECT_EQ(headers.at("content-encoding"), "snappy");
  EXPECT_EQ(headers.at("content-type"), "application/x-protobuf");
  EXPECT_EQ(headers.at("x-prometheus-remote-write-version"), "0.1.0");
  EXPECT_THAT(headers.at("user-agent"), HasSubstr("ampari-gateway/"));
  EXPECT_EQ(headers.at("x-scope-orgid"), "acme");
  EXPECT_EQ(headers.at("x-ampari-frames"), "acme/metrics;lane=63;frames=1-1");
}

TEST(Outcomes, MetadataIsSentAndNotCounted) {
  DeliveryBed bed;
  bed.config.metadata.send = true;
  Scrape scrape = DeliveryBed::ScrapeOf(bed.AddTarget(1, "a", 2), 2, kT);
  scrape.metadata = {{"m", MetricType::kCounter, "Requests.", "bytes"}};
  bed.queue.Append(0, 1, {scrape});
  bed.Start();
  ASSERT_TRUE(bed.queue.WaitUntilSettled());
  ASSERT_TRUE(bed.region.WaitForRequests(2));
  std::map<std::string, std::string> seen;
  for (const RegionRequest& request : bed.region.requests())
    seen.insert(request.metadata.begin(), request.metadata.end());
  EXPECT_THAT(seen, Contains(Pair("m", "Requests.")));
  EXPECT_EQ(bed.queue.totals().delivered, 2u);
  bed.ExpectSound();
}

}  // namespace
}  // namespace ampari
