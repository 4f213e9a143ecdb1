#include "calibration/curve_fit.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "calibration/least_squares.hpp"

namespace afford {
namespace {

double predicted(const OperationCurve& curve, const CurveSample& sample,
                 const OperationRoofs& roofs) {
  double seconds = 0;
  for (size_t i = 0; i < sample.products; ++i)
    seconds += operation_seconds(curve, sample.work[i], roofs);
  return seconds;
}

bool same_shape(const CurveSample& a, const CurveSample& b) {
  const OperationWork &x = a.work[0], &y = b.work[0];
  return a.products == b.products && x.bytes == y.bytes && x.flops == y.flops &&
         x.paged == y.paged && x.uneven == y.uneven && x.k == y.k &&
         x.compute_size == y.compute_size;
}

/// Which knots a curve has, and whether they are fitted.
struct Knots {
  int first_octave = 0;
  Eigen::Index count = 0;
  double least = 0, most = 0, fixed = 0;  // fixed: the fraction of a curve that is not fitted
};

int octave(double size) { return std::ilogb(size); }

/// Knots over the sizes at which this roof takes at least `share` of the other's time, which is
/// also the range where the curve counts as measured. Below the ridge of the roofs a kernel may
/// still be bound by the one that it reaches less of, as MLA on an H100 is at 0.9 of the ridge. No
/// more than one such product leaves a curve unfitted.
Knots knots_over(const std::vector<CurveSample>& samples, const OperationRoofs& roofs, bool memory,
                 double fixed) {
  constexpr double share = 0.4;
  Knots knots{.fixed = fixed};
  size_t near = 0;
  for (const CurveSample& sample : samples) {
    for (size_t i = 0; i < sample.products; ++i) {
      const OperationWork& w = sample.work[i];
      const double reading = w.bytes / roofs.read, computing = w.flops / roofs.tensor;
      const double own = memory ? reading : computing, other = memory ? computing : reading;
      const double size = memory ? w.memory_size : w.compute_size;
      if (own < share * other) continue;
      knots.least = knots.least == 0 ? size : std::min(knots.least, size);
      knots.most = std::max(knots.most, size);
      ++near;
    }
  }
  if (near < 2) return {.fixed = fixed};
  knots.first_octave = octave(knots.least);
  knots.count = octave(knots.most) - knots.first_octave + 2;
  if (!memory && samples.front().one_compute_fraction) knots.count = 1;
  return knots;
}

double share(double logit) { return 1 / (1 + std::exp(-logit)); }
double softplus(double x) { return x > 30 ? x : std::log1p(std::exp(x)); }

/// The parameters of one curve: fixed costs (Fixed), then for each fitted curve
/// the logarithm of its last fraction and the softplus of the fall from each knot to the one before
/// it: so fractions never fall with the size.
class Model {
 public:
  /// `spread`: standard deviation of a measured time, against which the priors are weighed.
  Model(std::vector<CurveSample> samples, const OperationRoofs& roofs, int overlap,
        double fixed_compute, double spread)
      : samples_(std::move(samples)),
        roofs_(roofs),
        overlap_(overlap),
        spread_(spread),
        memory_(knots_over(samples_, roofs, true, 0.9)),
        compute_(knots_over(samples_, roofs, false, fixed_compute)) {
    for (const CurveSample& sample : samples_) {
      has_cards_ = has_cards_ || sample.card != samples_.front().card;
      for (const OperationWork& work : sample.work) {
        has_pieces_ = has_pieces_ || work.pieces > 0;
        has_splits_ = has_splits_ || work.splits > 0;
        has_paged_ = has_paged_ || work.paged;
        has_uneven_ = has_uneven_ || work.uneven;
        has_k_ = has_k_ || (work.flops > 0 && std::isfinite(work.k));
        has_combined_ = has_combined_ || work.combined;
        has_follower_ = has_follower_ || work.follows;
      }
      shortest_ = shortest_ == 0
                      ? sample.seconds
                      : std::min(shortest_, sample.seconds / static_cast<double>(sample.products));
    }
  }

  [[nodiscard]] Eigen::VectorXd start() const {
    Eigen::VectorXd at(fixed_parameters + memory_.count + compute_.count);
    for (Eigen::Index i = 0; i < fixed_parameters; ++i) at[i] = prior(i).mean;
    fill(at, fixed_parameters, memory_.count);
    fill(at, fixed_parameters + memory_.count, compute_.count);
    return at;
  }

