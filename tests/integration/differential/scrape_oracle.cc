// scrape_oracle CONFIG CASES: runs the bodies of CASES through TargetState under the jobs of CONFIG
// (a forwarder's configuration) and prints one JSON object per scrape. CASES is a sequence of
//   case JOB
//   label NAME VALUE                        of the target
//   scrape MS text|om|down BYTES, newline, the body, newline
#include <charconv>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "forwarder/config.h"
#include "forwarder/scrape/target_state.h"
#include "tests/support/scrape_replay.h"

namespace ampari {
namespace {

std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      absl::StrAppend(&out, "\\", std::string(1, c));
    else if (static_cast<unsigned char>(c) < 0x20)
      absl::StrAppendFormat(&out, "\\u%04x", c);
    else
      out.push_back(c);
  }
  return out + "\"";
}

class Case {
 public:
  Case(std::string name, std::shared_ptr<const ScrapeJob> job) : name_(std::move(name)) {
    target_.timeout = job->scrape_timeout;
    target_.job = std::move(job);
  }
  void AddLabel(const std::string& name, const std::string& value) { labels_.Set(name, value); }

  void Scrape(int64_t time, const std::string& kind, const std::string& body) {
    if (state_ == nullptr) {
      target_.labels = labels_.Build();
      state_ = std::make_unique<TargetState>(target_, size_t{16} << 20, numbers_);
    }
    const bool open_metrics = kind == "om";
    state_->Begin(
        {time, open_metrics ? ScrapeProtocol::kOpenMetrics100 : ScrapeProtocol::kText004});
    ScrapeEnd end;
    if (kind == "down")
      end.transport = absl::UnavailableError("status 500");
    else
      (void)state_->Feed(body);
    ScrapeSummary summary;
    Print(replay_.Take(state_->Finish(end, &summary)), summary);
  }

 private:
  void Print(const std::vector<ReplayedSample>& samples, const ScrapeSummary& summary) {
    std::string out = absl::StrCat("{\"case\":", Quoted(name_),
                                   ",\"error\":", Quoted(summary.error), ",\"samples\":[");
    const char* separator = "";
    for (const ReplayedSample& sample : samples) {
      absl::StrAppend(&out, separator, "{\"labels\":{");
      separator = "";
      for (const Label label : sample.labels) {
        absl::StrAppend(&out, separator, Quoted(label.name), ":", Quoted(label.value));
        separator = ",";
      }
      absl::StrAppendFormat(&out, "},\"ms\":%d,\"bits\":\"%016x\"}", sample.timestamp_ms,
                            sample.bits);
      separator = ",";
    }
    std::cout << out << "]}\n";
  }

  std::string name_;
  Target target_;
  LabelsBuilder labels_;
  NumberSource numbers_;
  std::unique_ptr<TargetState> state_;
  ScrapeReplay replay_;
};

std::unique_ptr<Case> MakeCase(const ForwarderConfig& config, const std::string& name) {
  for (const ScrapeJobConfig& job : config.jobs) {
    if (job.job->job_name == name) return std::make_unique<Case>(name, job.job);
  }
  std::cerr << "no job " << name << "\n";
  return nullptr;
}

int Run(const ForwarderConfig& config, std::istream& in) {
  std::unique_ptr<Case> now;
  for (std::string word; in >> word;) {
    if (word == "case") {
      std::string name;
      in >> name;
      now = MakeCase(config, name);
      if (now == nullptr) return 1;
    } else if (word == "label") {
      std::string name, value;
      in >> name >> value;
      now->AddLabel(name, value);
    } else if (word == "scrape") {
      int64_t time = 0;
      std::string kind;
      size_t bytes = 0;
      in >> time >> kind >> bytes;
      in.get();
      std::string body(bytes, '\0');
      in.read(body.data(), static_cast<std::streamsize>(bytes));
      now->Scrape(time, kind, body);
    }
  }
  return 0;
}

}  // namespace
}  // namespace ampari

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  std::ifstream text(argv[1]);
  std::stringstream yaml;
  yaml << text.rdbuf();
  const auto config = ampari::ParseForwarderConfig(yaml.str(), argv[1], {});
  if (!config.ok()) {
    std::cerr << config.status().ToString() << "\n";
    return 1;
  }
  std::ifstream cases(argv[2], std::ios::binary);
  return ampari::Run(*config, cases);
}
