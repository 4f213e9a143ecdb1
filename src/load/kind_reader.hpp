#pragma once
// One reader for every kind of attention and FFN, by the kind's table of keys.

#include <string>
#include <vector>

#include "spec/keys.hpp"
#include "spec/limits.hpp"
#include "yaml/section.hpp"

namespace afford {

/// Refuses what does not go together and sets one key of `kind`, where it is given.
template <class Kind>
void read_key(const yaml::Section& in, const Key<Kind>& key, Kind& kind) {
  using Holds = typename Key<Kind>::Holds;
  const bool alone = !key.goes_with.empty() && !in.has(key.goes_with);
  if (in.has(key.name) && alone)
    in.fail(key.name, "goes with '" + std::string(key.goes_with) + "', which is missing");
  if (in.has(key.name) && !key.excludes.empty() && in.has(key.excludes))
    in.fail(key.name, "a layer has a '" + std::string(key.excludes) + "' or a '" +
                          std::string(key.name) + "', not both");
  if (key.holds == Holds::format || (!in.has(key.name) && (alone || !key.required))) return;
  switch (key.holds) {
    case Holds::whole:
      return key.set(kind, in.integer(key.name, key.range));
    case Holds::flag:
      return key.set(kind, in.boolean(key.name) ? 1 : 0);
    case Holds::gate:
      return key.set(kind, static_cast<std::int64_t>(in.choice(key.name, output_gate_names)));
    case Holds::format:
      return;
  }
}

/// `entry` of the mapping `list` as a `Kind`. Keys named in `implied` are neither allowed nor read:
/// the caller knows them. Throws InputError with the place.
template <class Kind>
[[nodiscard]] Kind read_kind(const yaml::Section& list, const std::string& entry,
                             std::string_view implied = {}) {
  std::vector<std::string_view> allowed{"kind", "source"};
  for (const Key<Kind>& key : Kind::keys()) {
    if (key.name != implied) allowed.push_back(key.name);
  }
  for (const std::string_view name : keys::of_matrices<Kind>()) {
    if (!keys::has<Kind>(name)) allowed.push_back(name);
  }
  const yaml::Section in = list.child(entry, allowed);
  Kind kind;
  for (const Key<Kind>& key : Kind::keys()) {
    if (key.name != implied) read_key(in, key, kind);
  }
  return kind;
}

/// How many sets of weights the layers of a kind share; 0: each has its own.
[[nodiscard]] inline std::int64_t read_weight_sets(const yaml::Section& in) {
  return in.has(keys::weight_sets) ? in.integer(keys::weight_sets, limits::layers) : 0;
}

/// Throws InputError where the kind as a whole cannot be.
template <class Kind>
void check_kind(const yaml::Section& in, const Kind& kind) {
  if constexpr (requires { complaint(kind); }) {
    if (const std::optional<Complaint> wrong = complaint(kind)) in.fail(wrong->key, wrong->text);
  }
}

}  // namespace afford
