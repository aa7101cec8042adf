#include "bench/mesh/log_mesh.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "bench/mesh/container_log.h"
#include "bench/mesh/written_log.h"
#include "bench/region/json_value.h"
#include "bench/verify/log_check.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ampari::bench {
namespace {

namespace fs = std::filesystem;

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string ReadFile(const std::string& path) {
  if (path.ends_with(".gz")) {
    gzFile file = ::gzopen(path.c_str(), "rb");
    std::string content(size_t{4} << 20, '\0');
    content.resize(
        static_cast<size_t>(::gzread(file, content.data(), static_cast<unsigned>(content.size()))));
    ::gzclose(file);
    return content;
  }
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

struct RuntimeCase {
  LogRuntime runtime;
  const char* what;
  std::vector<std::string> lines;
  int64_t now_ns;
  const char* records;
};

TEST(RuntimeRecords, AreThoseOfTheRuntime) {
  constexpr int64_t kHalf = 1'714'557'600'500'000'000;
  const RuntimeCase cases[] = {
      {LogRuntime::kContainerd,
       "digits as needed",
       {"a b"},
       kHalf,
       "2024-05-01T10:00:00.5Z stdout F a b\n"},
      {LogRuntime::kContainerd, "an empty line", {""}, kHalf, "2024-05-01T10:00:00.5Z stdout F \n"},
      {LogRuntime::kCrio,
       "nine digits and an offset",
       {"a b"},
       kHalf,
       "2024-05-01T10:00:00.500000000+00:00 stdout F a b\n"},
      {LogRuntime::kDocker,
       "JSON",
       {"a \"b\""},
       kHalf,
       "{\"log\":\"a \\\"b\\\"\\n\",\"stream\":\"stdout\",\"time\":\"2024-05-01T10:00:00.5Z\"}\n"},
  };
  for (const RuntimeCase& c : cases) {
    uint64_t seed = 0;  // the first step of time is drawn; one in five is none
    std::string file;
    std::vector<int64_t> times;
    do {
      file.clear();
      times.clear();
      RuntimeRecords(c.runtime, ++seed).Append(false, c.lines, c.now_ns, &file, &times);
    } while (times[0] != c.now_ns);
    EXPECT_EQ(file, c.records) << c.what;
  }
}

// The texts of records, P's marked.
std::vector<std::string> Parts(const std::string& file) {
  std::vector<std::string> parts;
  std::istringstream in(file);
  for (std::string line; std::getline(in, line);) {
    const size_t tag = line.find(" std") + 8;
    parts.push_back(line.substr(tag, 1) + std::to_string(line.size() - tag - 2));
  }
  return parts;
}

TEST(RuntimeRecords, PartLongLines) {
  std::string file;
  std::vector<int64_t> times;
  const std::vector<std::string> lines = {std::string(kPartBytes, 'a'),
                                          std::string(2 * kPartBytes + 1, 'b'), "c"};
  RuntimeRecords(LogRuntime::kContainerd, 1).Append(true, lines, 1'000'000'000, &file, &times);
  EXPECT_THAT(Parts(file), ElementsAre("F16384", "P16384", "P16384", "F1", "F1"));
  EXPECT_THAT(times, SizeIs(3));
}

TEST(RuntimeRecords, OfConmonPartLinesWhereAReadEnds) {
  std::string file;
  std::vector<int64_t> times;
  const std::vector<std::string> lines = {std::string(5000, 'a'), std::string(5000, 'b'),
                                          std::string(6382, 'c'), "d"};
  RuntimeRecords(LogRuntime::kCrio, 1).Append(false, lines, 1'000'000'000, &file, &times);
  // 5,001 bytes, 3,191 of the next, a whole read of the rest: 8,192 = 1,810 + 6,382; its newline
  // and the last line come with the third.
  EXPECT_THAT(Parts(file), ElementsAre("F5000", "P3191", "F1809", "P6382", "F0", "F1"));
  EXPECT_THAT(times, SizeIs(4));
}

TEST(RuntimeRecords, TimesNeverGoBack) {
  for (const LogRuntime runtime : {LogRuntime::kContainerd, LogRuntime::kCrio}) {
    RuntimeRecords records(runtime, 7);
    std::string file;
    std::vector<int64_t> times;
    for (const int64_t now : {5000, 5000, 4000}) {
      records.Append(false, std::vector<std::string>(500, "line"), now, &file, &times);
    }
    EXPECT_TRUE(std::is_sorted(times.begin(), times.end()));
    EXPECT_LT(times.back(), 50'000'000) << "not far ahead of the clock";
  }
}

class ContainerLogTest : public ::testing::Test {
 protected:
  ContainerLogTest() : log_(dir_.path(), MakePods(1, 1, 1)[0], "istio-proxy", NewFile::kRenamed) {
    EXPECT_THAT(log_.Open(), IsOk());
  }

  // The files and what is in them, sorted by name; times of rotation left out.
  std::vector<std::string> Files() const {
    std::map<std::string, std::string> found;
    for (const auto& entry : fs::directory_iterator(log_.directory())) {
      found[entry.path().filename()] = ReadFile(entry.path());
    }
    std::vector<std::string> files;
    for (const auto& [name, content] : found) {
      const bool packed = name.ends_with(".gz"), rotated = name.size() > 10;
      files.push_back(name.substr(0, 5) + (rotated ? ".old" : "") + (packed ? ".gz" : "") + " " +
                      content);
    }
    return files;
  }

  void Write(const std::string& text) {
    ++number_;
    EXPECT_THAT(log_.Write(text, {number_, number_}), IsOk());
  }

  TempDir dir_;
  ContainerLog log_;
  uint64_t number_ = 0;
  std::vector<LineRange> gone_;
};

TEST_F(ContainerLogTest, RotatesAsKubelet) {
  Write("a");
  ASSERT_THAT(log_.Rotate(5, true, &gone_), IsOk());
  Write("b");  // the runtime has not reopened the file yet
  EXPECT_THAT(Files(), ElementsAre("0.log.old ab"));
  ASSERT_THAT(log_.Reopen(), IsOk());
  Write("c");
  EXPECT_THAT(Files(), ElementsAre("0.log c", "0.log.old ab"));
  ASSERT_THAT(log_.Rotate(5, true, &gone_), IsOk());
  ASSERT_THAT(log_.Reopen(), IsOk());
  EXPECT_THAT(Files(), ElementsAre("0.log ", "0.log.old.gz ab", "0.log.old c"));
  EXPECT_THAT(gone_, IsEmpty());
}

TEST_F(ContainerLogTest, KeepsSoManyFiles) {
  for (const char* text : {"a", "b", "c", "d"}) {
    Write(text);
    ASSERT_THAT(log_.Rotate(3, false, &gone_), IsOk());
    ASSERT_THAT(log_.Reopen(), IsOk());
  }
  EXPECT_THAT(Files(), ElementsAre("0.log ", "0.log.old c", "0.log.old d"));
  ASSERT_THAT(gone_, SizeIs(2));
  EXPECT_EQ(gone_[1].first, 2u);
  EXPECT_EQ(gone_[1].last, 2u);
}

TEST_F(ContainerLogTest, CopiesAndTruncates) {
  Write("a");
  ASSERT_THAT(log_.CopyTruncate(5, false, &gone_), IsOk());
  Write("b");
  EXPECT_THAT(Files(), ElementsAre("0.log b", "0.log.old a"));
}

TEST_F(ContainerLogTest, ARestartBeginsTheNextFile) {
  Write("a");
  ASSERT_THAT(log_.Restart(&gone_), IsOk());
  Write("b");
  EXPECT_THAT(Files(), ElementsAre("0.log a", "1.log b"));
  ASSERT_THAT(log_.Restart(&gone_), IsOk());
  EXPECT_THAT(Files(), ElementsAre("1.log b", "2.log "));
  ASSERT_THAT(log_.Delete(&gone_), IsOk());
  EXPECT_FALSE(fs::exists(log_.directory()));
  EXPECT_THAT(gone_, SizeIs(2));
}

LogMeshOptions SmallMesh(const TempDir& dir) {
  LogMeshOptions options;
  options.directory = dir.path() + "/pods";
  options.pods = 2;
  options.lines_per_second = 100'000;
  options.max_lines = 2'000;
  options.written_path = dir.path() + "/written";
  options.targets_path = dir.path() + "/targets.json";
  options.mix.long_line = 0.01;
  options.mix.invalid = 0.01;
  options.flush_every = absl::Milliseconds(1);
  options.max_files = 1000;
  return options;
}

// What a reader that joins parts would find in all files of a directory.
std::vector<DeliveredStream::Line> LinesOf(const std::string& directory) {
  std::vector<DeliveredStream::Line> lines;
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(directory)) {
    std::string name = entry.path().filename();  // the newest sorts last
    if (name.size() <= 6) name += ".9";
    files[name] = ReadFile(entry.path());
  }
  std::map<std::string, std::string> begun;  // by output
  for (const auto& [name, content] : files) {
    std::istringstream in(content);
    for (std::string record; std::getline(in, record);) {
      const size_t output = record.find(' ') + 1;
      const std::string text = begun[record.substr(output, 6)] + record.substr(output + 9);
      begun[record.substr(output, 6)] = record[output + 7] == 'P' ? text : "";
      if (record[output + 7] == 'P') continue;
      absl::Time time;
      EXPECT_TRUE(
          absl::ParseTime(absl::RFC3339_full, record.substr(0, output - 1), &time, nullptr));
      lines.push_back({absl::ToUnixNanos(time), LineHash(text)});
    }
  }
  return lines;
}

TEST(LogMesh, RecordsExactlyWhatItWrites) {
  for (const LogRuntime runtime : {LogRuntime::kContainerd, LogRuntime::kCrio}) {
    for (const RotationMode rotation : {RotationMode::kRename, RotationMode::kCopyTruncate}) {
      const TempDir dir;
      LogMeshOptions options = SmallMesh(dir);
      options.runtime = runtime;
      options.rotation = rotation;
      options.lines_per_second = 5'000;
      options.rotate_bytes = 50'000;
      options.rotate_check = absl::Milliseconds(1);
      auto mesh = LogMesh::Start(options);
      ASSERT_THAT(mesh, IsOk());
      ASSERT_THAT((*mesh)->Wait(), IsOk());
      EXPECT_EQ((*mesh)->counts().lines, options.max_lines);
      EXPECT_GT((*mesh)->counts().rotations, 0u);
      const auto written = ReadWrittenLog(options.written_path);
      ASSERT_THAT(written, IsOk());
      DeliveredLogs delivered;
      for (const WrittenContainer& c : *written) {
        const std::string directory =
            options.directory + "/" + c.namespace_name + "_" + c.pod + "_" + c.uid + "/" + c.name;
        delivered.streams.push_back({c.namespace_name, c.pod, c.name, "", LinesOf(directory)});
      }
      const LogVerifyCounts counts = VerifyLogs(*written, delivered);
      EXPECT_EQ(counts.verified, options.max_lines) << counts.ToJson();
      EXPECT_EQ(counts.missing + counts.unknown + counts.wrong_time + counts.doubled, 0u);
    }
  }
}

TEST(LogMesh, SaysTheSameForTheSameSeed) {
  std::vector<std::vector<uint64_t>> runs;
  for (int run = 0; run < 2; ++run) {
    ProxyLines lines(MakePods(1, 1, 3)[0], {}, 3);
    std::vector<uint64_t>& hashes = runs.emplace_back();
    for (uint64_t i = 1; i < 200; ++i) hashes.push_back(LineHash(lines.Next(i, 12345).text));
  }
  EXPECT_EQ(runs[0], runs[1]);
}

TEST(LogMesh, RestartsAndReplacesPods) {
  const TempDir dir;
  LogMeshOptions options = SmallMesh(dir);
  options.lines_per_second = 10'000;
  options.restart_every = absl::Milliseconds(20);
  options.replace_every = absl::Milliseconds(50);
  options.linger = absl::Milliseconds(20);
  auto mesh = LogMesh::Start(options);
  ASSERT_THAT(mesh, IsOk());
  ASSERT_THAT((*mesh)->Wait(), IsOk());
  const LogMeshCounts counts = (*mesh)->counts();
  EXPECT_GT(counts.restarts, 0u);
  EXPECT_GT(counts.pods, 2u);
  const auto written = ReadWrittenLog(options.written_path);
  ASSERT_THAT(written, IsOk());
  uint64_t lines = 0, dangling = 0;
  for (const WrittenContainer& container : *written) {
    for (const WrittenLine& line : container.lines) ++(line.dangling ? dangling : lines);
  }
  EXPECT_EQ(written->size(), counts.pods);
  EXPECT_EQ(lines, counts.lines);
  EXPECT_EQ(dangling, counts.restarts);
  const auto targets = ParseJson(ReadFile(options.targets_path));
  ASSERT_THAT(targets, IsOk());
  EXPECT_GE(targets->items.size(), 2u);
  EXPECT_TRUE(std::any_of(targets->items.begin(), targets->items.end(), [&](const JsonValue& item) {
    return item["labels"]["__meta_kubernetes_pod_name"].text == written->back().pod;
  }));
}

TEST(LogMesh, NamesWhatItCannotWrite) {
  LogMeshOptions options;
  options.directory = "/proc/nothing";
  const auto mesh = LogMesh::Start(options);
  EXPECT_THAT(mesh.status().message(), HasSubstr("/proc/nothing"));
}

}  // namespace
}  // namespace ampari::bench
