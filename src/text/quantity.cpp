#include "text/quantity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <vector>

#include "text/number.hpp"
#include "text/suggest.hpp"

namespace afford {
namespace {

/// One way to write a unit. `shown` units are used for output, smallest first.
struct Unit {
  std::string_view name;
  double base;
  bool shown;
  double in_base_unit = 0;  // how many make a base unit, of decimal parts of one
};

/// The units of one dimension, how an error message names it ("a bandwidth such as '4.8 TB/s'"),
/// and what lies within reason: no product of such values leaves the doubles, no table needs 300
/// digits. Zero is always allowed here.
struct UnitTable {
  struct {
    std::string_view noun, example, range;
  } words;
  std::span<const Unit> units;
  double least, most;
};

constexpr std::array time_units = {Unit{"ns", 1e-9, true, 1e9}, Unit{"us", 1e-6, true, 1e6},
                                   Unit{"ms", 1e-3, true, 1e3}, Unit{"s", 1, true},
                                   Unit{"min", 60, false},      Unit{"h", 3600, false}};
constexpr std::array byte_units = {Unit{"B", 1, true},
                                   Unit{"kB", 1e3, true},
                                   Unit{"MB", 1e6, true},
                                   Unit{"GB", 1e9, true},
                                   Unit{"TB", 1e12, true},
                                   Unit{"KiB", KiB.base(), false},
                                   Unit{"MiB", MiB.base(), false},
                                   Unit{"GiB", GiB.base(), false},
                                   Unit{"TiB", TiB.base(), false}};
constexpr std::array byte_rate_units = {
    Unit{"MB/s", 1e6, true},          Unit{"GB/s", 1e9, true},
    Unit{"TB/s", 1e12, true},         Unit{"GiB/s", GiB.base(), false},
    Unit{"TiB/s", TiB.base(), false}, Unit{"Mbit/s", 1e6 / 8, false},
    Unit{"Gbit/s", 1e9 / 8, false},   Unit{"Tbit/s", 1e12 / 8, false}};
constexpr std::array flop_rate_units = {Unit{"GFLOP/s", 1e9, true}, Unit{"TFLOP/s", 1e12, true},
                                        Unit{"PFLOP/s", 1e15, true}};
constexpr std::array usd_rate_units = {Unit{"USD/h", 1.0 / 3600, true}};
constexpr std::array watt_units = {Unit{"W", 1, true}, Unit{"kW", 1e3, true}};

template <Dimension D>
UnitTable table();
template <>
UnitTable table<Dimension{.time = 1}>() {
  return {{"a time", "50 ms", "1e-3 ns to 1e6 h"}, time_units, 1e-12, 3.6e9};
}
template <>
UnitTable table<Dimension{.byte = 1}>() {
  return {{"a size", "80 GB", "1 B to 1e9 GB"}, byte_units, 1, 1e18};
}
template <>
UnitTable table<Dimension{.time = -1, .byte = 1}>() {
  return {{"a bandwidth", "4.8 TB/s", "1e-3 MB/s to 1e6 TB/s"}, byte_rate_units, 1e3, 1e18};
}
template <>
UnitTable table<Dimension{.time = -1, .flop = 1}>() {
  return {
      {"a compute rate", "989 TFLOP/s", "1e-3 GFLOP/s to 1e6 PFLOP/s"}, flop_rate_units, 1e6, 1e21};
}
template <>
UnitTable table<Dimension{.time = -1, .usd = 1}>() {
  return {{"a price", "2.00 USD/h", "1e-6 USD/h to 1e6 USD/h"},
          usd_rate_units,
          1e-6 / 3600,
          1e6 / 3600};
}
template <>
UnitTable table<Dimension{.time = -1, .joule = 1}>() {
  return {{"a power", "700 W", "1e-3 W to 1e6 kW"}, watt_units, 1e-3, 1e9};
}

/// Rounded once: 10 us are the 1e-5 that code means by them, which ten times 1e-6 is not.
double in_base(double value, const Unit& unit) {
  return unit.in_base_unit > 0 ? value / unit.in_base_unit : value * unit.base;
}

std::optional<double> parse(const UnitTable& table, std::string_view text, std::string& why) {
  const auto complain = [&](std::string_view more) {
    why = fmt::format("expected {} such as '{}', got '{}'{}", table.words.noun, table.words.example,
                      text, more);
    return std::nullopt;
  };
  // The unit starts at the first letter that is not the exponent of the number.
  const size_t end = text.find_first_not_of("0123456789+-.eE");
  std::string_view number = text.substr(0, end);
  std::string_view unit = end == std::string_view::npos ? std::string_view{} : text.substr(end);
  if (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  const auto value = parse_real(number);
  if (!value || unit.empty()) return complain("");
  std::vector<std::string_view> names;
  for (const Unit& known : table.units) {
    if (known.name == unit) {
      if (*value < 0) return complain("");
      const double base = in_base(*value, known);
      constexpr double rounding = 1e-9;
      const bool within =
          base >= table.least * (1 - rounding) && base <= table.most * (1 + rounding);
      if (base != 0 && !within) return complain(fmt::format("; from {}", table.words.range));
      return base;
    }
    names.push_back(known.name);
  }
  return complain(fmt::format(": unknown unit '{}'{}", unit, suggestion(unit, names)));
}

std::string show(const UnitTable& table, double base) {
  // The largest unit not above the value; the first one shown when all are.
  const Unit* best =
      &*std::find_if(table.units.begin(), table.units.end(), [](const Unit& u) { return u.shown; });
  for (const Unit& unit : table.units) {
    if (unit.shown && std::fabs(base) >= unit.base * 0.99999) best = &unit;
  }
  const double value = base / best->base;
  const bool money = best->name == "USD/h";
  return money ? fmt::format("{:.2f} {}", value, best->name)
               : fmt::format("{:.4g} {}", value, best->name);
}

}  // namespace

template <Dimension D>
std::optional<Quantity<D>> parse_quantity(std::string_view text, std::string& why) {
  const auto base = parse(table<D>(), text, why);
  if (!base) return std::nullopt;
  return Quantity<D>(*base);
}

template <Dimension D>
std::string human(Quantity<D> value) {
  return show(table<D>(), value.base());
}

template std::optional<Seconds> parse_quantity(std::string_view, std::string&);
template std::optional<Bytes> parse_quantity(std::string_view, std::string&);
template std::optional<ByteRate> parse_quantity(std::string_view, std::string&);
template std::optional<FlopRate> parse_quantity(std::string_view, std::string&);
template std::optional<UsdRate> parse_quantity(std::string_view, std::string&);
template std::optional<Watts> parse_quantity(std::string_view, std::string&);
template std::string human(Seconds);
template std::string human(Bytes);
template std::string human(ByteRate);
template std::string human(FlopRate);
template std::string human(UsdRate);
template std::string human(Watts);

}  // namespace afford
