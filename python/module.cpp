// The engine as a Python module: a question in, the answer's values out. What users see is
// afford/__init__.py.

#include <pybind11/functional.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <future>
#include <optional>

#include "ask.hpp"
#include "cli/commands.hpp"
#include "version.hpp"

namespace py = pybind11;

namespace {

py::object object_of(const afford::Cell& cell) {
  struct Value {
    py::object operator()(std::monostate) const { return py::none(); }
    py::object operator()(const std::string& text) const { return py::str(text); }
    py::object operator()(std::int64_t value) const { return py::int_(value); }
    py::object operator()(double value) const {
      return std::isnan(value) ? py::object(py::none()) : py::object(py::float_(value));
    }
  };
  return std::visit(Value{}, cell);
}

py::dict dict_of(const afford::Table& table) {
  py::list keys, rows;
  for (const afford::Column& column : table.columns) keys.append(column.key);
  for (const auto& row : table.rows) {
    py::tuple values(row.size());
    for (size_t i = 0; i < row.size(); ++i) values[i] = object_of(row[i]);
    rows.append(values);
  }
  using namespace py::literals;
  return py::dict("title"_a = table.title, "keys"_a = keys, "rows"_a = rows,
                  "notes"_a = table.notes,
                  "shown"_a = afford::render(table, afford::Format::table));
}

using Question = std::function<afford::Answer(const afford::Watch&)>;

/// The engine works in a thread of its own without the interpreter's lock, while this one looks for
/// Ctrl-C and tells how far it is. What Python raises meanwhile stops the engine and goes on.
afford::Answer wait_for(const Question& question, const py::object& progress) {
  constexpr auto pause = std::chrono::milliseconds(50);
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> done = 0, total = 0;
  const afford::Watch watch{.stop = &stop, .progress = [&](std::uint64_t tried, std::uint64_t all) {
                              done = tried;
                              total = all;
                            }};
  std::future<afford::Answer> answer =
      std::async(std::launch::async, [&] { return question(watch); });
  std::optional<py::error_already_set> raised;
  const py::gil_scoped_release unlocked;
  while (answer.wait_for(pause) != std::future_status::ready) {
    const py::gil_scoped_acquire locked;
    try {
      if (raised) continue;
      if (PyErr_CheckSignals() != 0) throw py::error_already_set();
      if (!progress.is_none() && total > 0) progress(done.load(), total.load());
    } catch (py::error_already_set& error) {
      raised.emplace(std::move(error));
      stop = true;
    }
  }
  if (raised) {
    const py::gil_scoped_acquire locked;
    throw std::move(*raised);
  }
  return answer.get();
}

py::dict answer_to(const Question& question, const py::object& progress) {
  const afford::Answer answer = wait_for(question, progress);
  using namespace py::literals;
  py::object table = py::none();
  if (answer.table) table = dict_of(*answer.table);
  py::dict details;
  for (const auto& [name, detail] : answer.details) details[py::str(name)] = dict_of(detail);
  return py::dict("status"_a = answer.status, "table"_a = table, "details"_a = details,
                  "text"_a = answer.text, "said"_a = answer.said);
}

py::dict ask(const std::string& verb, const afford::Values& values, const py::object& progress) {
  const auto question = [&](const afford::Watch& watch) {
    return afford::ask(verb, values, watch);
  };
  return answer_to(question, progress);
}

py::dict ask_words(const std::vector<std::string>& words, const py::object& progress) {
  return answer_to([&](const afford::Watch& watch) { return afford::ask(words, watch); }, progress);
}

py::list verbs() {
  constexpr const char* takes[] = {"nothing", "text", "integer", "real", "list", "repeated"};
  using namespace py::literals;
  py::list all;
  for (const afford::cli::VerbDescription& verb : afford::cli::descriptions()) {
    py::list parameters;
    for (const afford::cli::Parameter& p : verb.parameters)
      parameters.append(py::dict("names"_a = p.names, "takes"_a = takes[static_cast<int>(p.takes)],
                                 "type"_a = p.type, "help"_a = p.help, "initial"_a = p.initial,
                                 "required"_a = p.required));
    all.append(py::dict("name"_a = verb.name, "help"_a = verb.help, "parameters"_a = parameters));
  }
  return all;
}

}  // namespace

PYBIND11_MODULE(_engine, module) {
  module.doc() = "The engine of afford: a verb with its values, or the words of a command line.";
  module.attr("version") = afford::version;
  module.def("ask", &ask, py::arg("verb"), py::arg("values"), py::arg("progress") = py::none());
  module.def("ask_words", &ask_words, py::arg("words"), py::arg("progress") = py::none());
  module.def("verbs", &verbs);
}
