// Labels: an immutable, sorted label set in one buffer; LabelsBuilder: the mutable form that
// relabelling works on.
#pragma once

#include <cstdint>
#include <deque>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ampari {

// Views into the Labels or LabelsBuilder they came from.
struct Label {
  std::string_view name;
  std::string_view value;
  friend bool operator==(const Label&, const Label&) = default;
};

// A label set sorted by name (bytewise), names unique, no empty name, no empty value. Copyable
// value; thread-compatible. Encoding of bytes(): for each label varint(name length) name
// varint(value length) value.
class Labels {
 public:
  class Iterator {
   public:
    using value_type = Label;
    explicit Iterator(std::string_view rest);
    Label operator*() const { return label_; }
    Iterator& operator++();
    friend bool operator==(const Iterator& a, const Iterator& b) {
      return a.rest_.data() == b.rest_.data();
    }

   private:
    std::string_view rest_;  // begins with the current label
    std::string_view next_;
    Label label_;
  };

  Labels() = default;
  Labels(std::initializer_list<std::pair<std::string_view, std::string_view>> labels);

  // Takes bytes in the encoding above; false (and *out untouched) unless they are well formed,
  // sorted and unique.
  static bool FromBytes(std::string_view bytes, Labels* out);

  Iterator begin() const { return Iterator(bytes_); }
  Iterator end() const { return Iterator(std::string_view(bytes_).substr(bytes_.size())); }
  bool empty() const { return bytes_.empty(); }
  size_t size() const;
  // Empty when absent.
  std::string_view Get(std::string_view name) const;
  bool Has(std::string_view name) const { return !Get(name).empty(); }
  std::string_view bytes() const { return bytes_; }
  uint64_t Hash() const;
  // {a="x", b="y"} with Go's quoting, as Prometheus prints label sets.
  std::string ToString() const;

  friend bool operator==(const Labels&, const Labels&) = default;
  friend auto operator<=>(const Labels& a, const Labels& b) { return a.bytes_ <=> b.bytes_; }

 private:
  friend class LabelsBuilder;
  std::string bytes_;
};

// A label set under construction: small, unsorted, linear look-ups (sets have at most a few dozen
// labels). Set() copies what it is given; AddView() keeps the caller's views, which must outlive
// the builder's use. Not thread-safe, Build() included: reusing one builder for sets with the same
// names in the same order saves their sort.
class LabelsBuilder {
 public:
  LabelsBuilder() = default;
  explicit LabelsBuilder(const Labels& base) { Reset(base); }
  explicit LabelsBuilder(Labels&&) = delete;     // see Reset()
  LabelsBuilder(const LabelsBuilder&) = delete;  // views point into owned_
  LabelsBuilder& operator=(const LabelsBuilder&) = delete;

  void Reset();
  // Starts from `base`, whose bytes must outlive this use of the builder.
  void Reset(const Labels& base);
  void Reset(Labels&&) = delete;
  // Replaces or adds; an empty value deletes.
  void Set(std::string_view name, std::string_view value);
  // As Set() without copying and without looking for an earlier label of the name.
  void AddView(std::string_view name, std::string_view value);
  void Del(std::string_view name);
  std::string_view Get(std::string_view name) const;
  // True for a name that AddView() gave an empty value, too.
  bool Has(std::string_view name) const;
  bool empty() const { return labels_.empty(); }
  const std::vector<Label>& labels() const { return labels_; }
  // True when a name occurs twice (only AddView can cause it).
  bool HasDuplicateNames() const;
  // Sorted, without empty values; of a name that occurs twice the first is kept.
  Labels Build() const;

 private:
  void SortOrder() const;
  Label* Find(std::string_view name);

  std::vector<Label> labels_;
  mutable std::vector<uint32_t>
      order_;  // indices of labels_ by name when ordered_, else a guess for the next sort
  mutable bool ordered_ = false;
  std::deque<std::string> owned_;  // stable addresses for copied text
};

}  // namespace ampari
