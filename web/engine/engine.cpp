// The engine of the page: a question in JSON, as a verb with its values or as an array of words,
// and the answer as JSON.

#include <emscripten/emscripten.h>

#include <nlohmann/json.hpp>
#include <string>

#include "ask.hpp"
#include "cli/commands.hpp"

namespace {

using Json = nlohmann::ordered_json;

Json json_of(const afford::Cell& cell) {
  struct Value {
    Json operator()(std::monostate) const { return nullptr; }
    Json operator()(const std::string& text) const { return text; }
    Json operator()(double value) const { return value; }
    Json operator()(std::int64_t value) const { return value; }
  };
  return std::visit(Value{}, cell);
}

Json json_of(const std::vector<afford::Cell>& row) {
  Json cells = Json::array();
  for (const afford::Cell& cell : row) cells.push_back(json_of(cell));
  return cells;
}

/// What no one is shown: keys and cells.
Json values_of(const afford::Table& table) {
  Json keys = Json::array(), rows = Json::array();
  for (const afford::Column& column : table.columns) keys.push_back(column.key);
  for (const auto& row : table.rows) rows.push_back(json_of(row));
  return {{"keys", keys}, {"rows", rows}};
}

Json json_of(const afford::Table& table) {
  Json columns = Json::array(), rows = Json::array();
  for (const afford::Column& column : table.columns)
    columns.push_back({{"key", column.key},
                       {"heading", column.heading},
                       {"detail", column.detail},
                       {"text", column.show == afford::Show::text}});
  for (const auto& row : table.rows) {
    Json shown = Json::array();
    for (size_t i = 0; i < row.size(); ++i)
      shown.push_back(afford::shown(row[i], table.columns[i].show));
    rows.push_back({{"cells", json_of(row)}, {"shown", shown}});
  }
  return {{"title", table.title},
          {"columns", columns},
          {"rows", rows},
          {"notes", table.notes},
          {"csv", afford::render(table, afford::Format::csv)}};
}

/// Fields of a form are texts, several where a flag repeats, or true.
afford::Values values_of(const Json& given) {
  afford::Values values;
  for (const auto& [name, value] : given.items()) {
    if (value.is_boolean())
      values[name] = value.get<bool>();
    else if (value.is_array())
      values[name] = value.get<std::vector<std::string>>();
    else
      values[name] = value.get<std::string>();
  }
  return values;
}

/// Of a slider's questions.
afford::Kept& kept() {
  static afford::Kept kept;
  return kept;
}

afford::Answer answer_to(const Json& question) {
  if (question.is_array()) return afford::ask(question.get<std::vector<std::string>>());
  return afford::ask(question.at("verb").get<std::string>(), values_of(question.at("values")),
                     {.kept = &kept()});
}

/// There until the next call: the page reads it at once.
const char* handed_over(const Json& json) {
  static std::string text;
  text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  return text.c_str();
}

}  // namespace

extern "C" {

EMSCRIPTEN_KEEPALIVE const char* afford_ask(const char* question) {
  const afford::Answer answer = answer_to(Json::parse(question));
  Json json = {{"status", answer.status}, {"text", answer.text}, {"said", answer.said}};
  json["table"] = answer.table ? json_of(*answer.table) : Json(nullptr);
  for (const auto& [name, table] : answer.details) json["details"][name] = values_of(table);
  return handed_over(json);
}

EMSCRIPTEN_KEEPALIVE const char* afford_verbs() {
  constexpr const char* takes[] = {"nothing", "text", "integer", "real", "list", "repeated"};
  Json all = Json::array();
  for (const afford::cli::VerbDescription& verb : afford::cli::descriptions()) {
    Json parameters = Json::array();
    for (const afford::cli::Parameter& p : verb.parameters)
      parameters.push_back({{"names", p.names},
                            {"takes", takes[static_cast<int>(p.takes)]},
                            {"type", p.type},
                            {"help", p.help},
                            {"initial", p.initial},
                            {"written", p.written}});
    all.push_back({{"name", verb.name}, {"help", verb.help}, {"parameters", parameters}});
  }
  return handed_over(all);
}

EMSCRIPTEN_KEEPALIVE void afford_forget() { kept().forget(); }
}
