#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <memory>

#include "absl/time/clock.h"
#include "common/runtime/metrics.h"

namespace ampari {
namespace {

double CpuSeconds() {
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Virtual and resident bytes from /proc/self/statm (pages).
void MemoryBytes(double* virtual_bytes, double* resident_bytes) {
  uint64_t pages = 0, resident = 0;
  std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen("/proc/self/statm", "r"), &std::fclose);
  if (!file || std::fscanf(file.get(), "%lu %lu", &pages, &resident) != 2) return;
  const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  *virtual_bytes = static_cast<double>(pages) * page;
  *resident_bytes = static_cast<double>(resident) * page;
}

double OpenDescriptors() {
  DIR* dir = opendir("/proc/self/fd");
  if (dir == nullptr) return 0;
  double count = 0;
  while (const dirent* entry = readdir(dir)) count += entry->d_name[0] != '.' ? 1 : 0;
  closedir(dir);
  return count - 1;  // without the one that reads
}

double DescriptorLimit() {
  rlimit limit{};
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<double>(limit.rlim_cur) : 0;
}

}  // namespace

MetricsCollector ProcessCollector(std::string prefix) {
  const double start = absl::ToDoubleSeconds(absl::Now() - absl::UnixEpoch());
  return [prefix = std::move(prefix), start](std::vector<MetricFamily>& out) {
    double virtual_bytes = 0, resident_bytes = 0;
    MemoryBytes(&virtual_bytes, &resident_bytes);
    out.push_back({prefix + "_build_info",
                   "Always 1; the version is its label.",
                   MetricKind::kGauge,
                   {{{{"version", AMPARI_VERSION}}, 1, {}}}});
    out.push_back(SingleMetric("process_cpu_seconds_total", "CPU time of the process in seconds.",
                               MetricKind::kCounter, CpuSeconds()));
    out.push_back(SingleMetric("process_resident_memory_bytes", "Resident memory in bytes.",
                               MetricKind::kGauge, resident_bytes));
    out.push_back(SingleMetric("process_virtual_memory_bytes", "Virtual memory in bytes.",
                               MetricKind::kGauge, virtual_bytes));
    out.push_back(SingleMetric("process_open_fds", "Open file descriptors.", MetricKind::kGauge,
                               OpenDescriptors()));
    out.push_back(SingleMetric("process_max_fds", "Limit of open file descriptors.",
                               MetricKind::kGauge, DescriptorLimit()));
    out.push_back(SingleMetric("process_start_time_seconds",
                               "Start of the process in seconds since the epoch.",
                               MetricKind::kGauge, start));
  };
}

}  // namespace ampari
