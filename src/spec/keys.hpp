#pragma once
// How a kind of attention or FFN stands in a model file: a table of its keys, from which one reader
// serves every kind (load/kind_reader.hpp).

#include <array>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "text/range.hpp"

namespace afford {

/// A sigmoid gate on what the core puts out: one for every element, or one for every head.
enum class OutputGate { none, element, head };

inline constexpr std::pair<std::string_view, OutputGate> output_gate_names[] = {
    {"none", OutputGate::none}, {"element", OutputGate::element}, {"head", OutputGate::head}};

/// One key of a kind. The formats of a cache, a state or weights are read beside the kind.
template <class Kind>
struct Key {
  enum class Holds { whole, flag, gate, format };
  std::string_view name;
  Holds holds = Holds::format;
  Range range{};
  bool required = false;
  std::string_view goes_with{};  // refused without that key; `required`: only beside it
  std::string_view excludes{};   // refused beside that key
  void (*set)(Kind& kind,
              std::int64_t value) = nullptr;  // whole: as it is; flag, gate: as a number
};

/// The first complaint about a kind as a whole, at one of its keys.
struct Complaint {
  std::string_view key;
  std::string text;
};

namespace keys {

template <class Member>
struct Owner;
template <class Class, class Value>
struct Owner<Value Class::*> {
  using type = Class;
};
/// The struct that a path of pointers to members starts from.
template <auto... path>
struct Start;
template <auto first, auto... rest>
struct Start<first, rest...> : Owner<decltype(first)> {};
template <auto... path>
using OwnerOf = typename Start<path...>::type;

/// The member at the end of a path; an optional on the way comes into being.
template <class Object, class Member, class... Rest>
constexpr auto& follow(Object& object, Member member, Rest... rest) {
  auto& next = object.*member;
  if constexpr (sizeof...(rest) == 0) {
    return next;
  } else if constexpr (requires { next.emplace(); }) {
    if (!next) next.emplace();
    return follow(*next, rest...);
  } else {
    return follow(next, rest...);
  }
}

template <auto... path>
constexpr void set(OwnerOf<path...>& kind, std::int64_t value) {
  auto& member = follow(kind, path...);
  member = static_cast<std::remove_reference_t<decltype(member)>>(value);
}

/// A whole number that must be given; one that may be left out; both beside another key alone.
template <auto... path>
constexpr auto whole(std::string_view name, Range range) {
  using Kind = OwnerOf<path...>;
  return Key<Kind>{.name = name,
                   .holds = Key<Kind>::Holds::whole,
                   .range = range,
                   .required = true,
                   .set = set<path...>};
}
template <auto... path>
constexpr auto optional_whole(std::string_view name, Range range) {
  auto key = whole<path...>(name, range);
  key.required = false;
  return key;
}
template <auto... path>
constexpr auto whole_with(std::string_view other, std::string_view name, Range range) {
  auto key = whole<path...>(name, range);
  key.goes_with = other;
  return key;
}
template <auto... path>
constexpr auto optional_whole_with(std::string_view other, std::string_view name, Range range) {
  auto key = whole_with<path...>(other, name, range);
  key.required = false;
  return key;
}

/// Yes or no; left out, the kind's default.
template <auto... path>
constexpr auto flag(std::string_view name) {
  using Kind = OwnerOf<path...>;
  return Key<Kind>{.name = name, .holds = Key<Kind>::Holds::flag, .set = set<path...>};
}

template <auto... path>
constexpr auto output_gate(std::string_view name) {
  using Kind = OwnerOf<path...>;
  return Key<Kind>{.name = name, .holds = Key<Kind>::Holds::gate, .set = set<path...>};
}

/// Where a format differs from the model's precision: of a KV cache, of a recurrent state, of the
/// weights of an attention or FFN and of its shared experts; and what products with them run in.
inline constexpr std::string_view kv = "kv", state = "state", weights = "weights",
                                  shared_weights = "shared_weights",
                                  linear_compute = "linear_compute", ffn_compute = "ffn_compute";
template <class Kind>
constexpr Key<Kind> format(std::string_view name) {
  return {.name = name};
}

template <class Kind>
constexpr bool has(std::string_view name) {
  for (const auto& key : Kind::keys()) {
    if (key.name == name) return true;
  }
  return false;
}

/// What every kind may say of its matrices, whatever its own table has: their format, what products
/// with them run in, and how many sets of them all its layers share. A kind of attention is one
/// that keeps a cache or a state.
inline constexpr std::string_view weight_sets = "weight_sets";
template <class Kind>
constexpr std::array<std::string_view, 3> of_matrices() {
  if constexpr (has<Kind>(kv) || has<Kind>(state)) return {weights, linear_compute, weight_sets};
  return {weights, ffn_compute, weight_sets};
}

}  // namespace keys
}  // namespace afford
