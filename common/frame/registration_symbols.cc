#include "common/frame/registration_symbols.h"

namespace ampari {

uint32_t SymbolTable::Add(std::string_view text) {
  const auto [it, added] = numbers_.try_emplace(text, static_cast<uint32_t>(texts_.size()));
  if (added) texts_.push_back(text);
  return it->second;
}

void AppendSymbols(const std::vector<std::string_view>& texts, std::string* out) {
  AppendVarint(texts.size(), out);
  for (const std::string_view text : texts) AppendString(text, out);
}

bool ReadSymbols(ByteCursor* in, std::vector<std::string_view>* texts) {
  uint64_t count = 0;
  if (!in->ReadVarint(&count) || count > in->remaining() / 2) return false;
  texts->resize(count);
  for (std::string_view& text : *texts) {
    if (!in->ReadString(&text) || text.empty()) return false;
  }
  return true;
}

}  // namespace ampari
