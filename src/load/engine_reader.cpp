#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <optional>

#include "load/library.hpp"
#include "load/readers.hpp"
#include "load/source_reader.hpp"
#include "text/suggest.hpp"

namespace afford {
namespace {

using yaml::Section;

constexpr std::string_view estimate_mark = " (estimate)";

/// The parameter that `section` calls `key`; throws InputError with the nearest one.
size_t parameter_at(const Section& in, std::string_view section, const std::string& key) {
  const auto parameters = engine_parameters();
  for (size_t i = 0; i < parameters.size(); ++i) {
    if (parameters[i].section == section && parameters[i].key == key) return i;
  }
  std::vector<std::string> known;
  for (const EngineParameter& parameter : parameters) {
    if (parameter.section == section) known.emplace_back(parameter.key);
  }
  throw InputError(in.place(key),
                   fmt::format("unknown key '{}' in '{}'{}", key, section, suggestion(key, known)));
}

struct ReadValue {
  Engine& engine;
  const EngineParameter& parameter;
  const Section& in;

  void operator()(EngineParameter::Number at) const {
    const double value = in.real("value", parameter.least, parameter.most);
    if (parameter.whole && value != std::floor(value))
      in.fail("value", fmt::format("expected a whole number, got {}", value));
    at(engine) = value;
  }
  template <Dimension dimension>
  void operator()(Quantity<dimension>& (*at)(Engine&)) const {
    const auto given = in.quantity<dimension>("value");
    if (given.base() < parameter.least || given.base() > parameter.most) {
      in.fail("value", fmt::format("expected {} to {} {}", parameter.least, parameter.most,
                                   base_unit(parameter)));
    }
    at(engine) = given;
  }
  void operator()(EngineParameter::Flag at) const { at(engine) = in.boolean("value"); }
};

/// The sections of an engine file, each once.
std::vector<std::string_view> sections() {
  std::vector<std::string_view> names;
  for (const EngineParameter& parameter : engine_parameters()) {
    if (std::find(names.begin(), names.end(), parameter.section) == names.end())
      names.push_back(parameter.section);
  }
  return names;
}

void read_section(const Section& root, std::string_view name, const Sources& sources,
                  Engine& engine) {
  if (!root.has(name)) return;
  const Section section = root.names(name);
  for (const std::string& key : section.keys()) {
    const size_t i = parameter_at(section, name, key);
    const EngineParameter& parameter = engine_parameters()[i];
    const Section in = section.child(key, {"value", "source", "estimate"});
    std::visit(ReadValue{engine, parameter, in}, parameter.at);
    const bool estimate = in.has("estimate") && in.boolean("estimate");
    engine.citations[i] =
        cite(sources, read_source(in, sources)) + (estimate ? std::string(estimate_mark) : "");
  }
}

/// Whether the spreads between series are estimates, so that intervals can say so.
void mark_estimated_spreads(Engine& engine) {
  const auto mark = [&](std::string_view architecture, ErrorSpread& spread) {
    for (size_t i = 0; i < engine.citations.size(); ++i) {
      const EngineParameter& parameter = engine_parameters()[i];
      if (parameter.section == architecture && parameter.key == "between_series")
        spread.estimate = engine.citations[i].ends_with(estimate_mark);
    }
  };
  mark("hopper", engine.time.spread.hopper);
  mark("blackwell", engine.time.spread.blackwell);
}

Engine read(const yaml::Node& node, const std::string& file, int bases);

/// Nearly every engine ends in the same one without a base, which is read once, as long as its file
/// stays.
Engine read_base(const yaml::SharedNode& file, const std::string& path, int bases) {
  struct Known {
    yaml::SharedNode file;
    Engine engine;
  };
  static std::mutex mutex;
  static auto& known = *new std::map<std::string, Known>;  // nobody waits for its end
  {
    const std::lock_guard lock(mutex);
    const auto found = known.find(path);
    if (found != known.end() && found->second.file.is(file)) return found->second.engine;
  }
  Engine engine = read(file, path, bases);
  if (!engine.base.empty()) return engine;
  const std::lock_guard lock(mutex);
  known.insert_or_assign(path, Known{file, engine});
  return engine;
}

/// What an engine starts from: the one its file names, every number of which is then marked. It may
/// have a base of its own, `bases` deep.
Engine base_of(const Section& root, int bases) {
  Engine engine;
  if (!root.has("base")) {
    engine.citations.resize(engine_parameters().size());
    return engine;
  }
  constexpr int most = 8;
  if (bases == most)
    root.fail("base", fmt::format("more than {} bases: do they form a ring?", most));
  const std::string name = root.text("base");
  const Place at = root.place("base");
  const std::string path = named_at(at, [&] { return engine_path(name).string(); });
  engine = read_base(named_at(at, [&] { return yaml::parse_file(path); }), path, bases + 1);
  const std::string from = engine.name + ": ";
  for (std::string& citation : engine.citations) citation.insert(0, from);
  return engine;
}

Engine read(const yaml::Node& node, const std::string& file, int bases) {
  std::vector<std::string_view> keys = {"schema", "name", "title", "base", "sources"};
  const std::vector<std::string_view> parts = sections();
  keys.insert(keys.end(), parts.begin(), parts.end());
  const Section root = Section::root(file, node, "engine", keys);
  (void)root.integer("schema", {1, 1});
  Engine engine = base_of(root, bases);
  engine.file = file;
  engine.name = root.name("name");
  engine.title = root.text("title");
  engine.base = root.has("base") ? root.text("base") : "";
  const Sources sources = read_sources(root);
  for (const std::string_view section : parts) read_section(root, section, sources, engine);
  for (size_t i = 0; i < engine.citations.size(); ++i) {
    const EngineParameter& parameter = engine_parameters()[i];
    if (engine.citations[i].empty()) {
      throw InputError(root.place(), fmt::format("missing '{}.{}', and no 'base' to take it from",
                                                 parameter.section, parameter.key));
    }
  }
  mark_estimated_spreads(engine);
  return engine;
}

}  // namespace

Engine read_engine(const yaml::Node& node, const std::string& file) { return read(node, file, 0); }

}  // namespace afford
