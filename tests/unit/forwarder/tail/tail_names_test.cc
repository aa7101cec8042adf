// Names and identities: what rotation makes of a name, globs, links, keys.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "forwarder/tail/file_key.h"
#include "forwarder/tail/log_directory.h"
#include "forwarder/tail/log_name.h"
#include "forwarder/tail/log_start.h"
#include "forwarder/tail/path_glob.h"
#include "forwarder/tail/tail_flush.h"

namespace ampari {
namespace {

using testing::ElementsAre;

TEST(LogName, TellsTheBaseAndWhetherItWasRotated) {
  struct Row {
    const char* name;
    const char* base;  // empty: none
    bool rotated, compressed;
  };
  for (const Row& row : std::vector<Row>{
           {"0.log", "0.log", false, false},
           {"12.log.20240501-101112", "12.log", true, false},
           {"12.log.20240501-101112.gz", "12.log", true, true},
           {"0.log.20240501-101112.gz.tmp", "", false, false},
           {"0.log.tmp", "", false, false},
           {"0.log.1", "0.log", true, false},
           {"x-json.log.10.gz", "x-json.log", true, true},
           {"0.log.gz", "0.log", true, true},
           {"0.log.2024-05-01", "0.log.2024-05-01", false, false},
           {"0.log.20240501_101112", "0.log.20240501_101112", false, false},
           {"0.log.123456", "0.log.123456", false, false},
           {"0.log.", "0.log.", false, false},
           {".1", ".1", false, false},
           {".gz", "", false, false},
           {"", "", false, false},
       }) {
    SCOPED_TRACE(row.name);
    const auto parsed = ParseLogName(row.name);
    ASSERT_EQ(parsed.has_value(), row.base[0] != '\0');
    if (!parsed) continue;
    EXPECT_EQ(parsed->base, row.base);
    EXPECT_EQ(parsed->rotated, row.rotated);
    EXPECT_EQ(parsed->compressed, row.compressed);
  }
}

TEST(LogName, RanksFromOldToNew) {
  const std::vector<std::vector<std::string>> from_old_to_new = {
      {"0.log.20231231-235959", "0.log.20240101-000000.gz", "0.log.20240101-000001", "0.log"},
      {"a.log.10.gz", "a.log.2.gz", "a.log.1", "a.log"},
  };
  for (const auto& names : from_old_to_new) {
    for (size_t i = 1; i < names.size(); ++i) {
      EXPECT_LT(ParseLogName(names[i - 1])->rank, ParseLogName(names[i])->rank) << names[i];
    }
  }
}

TEST(LogName, RestartCounts) {
  EXPECT_EQ(RestartCount("0.log"), 0);
  EXPECT_EQ(RestartCount("17.log"), 17);
  for (const char* other : {"a.log", ".log", "1", "-1.log", "1.log.1", "99999999999.log"}) {
    EXPECT_FALSE(RestartCount(other).has_value()) << other;
  }
}

TEST(PathGlob, NamesMeetPatternsOrNot) {
  struct Row {
    const char* pattern;
    const char* name;
    bool met;
  };
  for (const Row& row : std::vector<Row>{
           {"*", "anything", true},
           {"*.log", "0.log", true},
           {"*.log", "0.log.1", false},
           {"*.log", ".log", true},
           {"*1234", "ns_pod_1234", true},
           {"*1234", "ns_pod_12345", false},
           {"ns_*_1234", "ns_pod_1234", true},
           {"a*b*c", "aXbYbZc", true},
           {"a*b*c", "aXbYbZ", false},
           {"?.log", "0.log", true},
           {"?.log", "10.log", false},
           {"[0-9].log", "7.log", true},
           {"[0-9].log", "x.log", false},
           {"[!0-9].log", "x.log", true},
           {"[^0-9].log", "7.log", false},
           {"[]a].log", "].log", true},
           {"[a-].log", "-.log", true},
           {"[abc", "a", false},
           {"\\*.log", "*.log", true},
           {"\\*.log", "0.log", false},
           {"a\\", "a\\", true},
           {"", "", true},
           {"", "a", false},
           {"**", "ab", true},
           {"istio-proxy", "istio-proxy", true},
           {"istio-proxy", "istio-prox", false},
           {"istio-proxy", "istio-proxyy", false},
       }) {
    EXPECT_EQ(MatchName(row.pattern, row.name), row.met) << row.pattern << " " << row.name;
  }
}

TEST(PathGlob, ManyStarsAreQuick) {
  std::string pattern = "*";
  for (int i = 0; i < 50; ++i) pattern += "a*";
  EXPECT_FALSE(MatchName(pattern + "b*c", std::string(255, 'a') + "c"));
}

TEST(PathGlob, SplitsRootDirectoriesAndName) {
  const auto globs = PathGlob::Parse("/var/log/pods/*1234/istio-proxy/*.log");
  ASSERT_TRUE(globs.ok()) << globs.status();
  ASSERT_EQ(globs->size(), 1);
  EXPECT_EQ(globs->front().root, "/var/log/pods");
  EXPECT_THAT(globs->front().directories, ElementsAre("*1234", "istio-proxy"));
  EXPECT_EQ(globs->front().name, "*.log");
  const auto literal = PathGlob::Parse("/x.log");
  ASSERT_TRUE(literal.ok());
  EXPECT_EQ(literal->front().root, "/");
  EXPECT_THAT(literal->front().directories, ElementsAre());
  const auto any = PathGlob::Parse("/var/**");
  ASSERT_TRUE(any.ok());
  EXPECT_THAT(any->front().directories, ElementsAre("**"));
  EXPECT_EQ(any->front().name, "*");
}

TEST(PathGlob, BracesAreAlternatives) {
  const auto globs = PathGlob::Parse("/l/{a,b{1,2}}/{x,}.log");
  ASSERT_TRUE(globs.ok()) << globs.status();
  std::vector<std::string> paths;
  for (const PathGlob& glob : *globs) paths.push_back(absl::StrCat(glob.root, "/", glob.name));
  EXPECT_THAT(paths, testing::UnorderedElementsAre("/l/a/x.log", "/l/a/.log", "/l/b1/x.log",
                                                   "/l/b1/.log", "/l/b2/x.log", "/l/b2/.log"));
}

TEST(PathGlob, RefusesWhatIsNoPath) {
  for (const std::string& pattern :
       {std::string("relative/*.log"), std::string("/dir/"), std::string(), std::string("/a/../b"),
        std::string("/a/./b.log"), std::string("/a/{b"), std::string("/a/[b"),
        std::string("/a\0b", 4), "/" + std::string(5000, 'a'),
        "/" + std::string(10, '{') + "a" + std::string(9, '}'),
        std::string("/{a,b,c,d,e}{a,b,c,d,e}{a,b,c}"), std::string("/*") + [] {
          std::string s;
          for (int i = 0; i < 70; ++i) s += "/a";
          return s;
        }()}) {
    EXPECT_FALSE(PathGlob::Parse(pattern).ok()) << pattern;
  }
}

TEST(FileHead, IsAWholeLineOrAKibibyte) {
  EXPECT_EQ(FileHead("one\ntwo\n"), "one");
  EXPECT_EQ(FileHead("\n"), "");
  EXPECT_EQ(FileHead("no newline"), std::nullopt);
  EXPECT_EQ(FileHead(""), std::nullopt);
  EXPECT_EQ(FileHead(std::string(1023, 'a')), std::nullopt);
  EXPECT_EQ(FileHead(std::string(1024, 'a')), std::string(1024, 'a'));
  EXPECT_EQ(FileHead(std::string(1023, 'a') + "\n"), std::string(1023, 'a'));
  EXPECT_EQ(FileHead(std::string(2000, 'a') + "\n"), std::string(1024, 'a'));
}

TEST(FileKey, IsOfPodContainerHeadAndGeneration) {
  const FileKey key = MakeFileKey("ns_pod_1", "app", "first");
  // Stored by gateways: it may never change.
  EXPECT_EQ(FileKeyHex(key), "03ccae587298909f127c6faaf773ff4b");
  EXPECT_EQ(key, MakeFileKey("ns_pod_1", "app", "first", 0));
  EXPECT_NE(key, MakeFileKey("ns_pod_1", "app", "first", 1));
  EXPECT_NE(key, MakeFileKey("ns_pod_1", "app", "second"));
  EXPECT_NE(key, MakeFileKey("ns_pod_1", "ap", "pfirst"));
  EXPECT_NE(key, MakeFileKey("ns_pod_2", "app", "first"));
  EXPECT_EQ(FileKeyFromBytes(key.view()), key);
  EXPECT_EQ(FileKeyFromBytes("short"), std::nullopt);
}

TEST(FileKey, OwnerIsTheLastTwoDirectories) {
  const LogOwner owner = OwnerOfDirectory("/var/log/pods/ns_pod_1/app");
  EXPECT_EQ(owner.pod, "ns_pod_1");
  EXPECT_EQ(owner.container, "app");
  EXPECT_EQ(OwnerOfDirectory("/logs").container, "logs");
  EXPECT_EQ(OwnerOfDirectory("/logs").pod, "");
  EXPECT_EQ(OwnerOfDirectory("/").container, "");
}

TEST(ResolveLink, LeadsOnlyBeneathTheRoots) {
  struct Row {
    const char* target;
    const char* path;  // beneath the root; empty: refused
  };
  const RootedPath directory{"/var/log/containers", ""};
  const std::vector<std::string> roots = {"/var/log/pods"};
  for (const Row& row : std::vector<Row>{
           {"/var/log/pods/a_b_c/app/0.log", "a_b_c/app/0.log"},
           {"../pods/a_b_c/app/0.log", "a_b_c/app/0.log"},
           {"/var/log/pods/../../../etc/shadow", ""},
           {"/var/log/pods/x/../../pods/y/0.log", "y/0.log"},
           {"/etc/shadow", ""},
           {"/var/log/podsX/0.log", ""},
           {"/var/log/pods", ""},
           {"../../../../../../etc/passwd", ""},
           {"", ""},
       }) {
    const auto resolved = ResolveLink(directory, row.target, roots);
    EXPECT_EQ(resolved.ok(), row.path[0] != '\0') << row.target;
    if (!resolved.ok()) continue;
    EXPECT_EQ(*resolved, (RootedPath{"/var/log/pods", row.path})) << row.target;
  }
}

TEST(LogStart, FilesOfTheHourBeforeTheFirstContactAreReadWhole) {
  const absl::Time contact = absl::FromUnixSeconds(1'700'000'000);
  struct Row {
    LogStart start;
    absl::Duration after_contact;
    bool beginning;
  };
  for (const Row& row : std::vector<Row>{
           {LogStart::kAuto, absl::Minutes(-59), true},
           {LogStart::kAuto, absl::Minutes(-61), false},
           {LogStart::kAuto, absl::Hours(2), true},
           {LogStart::kBeginning, absl::Hours(-200), true},
           {LogStart::kEnd, absl::Minutes(-1), false},
           {LogStart::kEnd, absl::Minutes(1), true},
       }) {
    EXPECT_EQ(StartsAtBeginning(row.start, contact + row.after_contact, contact), row.beginning)
        << row.after_contact;
  }
}

TEST(LogFileDisplayName, IsShortValidUtf8) {
  EXPECT_EQ(LogFileDisplayName("/var/log/a.log"), "/var/log/a.log");
  EXPECT_EQ(LogFileDisplayName("gr\xC3\xBC\xC3\x9F"
                               "e"),
            "gr\xC3\xBC\xC3\x9F"
            "e");
  EXPECT_EQ(LogFileDisplayName("a\xFF\x01\xC3"), "a???");
  EXPECT_EQ(LogFileDisplayName(std::string(600, 'a') + "end").size(), kMaxLogFileNameBytes);
  EXPECT_TRUE(LogFileDisplayName(std::string(600, 'a') + "end").ends_with("end"));
}

}  // namespace
}  // namespace ampari
