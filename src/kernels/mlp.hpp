#pragma once
// The two GEMMs of MLPs: grouped over experts, or dense.

#include <array>
#include <optional>

#include "kernels/dense_curve.hpp"
#include "kernels/small.hpp"

namespace afford {

/// MLPs of one width that run in one kernel: `rows` token rows over all of them.
struct MlpGroup {
  double rows = 0, mlps = 0, intermediate = 0;
  double inputs = 0;       // the hidden state, or the latent that experts work on
  double matrices_up = 2;  // into the intermediate: gate and up, or up alone
  Dtype format = Dtype::fp8;
};

/// The MLPs of one kernel: routed experts and, beside them, the shared ones; or a dense MLP.
struct MlpWork {
  std::array<MlpGroup, 2> groups;
  double shard = 1;  // ways each MLP is sharded over its intermediate
  bool grouped = false;
  Dtype compute = Dtype::fp8;
};

/// Matrices into the intermediate (gate and up, or up alone), and back.
[[nodiscard]] Op mlp_up(const MlpWork& work, const Machine& machine);
[[nodiscard]] Op mlp_down(const MlpWork& work, const Machine& machine);

/// The activation between the two, and its quantisation.
[[nodiscard]] Op mlp_activation(const MlpWork& work, const Machine& machine);
/// Whether it runs in the first GEMM: the measured grouped kernel ends with it.
[[nodiscard]] bool fuses_activation(const MlpWork& work, const Machine& machine);

/// What of a group there is at one time.
struct MlpRows {
  double rows = 0, mlps = 0;
};
using GroupRows = std::array<MlpRows, 2>;
/// How the measured grouped kernel covers the rows of an MLP, by group.
using GroupTilings = std::array<GroupedTiling, 2>;

/// One of the two GEMMs on one machine at one number of rows after another. Those of the work say
/// which groups there are, and how many MLPs where they are not grouped; the machine is the same
/// every time.
class MlpProduct {
 public:
  enum class Side { up, down };
  MlpProduct(const MlpWork& work, Side side, const Machine& machine);
  [[nodiscard]] Op op(const GroupRows& rows, const Machine& machine);
  /// Its time alone. `tilings`: of these rows, where it is grouped on a curve.
  [[nodiscard]] Seconds time(const GroupRows& rows, const GroupTilings& tilings,
                             const Machine& machine);

 private:
  struct Group {
    double width = 0, inputs = 0, weights = 0;  // of an MLP's matrices on this side
    Dtype format = Dtype::fp8;
  };
  [[nodiscard]] Op totals(const GroupRows& rows) const;
  [[nodiscard]] Bytes activations(const GroupRows& rows) const;
  [[nodiscard]] OperationWork on_tiles(const Op& op, const GroupRows& rows,
                                       const GroupTilings& tilings, const ChipTiming& chip) const;
  [[nodiscard]] Op on_roofs(const Op& op, const GroupRows& rows, const Machine& machine) const;
  [[nodiscard]] Flops tile_flops(const GroupRows& rows, const Engine& engine) const;

  bool down_;
  std::string_view name_;
  std::array<Group, 2> groups_;
  double outputs_ = 0, inputs_ = 0;  // of one MLP's product
  double tile_, factor_;
  Dtype compute_, runs_in_;
  const OperationCurve* grouped_;
  size_t dense_group_;  // of a dense one
  std::optional<DenseOnCurve> dense_;
  Reached reached_;
  bool whole_tiles_ = false;  // of a grouped GEMM on roofs
};

/// The activation on one machine at one number of rows after another.
class MlpActivation {
 public:
  MlpActivation(const MlpWork& work, const Machine& machine);
  [[nodiscard]] Bytes moved(const GroupRows& rows) const;
  [[nodiscard]] Seconds time(const GroupRows& rows) const { return kernel_.time(moved(rows)); }

 private:
  std::array<double, 2> intermediate_;
  double values_, shard_;  // of a result: what the GEMM before it made, too
  SmallKernel kernel_;
};

/// Both GEMMs and what is between them, on one machine at one number of rows after another.
class MlpKernels {
 public:
  MlpKernels(const MlpWork& work, const Machine& machine);
  /// In order. None between them where the first GEMM ends with the activation.
  struct Times {
    Seconds up, activation, down;
  };
  [[nodiscard]] Times times(const GroupRows& rows, const Machine& machine);

 private:
  MlpProduct up_, down_;
  MlpActivation activation_;
  bool on_tiles_;  // of the measured grouped kernel
};

}  // namespace afford
