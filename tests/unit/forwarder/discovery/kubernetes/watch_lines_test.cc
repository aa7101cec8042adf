#include "forwarder/discovery/kubernetes/watch_lines.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/status_matchers.h"

namespace ampari {
namespace {

struct Row {
  std::vector<std::string> pieces;
  std::vector<std::string> want;
};

TEST(WatchLines, CutsWhateverThePieces) {
  const Row rows[] = {
      {{"a\n"}, {"a"}},
      {{"a\nb\n"}, {"a", "b"}},
      {{"a", "\n"}, {"a"}},
      {{"a", "b", "c\nd"}, {"abc"}},
      {{"a\nb", "c\n\n"}, {"a", "bc"}},
      {{"\n\n", "\r\n", " \n", "a\r\n"}, {"a"}},
      {{"a"}, {}},  // not whole
      {{"", ""}, {}},
  };
  for (const Row& row : rows) {
    WatchLines lines;
    std::vector<std::string> got;
    for (const std::string& piece : row.pieces) {
      EXPECT_THAT(lines.Add(piece,
                            [&](std::string_view line) {
                              got.emplace_back(line);
                              return absl::OkStatus();
                            }),
                  IsOk());
    }
    EXPECT_EQ(got, row.want) << row.pieces[0];
  }
}

TEST(WatchLines, EndsAtTheFirstLineThatIsRefused) {
  WatchLines lines;
  int calls = 0;
  const absl::Status status = lines.Add("a\nb\n", [&](std::string_view) {
    ++calls;
    return absl::CancelledError("enough");
  });
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(calls, 1);
}

TEST(WatchLines, ALineHasABound) {
  const auto take = [](std::string_view) { return absl::OkStatus(); };
  const std::string longest(WatchLines::kMaxLineBytes, 'x');
  WatchLines whole, halves, endless;
  EXPECT_THAT(whole.Add(longest + "\n", take), IsOk());
  EXPECT_THAT(whole.Add(longest, take), IsOk());
  EXPECT_THAT(whole.Add("x", take), StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(halves.Add(longest + "x\n", take), StatusIs(absl::StatusCode::kResourceExhausted));
  absl::Status status;
  for (int i = 0; i < 100 && status.ok(); ++i) {
    status = endless.Add(std::string(size_t{1} << 20, 'x'), take);
  }
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted));
}

}  // namespace
}  // namespace ampari
