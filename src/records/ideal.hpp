#pragma once
// Ideal costs, comparisons and matches as records, pictures and explanations.

#include <span>
#include <string>

#include "report/gnuplot.hpp"
#include "report/record.hpp"
#include "study/explanation.hpp"
#include "study/ideal.hpp"

namespace afford {

[[nodiscard]] const Record<study::Cost>& cost_record();
[[nodiscard]] const Record<study::Comparison>& comparison_record();
[[nodiscard]] const Record<study::Match>& match_record();

/// Bars of attention and FFN (the report's Figure 2).
[[nodiscard]] Chart cost_picture(std::span<const study::Cost> costs);

/// What a picture of comparisons shows: cost against activated parameters, against context, or AFD
/// beside a single chip.
enum class ComparisonPicture { active, context, split };
[[nodiscard]] Chart comparison_picture(std::span<const study::Comparison> comparisons,
                                       ComparisonPicture kind);

/// Intensity against the chips' ridges (Figure 5).
[[nodiscard]] Chart match_picture(const study::IdealInputs& inputs);

/// Formulas with their inputs, what binds, and the source of every input, as indented lines.
[[nodiscard]] std::string text_of(const study::CostExplanation& explanation);

}  // namespace afford
