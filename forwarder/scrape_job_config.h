// Reads one entry of scrape_configs, field by field as Prometheus 3.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/config/mapping_reader.h"
#include "forwarder/config.h"

namespace ampari {

// What `global` gives to jobs that do not say it themselves.
struct ScrapeDefaults {
  absl::Duration scrape_interval = absl::Minutes(1);
  absl::Duration scrape_timeout = absl::Seconds(10);
  std::vector<ScrapeProtocol> scrape_protocols;
  bool extra_scrape_metrics = false;
  uint64_t body_size_limit = 0, sample_limit = 0, label_limit = 0, label_name_length_limit = 0;
  uint64_t label_value_length_limit = 0, target_limit = 0, keep_dropped_targets = 0;
};

// Consumes the scrape fields of `global`; the caller takes the others and finishes it.
ScrapeDefaults ReadScrapeDefaults(MappingReader& global);

// What is wrong is an error of the block's file. The block is finished.
ScrapeJobConfig ReadScrapeJob(MappingReader& block, const ScrapeDefaults& defaults);

// Prometheus' names of the text protocols.
std::optional<ScrapeProtocol> ScrapeProtocolOf(const std::string& name);
std::string ScrapeProtocolName(ScrapeProtocol protocol);

// Fields of Prometheus that exist here only with their defaults: each that says something else is
// unsupported by name.
void RefuseUnsupportedFields(MappingReader& block);

// Warnings about a job that loads but would not do what it seems to.
void WarnAboutJob(MappingReader& block, const ScrapeJobConfig& config);

}  // namespace ampari
