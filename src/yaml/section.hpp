#pragma once
// A typed, checked view of one YAML mapping. Unknown and duplicate keys are refused when the view
// is made, before anything is read, so that a misspelt key is reported as such and not as a missing
// one.

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "error.hpp"
#include "text/quantity.hpp"
#include "text/range.hpp"
#include "yaml/document.hpp"

namespace afford::yaml {

using afford::Range;

class Section {
 public:
  /// The root of a file, called `name` in messages; `allowed` is every key it may have. The paths
  /// of values below it start at their own key ("attention.mfa.query_heads"). The file name and the
  /// node must outlive the view. Throws InputError.
  static Section root(const std::string& file, const Node& node, std::string name,
                      std::initializer_list<std::string_view> allowed) {
    return root(file, node, std::move(name), std::span(allowed.begin(), allowed.size()));
  }
  static Section root(const std::string& file, const Node& node, std::string name,
                      std::span<const std::string_view> allowed) {
    return {file, node, std::move(name), "", allowed};
  }

  /// The keys in the order of the file.
  [[nodiscard]] std::vector<std::string> keys() const;
  [[nodiscard]] bool has(std::string_view key) const { return find(key) != nullptr; }
  [[nodiscard]] Place place() const { return {file_, node_.line, node_.column}; }
  /// Where the value of `key` stands, or the section itself when it has none.
  [[nodiscard]] Place place(std::string_view key) const;

  /// All of these throw InputError with the place, the key path, what was expected and what was
  /// found.
  [[nodiscard]] std::string text(std::string_view key) const;
  /// A text of lower-case letters, digits, '.', '-' and '_', at most 64: safe in file names and
  /// pictures.
  [[nodiscard]] std::string name(std::string_view key) const;
  [[nodiscard]] std::int64_t integer(std::string_view key, Range range) const;
  [[nodiscard]] double real(std::string_view key, double least, double most) const;
  [[nodiscard]] bool boolean(std::string_view key) const;
  [[nodiscard]] std::vector<std::string> texts(std::string_view key) const;
  [[nodiscard]] std::vector<double> reals(std::string_view key, double least, double most) const;
  [[nodiscard]] const Node& value(std::string_view key, Node::Kind kind) const;
  [[nodiscard]] Section child(std::string_view key,
                              std::span<const std::string_view> allowed) const;
  [[nodiscard]] Section child(std::string_view key,
                              std::initializer_list<std::string_view> allowed) const {
    return child(key, std::span(allowed.begin(), allowed.size()));
  }
  /// The view of `item`, an element of the list `key`.
  [[nodiscard]] Section element(std::string_view key, const Node& item,
                                std::span<const std::string_view> allowed) const;
  [[nodiscard]] Section element(std::string_view key, const Node& item,
                                std::initializer_list<std::string_view> allowed) const {
    return element(key, item, std::span(allowed.begin(), allowed.size()));
  }
  /// A child whose keys are names the user chose.
  [[nodiscard]] Section names(std::string_view key) const;

  template <Dimension D>
  [[nodiscard]] Quantity<D> quantity(std::string_view key) const {
    const std::string& text = scalar(key).text;
    std::string why;
    const auto parsed = parse_quantity<D>(text, why);
    if (!parsed) fail(key, why);
    return *parsed;
  }

  /// One of a fixed set of names.
  template <class T, size_t N>
  [[nodiscard]] T choice(std::string_view key,
                         const std::pair<std::string_view, T> (&choices)[N]) const {
    return choice(key, std::span<const std::pair<std::string_view, T>>(choices));
  }
  template <class T>
  [[nodiscard]] T choice(std::string_view key,
                         std::span<const std::pair<std::string_view, T>> choices) const {
    const std::string& text = scalar(key).text;
    std::vector<std::string_view> names;
    for (const auto& [name, value] : choices) {
      if (name == text) return value;
      names.push_back(name);
    }
    fail_choice(key, text, names);
  }

  /// An error about the value of `key`.
  [[noreturn]] void fail(std::string_view key, const std::string& complaint) const;

 private:
  Section(const std::string& file, const Node& node, std::string name, std::string prefix,
          std::span<const std::string_view> allowed);
  void refuse_duplicates() const;
  [[nodiscard]] const Node* find(std::string_view key) const;
  [[nodiscard]] const Node& required(std::string_view key) const;
  [[nodiscard]] const Node& scalar(std::string_view key) const;
  [[noreturn]] void fail_choice(std::string_view key, const std::string& text,
                                std::span<const std::string_view> names) const;

  const std::string& file_;
  const Node& node_;
  std::string name_, prefix_;
};

}  // namespace afford::yaml