  [[nodiscard]] OperationCurve curve(const Eigen::VectorXd& at) const {
    OperationCurve curve{.overlap = overlap_};
    curve.start = Seconds(std::exp(at[start_of]));
    curve.follow = has_follower_ ? share(at[follow_of]) * curve.start : curve.start;
    curve.combine = Seconds(has_combined_ ? std::exp(at[combine_of]) : 0);
    curve.piece = Seconds(has_pieces_ ? std::exp(at[piece_of]) : 0);
    curve.split = Seconds(has_splits_ ? std::exp(at[split_of]) : 0);
    curve.paged = has_paged_ ? std::exp(at[paged_of]) : 0;
    curve.uneven = has_uneven_ ? std::exp(at[uneven_of]) : 0;
    curve.fill = has_k_ ? std::exp(at[fill_of]) : 0;
    curve.idle_memory = share(at[idle_memory_of]);
    curve.idle_compute = share(at[idle_compute_of]);
    curve.memory = curve_of(memory_, at, fixed_parameters);
    curve.compute = curve_of(compute_, at, fixed_parameters + memory_.count);
    return curve;
  }

  /// Residuals without sample `left_out` (none: its size or beyond) and, where there are several
  /// cards, without its card and without its shape on the others: what a card not seen is predicted
  /// from.
  [[nodiscard]] Residuals residuals(size_t left_out) const {
    const auto data = static_cast<Eigen::Index>(samples_.size());
    const Eigen::Index all = data + fixed_parameters + 2 * (memory_.count + compute_.count);
    return {.of = [this, left_out](const Eigen::VectorXd& at,
                                   Eigen::VectorXd& r) { fill_residuals(at, r, left_out); },
            .data = data,
            .all = all};
  }

  [[nodiscard]] const std::vector<CurveSample>& samples() const { return samples_; }
  [[nodiscard]] bool meets_both_roofs() const { return memory_.count > 0 && compute_.count > 0; }

 private:
  /// Logarithms of times and of slowdowns, logits of shares.
  enum Fixed : Eigen::Index {
    start_of,
    follow_of,
    combine_of,
    piece_of,
    split_of,
    paged_of,
    uneven_of,
    idle_memory_of,
    idle_compute_of,
    fill_of,
    fixed_parameters
  };
  struct Prior {
    double mean = 0, deviation = 1.5;
  };
  /// Weak beliefs: start near the shortest time, 1.5 us to combine, 0.5 us a piece, 0.05 us a
  /// split, 2 % for pages and for unequal lengths, half of an idle tail lost.
  [[nodiscard]] Prior prior(Eigen::Index parameter) const {
    switch (parameter) {
      case start_of:
        return {.mean = std::log(0.7 * shortest_)};
      case combine_of:
        return {.mean = std::log(1.5e-6)};
      case piece_of:
        return {.mean = std::log(0.5e-6)};
      case split_of:
        return {.mean = std::log(0.05e-6)};
      case fill_of:
        return {.mean = std::log(50)};
      case paged_of:
      case uneven_of:
        return {.mean = std::log(0.02)};
      default:
        return {};
    }
  }

  static void fill(Eigen::VectorXd& at, Eigen::Index first, Eigen::Index count) {
    for (Eigen::Index i = 0; i < count; ++i) at[first + i] = i == 0 ? -0.1 : -3.5;
  }

  static Curve curve_of(const Knots& knots, const Eigen::VectorXd& at, Eigen::Index first) {
    if (knots.count == 0) return {.first_octave = 0, .fraction = {knots.fixed}};
    Curve curve{.first_octave = knots.first_octave,
                .fraction = {},
                .least = knots.least,
                .most = knots.most};
    curve.fraction.resize(static_cast<size_t>(knots.count));
    double log_fraction = at[first];
    for (Eigen::Index i = knots.count - 1; i >= 0; --i) {
      curve.fraction[static_cast<size_t>(i)] = std::exp(log_fraction);
      if (i > 0) log_fraction -= softplus(at[first + i]);
    }
    return curve;
  }

  /// That the last fraction, given as its logarithm, is near 0.9, and beyond the roof by no more
  /// than roofs themselves are off.
  static double last_belief(double log_fraction) {
    constexpr double roof_error = 0.02;
    return (log_fraction + 0.1) / 0.3 + softplus(log_fraction / roof_error - 2);
  }

