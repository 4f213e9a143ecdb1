#pragma once
// The operations of a stage on one machine, in order, worked out as far as they can be before it is
// known how many requests there are: its time at one number after another.

#include <utility>
#include <variant>
#include <vector>

#include "kernels/mlp.hpp"
#include "kernels/shapes.hpp"
#include "layer/mlp_load.hpp"

namespace afford {

/// Requests of an accelerator, and the tokens that enter the stage.
struct StageLoad {
  double requests = 0, tokens = 0;
};

/// The core of attention, but for how many requests there are.
struct CoreShape {
  const AttentionCount* count = nullptr;
  CoreWork work;
};

/// MLPs, but for how many tokens there are; as one kernel or several of one width.
struct MlpShape {
  MlpWork work;  // of groups that there are, one row
  MlpLoad load;
};

/// Makes the operations of a stage for output.
class OpMaker {
 public:
  OpMaker(const StageLoad& load, const Machine& machine) : load_(load), machine_(machine) {}
  [[nodiscard]] const Machine& machine() const { return machine_; }
  void add(const DenseShape& shape) { ops_.add(dense(shape.of(load_.tokens), machine_)); }
  void add(const SmallShape& shape) { ops_.add(elementwise(shape.of(load_.tokens), machine_)); }
  void add(const CollectiveShape& shape) { ops_.add(collective(shape.of(load_.tokens), machine_)); }
  void add(const GroupShape& shape) { ops_.add(shape.kind(shape.of(load_.tokens), machine_)); }
  void add(CoreShape shape) {
    shape.work.requests = load_.requests;
    ops_.add(attention_core(*shape.count, shape.work, machine_));
  }
  void add(const MlpShape& shape);
  void add(const Op& op) { ops_.add(op); }
  [[nodiscard]] const OpList& ops() const { return ops_; }

 private:
  StageLoad load_;
  const Machine& machine_;
  OpList ops_;
};

/// Times of operations one by one, in order.
class KernelTimes {
 public:
  /// Throws std::length_error beyond its capacity.
  void add(Seconds time) {
    if (size_ == times_.size()) throw std::length_error("a stage of more operations than fit");
    times_[size_++] = time;
  }
  [[nodiscard]] const Seconds* begin() const { return times_.data(); }
  [[nodiscard]] const Seconds* end() const { return times_.data() + size_; }

 private:
  std::array<Seconds, 40> times_;
  size_t size_ = 0;
};

/// Adds up the times of a stage's operations that are not hidden, one after another.
class TimeMaker {
 public:
  /// `kept`: takes the time of each as well, where it is not null.
  TimeMaker(const StageLoad& load, const Machine& machine, KernelTimes* kept = nullptr)
      : load_(load), machine_(machine), kept_(kept) {}
  [[nodiscard]] const Machine& machine() const { return machine_; }
  void add(const DenseShape& shape) {
    take(DenseKernel(shape.of(1), machine_)
             .time(shape.rows.of(load_.tokens), shape.moved(load_.tokens), machine_));
  }
  void add(const SmallShape& shape) {
    take(SmallKernel(shape.kernels, machine_).time(shape.moved.of(load_.tokens)));
  }
  void add(const CollectiveShape& shape) {
    if (!shape.hidden) take(collective(shape.of(load_.tokens), machine_).time);
  }
  void add(const GroupShape& shape) {
    if (!shape.hidden) take(shape.kind(shape.of(load_.tokens), machine_).time);
  }
  void add(const CoreShape& shape) {
    take(CoreKernel(*shape.count, shape.work, machine_).time(load_.requests, machine_));
  }
  void add(const MlpShape& shape);
  void add(const Op& op) { take(op.time); }

  void take(Seconds time) {
    sum_ += time;
    empty_ = false;
    if (kept_ != nullptr) kept_->add(time);
  }
  void take(const MlpKernels::Times& times) {
    take(times.up);
    take(times.activation);
    take(times.down);
  }
  [[nodiscard]] const StageLoad& load() const { return load_; }
  [[nodiscard]] bool empty() const { return empty_; }
  [[nodiscard]] Seconds time() const { return sum_; }

 private:
  StageLoad load_;
  const Machine& machine_;
  KernelTimes* kept_;
  Seconds sum_;
  bool empty_ = true;
};

class StagePlan {
 public:
  /// Adds the time of each. The machine is the one it was made for.
  void add_to(TimeMaker& times);

 private:
  friend class PlanMaker;

  struct DensePlan {
    Rows rows;
    Moved in, out;
    DenseKernel kernel;
  };
  struct MlpsPlan {
    MlpLoad load;
    MlpKernels kernels;
  };
  struct MlpsAt {
    size_t index = 0;  // into mlps_
  };
  struct SmallPlan {
    Moved moved;
    SmallKernel kernel;
  };
  using Kernel =
      std::variant<DensePlan, SmallPlan, CollectiveShape, GroupShape, CoreKernel, MlpsAt, Seconds>;
  std::vector<Kernel> kernels_;
  std::vector<MlpsPlan> mlps_;
};

/// Makes a plan of a stage. Addresses are kept of what the shapes name, and of the machine's
/// curves.
class PlanMaker {
 public:
  explicit PlanMaker(const Machine& machine) : machine_(machine) {}
  [[nodiscard]] const Machine& machine() const { return machine_; }
  void add(const DenseShape& shape);
  void add(const SmallShape& shape) {
    plan_.kernels_.emplace_back(
        StagePlan::SmallPlan{shape.moved, SmallKernel(shape.kernels, machine_)});
  }
  void add(const CollectiveShape& shape) {
    if (!shape.hidden) plan_.kernels_.emplace_back(shape);
  }
  void add(const GroupShape& shape) {
    if (!shape.hidden) plan_.kernels_.emplace_back(shape);
  }
  void add(const CoreShape& shape);
  void add(const MlpShape& shape);
  void add(const Op& op) { plan_.kernels_.emplace_back(op.time); }
  /// What was added.
  [[nodiscard]] StagePlan plan() { return std::move(plan_); }

 private:
  const Machine& machine_;
  StagePlan plan_;
};

/// A stage that is asked for at one load after another: planned when it is for the second time, as
/// a plan takes as long as the times it is made of.
class PlannedStage {
 public:
  /// `build` adds its operations to any of the makers, every time the same.
  template <class Build>
  void add_to(TimeMaker& times, const Build& build) {
    if (plan_) return plan_->add_to(times);
    if (!asked_) {
      asked_ = true;
      return build(times);
    }
    PlanMaker maker(times.machine());
    build(maker);
    plan_.emplace(maker.plan());
    plan_->add_to(times);
  }
  template <class Build>
  [[nodiscard]] Seconds time(const StageLoad& load, const Machine& machine, const Build& build) {
    TimeMaker times(load, machine);
    add_to(times, build);
    return times.time();
  }

 private:
  bool asked_ = false;
  std::optional<StagePlan> plan_;
};

}  // namespace afford
