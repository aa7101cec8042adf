#include "forwarder/discovery/log_targets.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/labels/quote.h"
#include "common/runtime/absl_view.h"
#include "forwarder/discovery/discovered_labels.h"

namespace ampari {
namespace {

constexpr char kPath[] = "__path__";
constexpr char kPodUid[] = "__meta_kubernetes_pod_uid";
constexpr char kMirrorOf[] = "__meta_kubernetes_pod_annotation_kubernetes_io_config_mirror";
constexpr size_t kMaxUidBytes = 64;  // a UUID, or the hash of a manifest
constexpr absl::string_view kIdSeparator("\0", 1);

// Uids and hashes of manifests; nothing that would change the meaning of a path.
bool IsUid(std::string_view text) {
  return !text.empty() && text.size() <= kMaxUidBytes &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-';
         });
}

absl::Status CheckElement(std::string_view element) {
  if (element.empty()) return absl::InvalidArgumentError("has an empty element");
  if (element == "." || element == "..") {
    return absl::InvalidArgumentError(absl::StrCat("has the element ", ToAbsl(element)));
  }
  return absl::OkStatus();
}

bool HasControlByte(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); });
}

absl::Status CheckElements(std::string_view path) {
  std::string_view rest = path.substr(1);
  bool first = true;
  while (true) {
    const size_t slash = rest.find('/');
    const std::string_view element = rest.substr(0, slash);
    const absl::Status status = CheckElement(element);
    if (!status.ok()) return status;
    const bool last = slash == std::string_view::npos;
    if (first && (last || element.find_first_of("*?[{\\") != std::string_view::npos)) {
      return absl::InvalidArgumentError("is not beneath a directory");
    }
    if (last) return absl::OkStatus();
    rest.remove_prefix(slash + 1);
    first = false;
  }
}

}  // namespace

absl::Status CheckLogPath(std::string_view path) {
  if (path.empty()) {
    return absl::InvalidArgumentError("no __path__; a rule of relabel_configs must set it");
  }
  if (path.size() > kMaxLogPathBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("__path__ is longer than ", kMaxLogPathBytes, " bytes"));
  }
  absl::Status status = absl::OkStatus();
  if (path.front() != '/') {
    status = absl::InvalidArgumentError("is not absolute");
  } else if (HasControlByte(path)) {
    status = absl::InvalidArgumentError("has a control character");
  } else {
    status = CheckElements(path);
  }
  if (status.ok()) return status;
  return absl::InvalidArgumentError(absl::StrCat("__path__ ", Quoted(path), " ", status.message()));
}

Labels DiscoveredLogLabels(const LogJob& job, std::string_view address, const Labels& group,
                           const Labels& own) {
  LabelsBuilder labels;
  AddDiscovered(address, group, own, &labels);
  SetIfEmpty("job", job.job_name, labels);
  const std::string mirrored(labels.Get(kMirrorOf));
  if (!labels.Get(kPodUid).empty() && IsUid(mirrored)) labels.Set(kPodUid, mirrored);
  return labels.Build();
}

absl::StatusOr<LogTarget> BuildLogTarget(const std::shared_ptr<const LogJob>& job,
                                         const Labels& discovered, const Labels& external) {
  LabelsBuilder builder(discovered);
  if (!job->relabel.Apply(builder)) return absl::NotFoundError("dropped by relabel_configs");
  const Labels labels = builder.Build();
  absl::Status status = CheckLogPath(labels.Get(kPath));
  if (!status.ok()) return status;
  LogTarget target;
  target.job = job;
  target.discovered_labels = discovered;
  target.labels = PublicLabels(labels, external);
  status = CheckLabelValues(target.labels);
  if (!status.ok()) return status;
  target.path = std::string(labels.Get(kPath));
  target.id = absl::StrCat(job->job_name, kIdSeparator, ToAbsl(target.labels.bytes()), kIdSeparator,
                           target.path);
  return target;
}

}  // namespace ampari
