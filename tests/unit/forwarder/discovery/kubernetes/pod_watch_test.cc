#include "forwarder/discovery/kubernetes/pod_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"
#include "tests/unit/forwarder/discovery/kubernetes/pod_json.h"
#include "tests/unit/forwarder/discovery/kubernetes/pod_watch_bed.h"

namespace ampari {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::Not;
using ::testing::StartsWith;

const std::string kPods = "GET /api/v1/pods?fieldSelector=spec.nodeName%3Dnode-1";

std::string TwoPods(const std::string& version = "10") {
  return ListJson({PodJson("a", "1"), PodJson("b", "2")}, version);
}

TEST(PodWatch, ListsInPagesAndWatchesFromThere) {
  PodWatchBed bed;
  bed.random = 0;
  bed.Answer(200, ListJson({PodJson("a", "1")}, "10", "t=1"));
  bed.UntilRequests(2);
  EXPECT_EQ(bed.Line(0), kPods + "&limit=500&resourceVersion=0");
  EXPECT_EQ(bed.Line(1), kPods + "&limit=500&continue=t%3D1");
  EXPECT_THAT(bed.Addresses(), IsEmpty());
  EXPECT_FALSE(bed.watch().synced());
  bed.Answer(200, ListJson({PodJson("b", "2")}, "10"));
  bed.UntilRequests(3);
  EXPECT_EQ(bed.Line(2), kPods +
                             "&watch=true&allowWatchBookmarks=true&resourceVersion=10"
                             "&timeoutSeconds=300");
  EXPECT_THAT(bed.Addresses(), ElementsAre("1", "2"));
  EXPECT_TRUE(bed.watch().synced());
  EXPECT_EQ(bed.changes, 1);
  EXPECT_EQ(bed.watch().status().lists, 1);
  EXPECT_EQ(bed.watch().status().watches, 1);
}

TEST(PodWatch, EventsChangeWhatIsKnownInWhateverPieces) {
  PodWatchBed bed;
  bed.Begin(TwoPods());
  const std::string events = EventJson("ADDED", PodJson("c", "3", 11)) +
                             EventJson("MODIFIED", PodJson("a", "9", 12)) +
                             EventJson("DELETED", PodJson("b", "2", 13));
  for (const char byte : events) bed.server().More(std::string(1, byte));
  bed.UntilEvents(3);
  EXPECT_THAT(bed.Addresses(), ElementsAre("9", "3"));
  bed.server().More(BookmarkJson(20));
  bed.UntilEvents(4);
  const int changes = bed.changes;
  bed.server().More(EventJson("MODIFIED", PodJson("c", "3", 21)));  // nothing that shows
  bed.UntilEvents(5);
  EXPECT_EQ(bed.changes, changes);
}

TEST(PodWatch, AWatchIsOfFiveToTenMinutes) {
  for (const auto& [random, want] : {std::pair(0.0, "=300"), std::pair(0.999, "=599")}) {
    PodWatchBed bed;
    bed.random = random;
    bed.Begin(TwoPods());
    EXPECT_THAT(bed.Line(1), ::testing::EndsWith(std::string("timeoutSeconds") + want));
  }
}

TEST(PodWatch, AWatchWhoseTimeIsOverGoesOnFromTheBookmarkAtOnce) {
  PodWatchBed bed;
  bed.Begin(TwoPods());
  bed.server().More(BookmarkJson(40));
  bed.UntilEvents(1);
  bed.clock().Advance(absl::Minutes(5));
  bed.server().Finish(End::kComplete);
  bed.UntilRequests(3);
  EXPECT_THAT(bed.Line(2), HasSubstr("resourceVersion=40"));
  EXPECT_EQ(bed.watch().status().lists, 1);
  EXPECT_EQ(bed.watch().status().error, "");
}

TEST(PodWatch, ACutWatchGoesOnFromTheLastEvent) {
  PodWatchBed bed;
  bed.Begin(TwoPods());
  bed.server().More(EventJson("ADDED", PodJson("c", "3", 11)) + R"({"type":"DELETED","object":{)");
  bed.UntilEvents(1);
  bed.server().Finish(End::kCut);
  bed.UntilFailure(PodWatchFailure::kCut);
  EXPECT_THAT(bed.Addresses(), ElementsAre("1", "2", "3"));
  EXPECT_THAT(bed.Skip(), AllOf(Ge(absl::Milliseconds(500)), Le(absl::Seconds(1))));
  bed.UntilRequests(3);
  EXPECT_THAT(bed.Line(2), HasSubstr("watch=true&allowWatchBookmarks=true&resourceVersion=11&"));
  EXPECT_EQ(bed.watch().status().lists, 1);
}

TEST(PodWatch, WatchesThatEndAtOnceAreRetriedWithGrowingDelays) {
  PodWatchBed bed;
  bed.Begin(TwoPods());
  bed.server().Finish(End::kComplete);
  absl::Duration last;
  for (uint64_t i = 1; i <= 5; ++i) {
    bed.Answer(200, "");
    bed.UntilFailure(PodWatchFailure::kCut, i);
    const absl::Duration delay = bed.Skip();
    EXPECT_GT(delay, last);
    last = delay;
  }
}

// A new list after 410, spread over ten seconds; until it is whole the old pods stay.
void ExpectRelist(PodWatchBed& bed) {
  bed.UntilFailure(PodWatchFailure::kGone);
  const size_t before = bed.server().requests().size();
  EXPECT_THAT(bed.Skip(), AllOf(Ge(absl::Milliseconds(500)), Le(absl::Seconds(10))));
  bed.Answer(200, ListJson({PodJson("c", "3")}, "50", "more"));
  bed.UntilRequests(before + 2);
  EXPECT_EQ(bed.Line(before), kPods + "&limit=500&resourceVersion=0");
  EXPECT_EQ(bed.Line(before + 1), kPods + "&limit=500&continue=more");
  EXPECT_THAT(bed.Addresses(), ElementsAre("1", "2"));
  bed.Answer(200, ListJson({}, "50"));
  bed.UntilRequests(before + 3);
  EXPECT_THAT(bed.Line(before + 2), HasSubstr("watch=true&allowWatchBookmarks=true&"
                                              "resourceVersion=50&"));
  EXPECT_THAT(bed.Addresses(), ElementsAre("3"));
}

TEST(PodWatch, Gone410InBandMeansANewList) {
  for (const double random : {0.0, 0.5, 0.99}) {
    PodWatchBed bed;
    bed.random = random;
    bed.Begin(TwoPods());
    bed.server().More(EventJson("ERROR", StatusJson(410, "too old resource version: 1 (2)")));
    ExpectRelist(bed);
  }
}

TEST(PodWatch, Gone410ByStatusMeansANewList) {
  PodWatchBed bed;
  bed.Answer(200, TwoPods());
  bed.Answer(410, StatusJson(410, "too old resource version"));
  bed.Until("listed", [&] { return bed.watch().synced(); });
  ExpectRelist(bed);
}

TEST(PodWatch, RelistsAreSpread) {
  std::vector<absl::Duration> delays;
  for (const double random : {0.1, 0.5, 0.9}) {
    PodWatchBed bed;
    bed.Begin(TwoPods());
    bed.random = random;
    bed.server().More(EventJson("ERROR", StatusJson(410, "too old")));
    bed.UntilFailure(PodWatchFailure::kGone);
    delays.push_back(bed.Skip());
  }
  EXPECT_LT(delays[0] + absl::Seconds(3), delays[1]);
  EXPECT_LT(delays[1] + absl::Seconds(3), delays[2]);
}

TEST(PodWatch, AnExpiredTokenBeginsTheListAnew) {
  PodWatchBed bed;
  bed.Answer(200, ListJson({PodJson("x", "7")}, "10", "t"));
  bed.Answer(410, StatusJson(410, "The provided continue parameter is too old"));
  bed.UntilFailure(PodWatchFailure::kGone);
  bed.Skip();
  bed.Answer(200, TwoPods("12"));
  bed.UntilRequests(4);
  EXPECT_EQ(bed.Line(2), kPods + "&limit=500&resourceVersion=0");
  EXPECT_THAT(bed.Line(3), HasSubstr("watch=true"));
  EXPECT_THAT(bed.Addresses(), ElementsAre("1", "2"));  // not x
}

TEST(PodWatch, AFailedPageIsAskedForAgain) {
  PodWatchBed bed;
  bed.Answer(200, ListJson({PodJson("a", "1")}, "10", "t"));
  bed.Answer(503, "no healthy upstream");
  bed.UntilFailure(PodWatchFailure::kServer);
  bed.Skip();
  bed.Answer(200, ListJson({PodJson("b", "2")}, "10"));
  bed.UntilRequests(4);
  EXPECT_EQ(bed.Line(2), bed.Line(1));
  EXPECT_THAT(bed.Addresses(), ElementsAre("1", "2"));
}

struct RefusalRow {
  int status;
  std::string body;
  PodWatchFailure failure;
  absl::Duration least, most;
  std::vector<std::pair<std::string, std::string>> headers;
};

std::vector<RefusalRow> Refusals() {
  const absl::Duration first = absl::Milliseconds(500), slow = absl::Milliseconds(2500);
  return {
      {500, StatusJson(500, "etcd"), PodWatchFailure::kServer, first, absl::Seconds(1), {}},
      {503, "", PodWatchFailure::kServer, first, absl::Seconds(1), {}},
      {401, "", PodWatchFailure::kUnauthorized, slow, absl::Seconds(5), {}},
      {403, StatusJson(403, "no"), PodWatchFailure::kUnauthorized, slow, absl::Seconds(5), {}},
      {404, "", PodWatchFailure::kRefused, slow, absl::Seconds(5), {}},
      {429, "", PodWatchFailure::kThrottled, first, absl::Seconds(1), {}},
      {429,
       "",
       PodWatchFailure::kThrottled,
       absl::Seconds(20),
       absl::Seconds(30),
       {{"Retry-After", "20"}}},
      {503,
       "",
       PodWatchFailure::kServer,
       absl::Seconds(20),
       absl::Seconds(30),
       {{"Retry-After", "20"}}},
      {429,
       "",
       PodWatchFailure::kThrottled,
       absl::Minutes(5),
       absl::Minutes(8),
       {{"Retry-After", "99999999"}}},
      {429,
       StatusJson(429, "busy", 30),
       PodWatchFailure::kThrottled,
       absl::Seconds(30),
       absl::Seconds(45),
       {}},
  };
}

TEST(PodWatch, RefusedListsAreRetriedAndChangeNothing) {
  for (const RefusalRow& row : Refusals()) {
    PodWatchBed bed;
    bed.Begin(TwoPods());
    bed.server().More(EventJson("ERROR", StatusJson(410, "too old")));
    bed.UntilFailure(PodWatchFailure::kGone);
    bed.clock().Advance(absl::Minutes(1));
    const uint64_t before = bed.failures(row.failure);
    bed.random = 0.99;
    bed.Answer(row.status, row.body, End::kComplete, row.headers);
    bed.UntilFailure(row.failure, before + 1);
    EXPECT_THAT(bed.Addresses(), ElementsAre("1", "2")) << row.status;
    EXPECT_NE(bed.watch().status().error, "") << row.status;
    // The second failure in a row.
    EXPECT_THAT(bed.Skip(), AllOf(Ge(row.least), Le(row.most * 2))) << row.status;
    bed.Answer(200, ListJson({PodJson("c", "3")}, "60"));
    bed.Answer(200, "", End::kStay);
    bed.Until("listed again", [&] { return bed.watch().status().watches == 2; });
    EXPECT_THAT(bed.Addresses(), ElementsAre("3")) << row.status;
    EXPECT_EQ(bed.watch().status().error, "") << row.status;
  }
}

TEST(PodWatch, RefusedWatchesGoOnWhereTheyWereUnlessTheyCannot) {
  for (const RefusalRow& row : Refusals()) {
    PodWatchBed bed;
    bed.random = 0.99;
    bed.Answer(200, TwoPods());
    bed.Answer(row.status, row.body, End::kComplete, row.headers);
    bed.UntilFailure(row.failure);
    EXPECT_THAT(bed.Addresses(), ElementsAre("1", "2")) << row.status;
    EXPECT_THAT(bed.Skip(), AllOf(Ge(row.least), Le(row.most))) << row.status;
    bed.Answer(200, "", End::kStay);
    bed.UntilRequests(3);
    const bool lists = row.failure == PodWatchFailure::kRefused;
    EXPECT_THAT(bed.Line(2), HasSubstr(lists ? "&limit=500" : "&resourceVersion=10&"))
        << row.status;
  }
}

TEST(PodWatch, TheSameErrorsInBand) {
  for (const RefusalRow& row : Refusals()) {
    if (row.body.empty() || row.status == 410) continue;
    PodWatchBed bed;
    bed.random = 0.99;
    bed.Begin(TwoPods());
    bed.server().More(EventJson("ERROR", row.body));
    bed.UntilFailure(row.failure);
    EXPECT_THAT(bed.Addresses(), ElementsAre("1", "2")) << row.status;
    EXPECT_THAT(bed.Skip(), AllOf(Ge(row.least), Le(row.most))) << row.status;
    EXPECT_THAT(bed.watch().status().error, HasSubstr(std::to_string(row.status)));
  }
}

TEST(PodWatch, AnHourWithoutTheApi) {
  PodWatchBed bed;
  bed.Begin(TwoPods());
  bed.StopServer();
  bed.UntilFailure(PodWatchFailure::kCut);
  const absl::Duration begin = bed.clock().Monotonic();
  uint64_t refused = 0;
  while (bed.clock().Monotonic() < begin + absl::Hours(1)) {
    EXPECT_THAT(bed.Skip(), AllOf(Ge(absl::Milliseconds(500)), Le(absl::Minutes(1))));
    bed.UntilFailure(PodWatchFailure::kConnection, ++refused);
    ASSERT_THAT(bed.Addresses(), ElementsAre("1", "2"));
  }
  EXPECT_GE(refused, 60);   // soon noticed when it is back
  EXPECT_LE(refused, 130);  // and little trouble to it
  EXPECT_EQ(bed.watch().status().lists, 1);
  EXPECT_THAT(bed.watch().status().error, StartsWith("connection: "));
}

TEST(PodWatch, ListsThatHang) {
  PodWatchTimings timings;
  timings.list_timeout = absl::Milliseconds(50);
  PodWatchBed bed(timings);
  bed.server().Answer({.silent = true});
  bed.UntilFailure(PodWatchFailure::kTimeout);
  EXPECT_GE(bed.Skip(), absl::Milliseconds(500));
  bed.Answer(200, R"({"kind":"PodList",)", End::kStay);
  bed.UntilFailure(PodWatchFailure::kTimeout, 2);
  EXPECT_FALSE(bed.watch().synced());
}

TEST(PodWatch, AWatchBeyondItsTimeAndTheGraceIsDropped) {
  PodWatchTimings timings;
  timings.watch_min = timings.watch_max = absl::Seconds(1);
  timings.watch_grace = absl::Milliseconds(50);
  PodWatchBed bed(timings);
  bed.Answer(200, TwoPods());
  bed.server().Answer({.silent = true});
  bed.UntilFailure(PodWatchFailure::kTimeout);
  EXPECT_THAT(bed.Addresses(), ElementsAre("1", "2"));
  bed.Skip();
  bed.Answer(200, "", End::kStay);
  bed.UntilRequests(3);
  EXPECT_THAT(bed.Line(2), HasSubstr("resourceVersion=10&timeoutSeconds=1"));
}

// What an API may say instead of a list.
TEST(PodWatch, WhatIsNoCompleteListChangesNothing) {
  struct Row {
    int status;
    std::string body;
    End end = End::kComplete;
  };
  const Row rows[] = {
      {200, ""},
      {200, "null"},
      {200, "{}"},
      {200, "<html>welcome</html>"},
      {200, ListJson({}, "")},
      {200, R"({"kind":"PodList","metadata":{"resourceVersion":"60"},"items":[)"},
      {200, ListJson({}, "60"), End::kCut},  // all of it, without its end
      {200, StatusJson(500, "m")},
      {200, R"({"kind":"NodeList","metadata":{"resourceVersion":"60"},"items":[]})"},
      {200, ListJson({"{}"}, "60")},
      {206, ListJson({}, "60")},
      {201, ListJson({}, "60")},
      {404, ListJson({}, "60")},
  };
  for (const Row& row : rows) {
    PodWatchBed bed;
    bed.Begin(TwoPods());
    bed.server().More(EventJson("ERROR", StatusJson(410, "too old")));
    bed.UntilFailure(PodWatchFailure::kGone);
    bed.Skip();
    bed.Answer(row.status, row.body, row.end);
    bed.Until("an error", [&] { return bed.watch().status().lists == 2 && !bed.watch().busy(); });
    EXPECT_NE(bed.watch().status().error, "") << row.body;
    EXPECT_THAT(bed.Addresses(), ElementsAre("1", "2")) << row.body;
    EXPECT_GE(bed.Skip(), absl::Milliseconds(500)) << row.body;
  }
}

TEST(PodWatch, AnEmptyListOfACacheIsAskedForAgainAndThenBelieved) {
  PodWatchBed bed;
  bed.Begin(TwoPods());
  bed.server().More(EventJson("ERROR", StatusJson(410, "too old")));
  bed.UntilFailure(PodWatchFailure::kGone);
  bed.Skip();
  bed.Answer(200, ListJson({}, "60"));
  bed.UntilRequests(4);
  EXPECT_EQ(bed.Line(2), kPods + "&limit=500&resourceVersion=0");
  EXPECT_EQ(bed.Line(3), kPods + "&limit=500");  // the newest state
  EXPECT_THAT(bed.Addresses(), ElementsAre("1", "2"));
  bed.Answer(200, ListJson({}, "61"));
  bed.UntilRequests(5);
  EXPECT_THAT(bed.Addresses(), IsEmpty());
  EXPECT_THAT(bed.Line(4), HasSubstr("resourceVersion=61&"));
}

TEST(PodWatch, AnEmptyFirstListIsBelieved) {
  PodWatchBed bed;
  bed.Begin(ListJson({}, "10"));
  EXPECT_EQ(bed.changes, 1);  // the first complete list is told
  EXPECT_THAT(bed.Line(1), HasSubstr("watch=true"));
}

TEST(PodWatch, ACacheThatIsOlderThanWhatIsKnownIsNotBelieved) {
  PodWatchBed bed;
  bed.Begin(TwoPods());
  bed.server().More(BookmarkJson(100));
  bed.server().More(EventJson("ERROR", StatusJson(410, "too old")));
  bed.UntilFailure(PodWatchFailure::kGone);
  bed.Skip();
  bed.Answer(200, ListJson({PodJson("old", "0")}, "99"));
  bed.UntilRequests(4);
  EXPECT_EQ(bed.Line(3), kPods + "&limit=500");
  EXPECT_THAT(bed.Addresses(), ElementsAre("1", "2"));
  // The newest state is what it is, though its version is lower: a cluster came from a backup.
  bed.Answer(200, ListJson({PodJson("c", "3")}, "50"));
  bed.UntilRequests(5);
  EXPECT_THAT(bed.Addresses(), ElementsAre("3"));
  EXPECT_THAT(bed.Line(4), HasSubstr("resourceVersion=50&"));
}

TEST(PodWatch, AVersionThatTheServerDoesNotKnowMeansANewestList) {
  PodWatchBed bed;
  bed.Answer(200, TwoPods("1000"));
  bed.Answer(504, StatusJson(504, "Too large resource version: 1000, current: 40", 1));
  bed.UntilFailure(PodWatchFailure::kTooNew);
  bed.Skip();
  bed.Answer(200, ListJson({PodJson("c", "3")}, "40"));
  bed.UntilRequests(4);
  EXPECT_EQ(bed.Line(2), kPods + "&limit=500");
  EXPECT_THAT(bed.Line(3), HasSubstr("resourceVersion=40&"));
}

TEST(PodWatch, EventsThatAreNoneEndTheWatchAndChangeNothing) {
  const std::string rows[] = {
      "garbage\n",
      "{}\n",
      EventJson("RENAMED", PodJson("a", "9", 11)),
      EventJson("DELETED", "{}"),
      EventJson("DELETED", "null"),
      EventJson("DELETED", R"({"kind":"Node","metadata":{"name":"a","namespace":"n",)"
                           R"("resourceVersion":"11"}})"),
      EventJson("ADDED", StatusJson(410, "m")),
  };
  for (const std::string& row : rows) {
    PodWatchBed bed;
    bed.Begin(TwoPods());
    bed.server().More(row + EventJson("DELETED", PodJson("a", "1", 12)));
    bed.UntilFailure(PodWatchFailure::kMalformed);
    EXPECT_THAT(bed.Addresses(), ElementsAre("1", "2")) << row;
    EXPECT_GE(bed.Skip(), absl::Milliseconds(500)) << row;
    bed.Answer(200, ListJson({PodJson("b", "2")}, "12"));
    bed.UntilRequests(4);
    EXPECT_THAT(bed.Line(2), HasSubstr("&limit=500")) << row;  // the same watch would say the same
    EXPECT_THAT(bed.Addresses(), ElementsAre("2")) << row;
  }
}

TEST(PodWatch, ALineThatIsTooLongChangesNothing) {
  PodWatchBed bed;
  bed.Begin(TwoPods());
  for (int i = 0; i < 17; ++i) bed.server().More(std::string(size_t{1} << 20, 'x'));
  bed.UntilFailure(PodWatchFailure::kTooLarge);
  EXPECT_THAT(bed.Addresses(), ElementsAre("1", "2"));
}

TEST(PodWatch, APageThatIsTooLargeMeansSmallerPagesOfTheNewestState) {
  PodWatchBed bed;
  bed.Begin(TwoPods());
  bed.server().More(EventJson("ERROR", StatusJson(410, "too old")));
  bed.UntilFailure(PodWatchFailure::kGone);
  bed.Skip();
  bed.Answer(200, std::string(kMaxPodPageBytes + 1, ' '));
  bed.UntilFailure(PodWatchFailure::kTooLarge);
  EXPECT_THAT(bed.Addresses(), ElementsAre("1", "2"));
  EXPECT_GE(bed.Skip(), absl::Milliseconds(500));
  bed.Answer(200, ListJson({PodJson("c", "3")}, "60"));
  bed.UntilRequests(5);
  EXPECT_EQ(bed.Line(3), kPods + "&limit=250");
  EXPECT_THAT(bed.Addresses(), ElementsAre("3"));
}

TEST(PodWatch, MorePodsThanTheBoundChangeNothing) {
  std::vector<std::string> pods;
  for (size_t i = 0; i <= PodList::kMaxPods; ++i) {
    pods.push_back(absl::StrCat(R"({"metadata":{"namespace":"n","name":"p)", i, "\"}}"));
  }
  PodWatchBed bed;
  bed.Begin(TwoPods());
  bed.server().More(EventJson("ERROR", StatusJson(410, "too old")));
  bed.UntilFailure(PodWatchFailure::kGone);
  bed.Skip();
  bed.Answer(200, ListJson(pods, "60"));
  bed.UntilFailure(PodWatchFailure::kTooLarge);
  EXPECT_THAT(bed.Addresses(), ElementsAre("1", "2"));
}

