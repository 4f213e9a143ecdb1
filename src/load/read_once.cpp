#include "load/read_once.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace afford {
namespace {

std::string key_of(const std::string& name, const Edits& edits) {
  std::string key = name;
  for (const Edit& edit : edits) key += fmt::format("\n{}={}", edit.name(), edit.value);
  return key;
}

template <class Spec, class Load>
const Spec& known_or(std::map<std::string, Spec>& known, std::string key, Load load) {
  const auto found = known.find(key);
  return found != known.end() ? found->second : known.emplace(std::move(key), load()).first->second;
}

}  // namespace

const HardwareSpec& ReadOnce::chip(const std::string& name, const Edits& edits) {
  return known_or(chips_, key_of(name, edits), [&] { return load_chip(name, edits); });
}

const Engine& ReadOnce::engine(const std::string& name, const Edits& edits) {
  return known_or(engines_, key_of(name, edits), [&] {
    Engine engine = load_engine(name, edits);
    engine.citations.clear();
    return engine;
  });
}

const Calibrations& ReadOnce::calibrations(const std::string& choice,
                                           const std::vector<std::string>& own_of) {
  if (choice.empty() && !own_of.empty()) {
    const std::optional<Calibrations>& own =
        known_or(own_calibrations_, fmt::format("{}", fmt::join(own_of, "\n")),
                 [&] { return own_calibrations(own_of); });
    if (own) return *own;
  }
  return known_or(calibrations_, choice, [&] { return load_calibrations(choice); });
}

}  // namespace afford
