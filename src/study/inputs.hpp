#pragma once
// What every study starts from: models and chips by name, contexts, and what is assumed of them.

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "count/decode.hpp"
#include "error.hpp"
#include "load/edits.hpp"
#include "load/library.hpp"
#include "spec/hardware.hpp"
#include "spec/model.hpp"
#include "spec/overrides.hpp"

namespace afford::study {

/// A price instead of the chip file's.
struct Price {
  std::string chip;
  UsdRate rate;
  std::string stated;            // as the user wrote it: "h800=1.6"
  std::string source = "given";  // what explanations name as its source
};

using UsdPerJoule = Quantity<Dimension{.usd = 1, .joule = -1}>;
using JoulesPerToken = Quantity<Dimension{.token = -1, .joule = 1}>;
inline constexpr Joules kilowatt_hour{3.6e6};

/// A chip bought instead of rented.
struct Owned {
  std::string chip;
  Usd cost;          // of one accelerator, with its share of server and network
  double years = 1;  // until it is written off
};

/// What is assumed instead of what the files say.
struct WhatIfs {
  FormatOverrides formats;
  Speculation speculation;
  std::vector<Price> prices;
  std::vector<Owned> owned;
  UsdPerJoule electricity;  // of what is owned; rent has it in
  double pue = 1;           // power of the site over that of the accelerators
  Edits edits;              // single values of models, chips and engines
};

/// Throws ValueError for a value of the option outside both bounds.
void check_range(const std::string& option, std::int64_t value, std::int64_t least,
                 std::int64_t most);

/// Nothing tells two models of one name apart, or two chips. Throws ValueError.
template <class Spec>
void require_distinct(const std::vector<Spec>& specs, const std::string& option) {
  std::set<std::string> names;
  for (const Spec& spec : specs) {
    if (!names.insert(spec.name).second)
      throw ValueError(option, ": " + spec.name + " a second time");
  }
}

/// Every edit must be of the models, the engine, or one of the chips. Throws ValueError.
void require_edits_used(const Edits& edits, const std::vector<std::string>& chips);

/// The models with the values and formats asked for. Throws InputError or UsageError, ValueError
/// for two of one name; `left_out` as load_models() has it.
[[nodiscard]] std::vector<ModelSpec> load_models_as(const std::vector<std::string>& names,
                                                    const WhatIfs& what_if,
                                                    LeftOut* left_out = nullptr);

/// Prices, and what an hour of owned chips costs: the purchase over its years, and the electricity
/// of the chip at its full power. Each must name one of the chips. Throws ValueError.
void apply_prices(const std::vector<HardwareSpec*>& chips, const WhatIfs& what_if);

/// What is priced needs a price: throws ValueError, naming the chips that state none and `what`
/// wants it.
void require_prices(const std::vector<HardwareSpec>& chips, std::string_view what);

/// Throws ValueError for fewer drafts than none, more than 16, or an acceptance that is no
/// probability.
void check(const Speculation& speculation);

/// The same, and for a price, a cost of what is owned or a share of power that cannot be.
void check(const WhatIfs& what_if);

/// Throws ValueError for no context, or one of no tokens.
void check_contexts(const std::vector<std::int64_t>& contexts);

}  // namespace afford::study
