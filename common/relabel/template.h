// ExpansionTemplate: a replacement such as "${1}:$name", expanded with the groups of a match as
// Go's Regexp.Expand.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "re2/re2.h"

namespace ampari {

// Immutable. $name and ${name} take the longest run of letters, digits and '_'; a number is a
// group's index, any other name a named group; what does not exist or did not match is empty. $$ is
// $, any other $ stands for itself.
class ExpansionTemplate {
 public:
  ExpansionTemplate() = default;
  ExpansionTemplate(std::string_view text, const re2::RE2& regex);

  // `groups`: group 0 first, as RE2::Match fills them.
  std::string Expand(std::span<const re2::StringPiece> groups) const;
  bool IsLiteral() const { return groups_ == 0; }

 private:
  struct Piece {
    std::string literal;
    int group = -1;  // -1: the literal
  };
  void AddLiteral(std::string_view text);

  std::vector<Piece> pieces_;
  size_t groups_ = 0;  // references in pieces_, those that expand to nothing included
};

}  // namespace ampari