TEST(PodWatch, ARotatedTokenIsReadAgain) {
  const TempDir dir;
  PodWatchBed bed;
  bed.http->authorization_type = "Bearer";
  bed.http->credentials = {"", dir.Write("token", "old")};
  bed.Answer(401, StatusJson(401, "Unauthorized"));
  bed.UntilFailure(PodWatchFailure::kUnauthorized);
  EXPECT_THAT(bed.server().requests()[0], HasSubstr("Authorization: Bearer old\r\n"));
  dir.Write("token", "newer");
  bed.Skip();
  bed.Answer(200, TwoPods());
  bed.UntilRequests(3);
  EXPECT_THAT(bed.server().requests()[1], HasSubstr("Authorization: Bearer newer\r\n"));
  EXPECT_THAT(bed.watch().status().url + bed.watch().status().error, Not(HasSubstr("newer")));
  EXPECT_EQ(bed.accesses, 2);  // a kubeconfig is read again too
}

TEST(PodWatch, WithoutAccessNothingIsAsked) {
  PodWatchBed bed;
  bed.access_error = absl::NotFoundError("no service account");
  bed.UntilFailure(PodWatchFailure::kAccess);
  EXPECT_THAT(bed.watch().status().error, HasSubstr("no service account"));
  EXPECT_GE(bed.Skip(), absl::Milliseconds(2500));
  bed.access_error = absl::OkStatus();
  bed.Begin(TwoPods());
  EXPECT_EQ(bed.watch().status().error, "");
}

TEST(PodWatch, TheOwnNamespaceIsNeverAllNamespaces) {
  PodWatchBed bed({}, /*own_namespace=*/true);
  bed.UntilFailure(PodWatchFailure::kAccess);
  EXPECT_THAT(bed.server().requests(), IsEmpty());
  bed.Skip();
  bed.own_name = "mine";
  bed.Begin(TwoPods());
  EXPECT_THAT(bed.Line(0), StartsWith("GET /api/v1/namespaces/mine/pods?"));
}

TEST(PodWatch, StopEndsTheRequest) {
  PodWatchBed bed;
  bed.Begin(TwoPods());
  EXPECT_TRUE(bed.watch().busy());
  bed.watch().Stop();
  bed.Until("idle", [&] { return !bed.watch().busy(); });
  bed.clock().Advance(absl::Hours(1));
  bed.watch().Tick();
  EXPECT_FALSE(bed.watch().busy());
  EXPECT_THAT(bed.Addresses(), ElementsAre("1", "2"));
}

}  // namespace
}  // namespace ampari
