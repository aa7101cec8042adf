#include "gateway/layouts/render_rules.h"

#include <xxhash.h>

#include <string>
#include <string_view>

namespace ampari {
namespace {

// Appends with its length, so that neighbouring fields cannot be mistaken for each other.
void Put(std::string& out, std::string_view field) {
  out.append(std::to_string(field.size())).append(":").append(field);
}
void Put(std::string& out, uint64_t number) { out.append(std::to_string(number)).append(";"); }

void PutRule(std::string& out, const RelabelRule& rule) {
  Put(out, static_cast<uint64_t>(rule.action));
  Put(out, uint64_t{rule.source_labels.size()});
  for (const std::string& label : rule.source_labels) Put(out, std::string_view(label));
  for (const std::string* text :
       {&rule.separator, &rule.regex, &rule.target_label, &rule.replacement}) {
    Put(out, std::string_view(*text));
  }
  Put(out, rule.modulus);
}

}  // namespace

uint64_t RenderGeneration(const Labels& external_labels, const RemoteWriteConfig& config) {
  std::string text;
  Put(text, kComposerVersion);
  Put(text, external_labels.bytes());
  Put(text, uint64_t{config.write_relabel_rules.size()});
  for (const RelabelRule& rule : config.write_relabel_rules) PutRule(text, rule);
  Put(text, uint64_t{config.limits.max_label_names_per_series});
  Put(text, uint64_t{config.limits.max_label_name_length});
  Put(text, uint64_t{config.limits.max_label_value_length});
  Put(text, uint64_t{config.queue.max_samples_per_send});
  return XXH3_64bits(text.data(), text.size());
}

absl::StatusOr<RenderRules> MakeRenderRules(const Labels& external_labels,
                                            const RemoteWriteConfig& config) {
  absl::StatusOr<Relabeler> relabeler = Relabeler::Compile(config.write_relabel_rules);
  if (!relabeler.ok()) return relabeler.status();
  RenderRules rules;
  rules.external_labels = external_labels;
  rules.write_relabel = *std::move(relabeler);
  rules.limits = config.limits;
  rules.generation = RenderGeneration(external_labels, config);
  return rules;
}

}  // namespace ampari