  /// Weak beliefs, so that few points still give a sane curve: small falls that change slowly from
  /// knot to knot.
  static Eigen::Index add_priors(const Knots& knots, const Eigen::VectorXd& at, Eigen::Index first,
                                 Eigen::VectorXd& r, Eigen::Index row) {
    for (Eigen::Index i = 0; i < knots.count; ++i) {
      r[row++] = i == 0 ? last_belief(at[first]) : softplus(at[first + i]) / 0.15;
      r[row++] = i < 2 ? 0 : (softplus(at[first + i]) - softplus(at[first + i - 1])) / 0.1;
    }
    return row;
  }

  [[nodiscard]] bool goes_with(size_t i, size_t left_out) const {
    if (i == left_out || left_out >= samples_.size() || !has_cards_) return i == left_out;
    return samples_[i].card == samples_[left_out].card ||
           same_shape(samples_[i], samples_[left_out]);
  }

  void fill_residuals(const Eigen::VectorXd& at, Eigen::VectorXd& r, size_t left_out) const {
    const OperationCurve now = curve(at);
    Eigen::Index row = 0;
    for (size_t i = 0; i < samples_.size(); ++i) {
      r[row++] =
          goes_with(i, left_out)
              ? 0
              : std::log(predicted(now, samples_[i], roofs_) / samples_[i].seconds) / spread_;
    }
    for (Eigen::Index i = 0; i < fixed_parameters; ++i)
      r[row++] = (at[i] - prior(i).mean) / prior(i).deviation;
    row = add_priors(memory_, at, fixed_parameters, r, row);
    add_priors(compute_, at, fixed_parameters + memory_.count, r, row);
  }

  std::vector<CurveSample> samples_;
  OperationRoofs roofs_;
  int overlap_ = 4;
  double spread_ = 0.02;
  Knots memory_, compute_;
  bool has_pieces_ = false, has_splits_ = false, has_paged_ = false, has_uneven_ = false,
       has_follower_ = false, has_combined_ = false, has_k_ = false, has_cards_ = false;
  double shortest_ = 0;
};

/// Each sample predicted by the fit without it (Model::residuals). A left-out fit starts from the
/// whole one, so few steps do.
FitError leave_one_out(const Model& model, const Minimum& whole, const OperationRoofs& roofs) {
  std::vector<double> errors;
  const std::vector<CurveSample>& samples = model.samples();
  for (size_t i = 0; i < samples.size(); ++i) {
    const Minimum without = least_squares(model.residuals(i), whole.parameters, 6);
    errors.push_back(std::fabs(
        predicted(model.curve(without.parameters), samples[i], roofs) / samples[i].seconds - 1));
  }
  return fit_error(errors);
}

/// The spread of the measurements about `curve`, from the median of their distances: wild ones do
/// not widen it.
double spread_about(const OperationCurve& curve, const std::vector<CurveSample>& samples,
                    const OperationRoofs& roofs) {
  constexpr double tightest = 0.004, widest = 0.03, median_to_deviation = 1.48;
  std::vector<double> distances;
  for (const CurveSample& sample : samples)
    distances.push_back(std::fabs(std::log(predicted(curve, sample, roofs) / sample.seconds)));
  return std::clamp(median_to_deviation * interpolated_quantile(std::move(distances), 0.5),
                    tightest, widest);
}

}  // namespace

OperationCurve fit_curve(const std::vector<CurveSample>& samples, const OperationRoofs& roofs,
                         double fixed_compute, bool left_out_errors) {
  constexpr int overlaps[] = {1, 2, 3, 4, 8};
  constexpr int iterations = 60, usual_overlap = 4;
  constexpr double first_spread = 0.02;
  const auto minimum_of = [&](const Model& model) {
    return least_squares(model.residuals(samples.size()), model.start(), iterations);
  };
  OperationCurve best;
  double least = 0;
  for (const int overlap : overlaps) {
    const Model model(samples, roofs, overlap, fixed_compute, first_spread);
    if (!model.meets_both_roofs() && overlap != usual_overlap) continue;  // nothing to tell p from
    const Minimum minimum = minimum_of(model);
    if (least > 0 && minimum.cost >= least) continue;
    least = minimum.cost;
    best = model.curve(minimum.parameters);
  }
  const Model model(samples, roofs, best.overlap, fixed_compute,
                    spread_about(best, samples, roofs));
  const Minimum minimum = minimum_of(model);
  best = model.curve(minimum.parameters);
  best.error.points = static_cast<std::int64_t>(samples.size());
  if (left_out_errors) best.error = leave_one_out(model, minimum, roofs);
  return best;
}

}  // namespace afford
