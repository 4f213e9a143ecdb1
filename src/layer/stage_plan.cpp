#include "layer/stage_plan.hpp"

namespace afford {
namespace {

/// With so many rows of each group.
MlpWork with_rows(MlpWork work, const GroupRows& rows) {
  for (size_t g = 0; g < rows.size(); ++g) {
    work.groups[g].rows = rows[g].rows;
    work.groups[g].mlps = rows[g].mlps;
  }
  work.grouped = work.grouped && rows[0].rows > 0;
  return work;
}

}  // namespace

void OpMaker::add(const MlpShape& shape) {
  const MlpWork work = with_rows(shape.work, shape.load.of(load_.tokens));
  ops_.add(mlp_up(work, machine_));
  if (!fuses_activation(work, machine_)) ops_.add(mlp_activation(work, machine_));
  ops_.add(mlp_down(work, machine_));
}

void TimeMaker::add(const MlpShape& shape) {
  const GroupRows rows = shape.load.of(load_.tokens);
  take(MlpKernels(with_rows(shape.work, rows), machine_).times(rows, machine_));
}

void PlanMaker::add(const DenseShape& shape) {
  plan_.kernels_.emplace_back(
      StagePlan::DensePlan{shape.rows, shape.in, shape.out, DenseKernel(shape.of(1), machine_)});
}

void PlanMaker::add(const CoreShape& shape) {
  plan_.kernels_.emplace_back(CoreKernel(*shape.count, shape.work, machine_));
}

void PlanMaker::add(const MlpShape& shape) {
  plan_.kernels_.emplace_back(StagePlan::MlpsAt{plan_.mlps_.size()});
  const MlpWork work = with_rows(shape.work, shape.load.of(1));
  plan_.mlps_.push_back({shape.load, MlpKernels(work, machine_)});
}

void StagePlan::add_to(TimeMaker& times) {
  struct Visit {
    StagePlan& plan;
    TimeMaker& times;
    void operator()(DensePlan& dense) const {
      const double tokens = times.load().tokens;
      times.take(dense.kernel.time(dense.rows.of(tokens),
                                   dense.in.of(tokens) + dense.out.of(tokens), times.machine()));
    }
    void operator()(const SmallPlan& small) const {
      times.take(small.kernel.time(small.moved.of(times.load().tokens)));
    }
    void operator()(const CollectiveShape& shape) const { times.add(shape); }
    void operator()(const GroupShape& shape) const { times.add(shape); }
    void operator()(const CoreKernel& core) const {
      times.take(core.time(times.load().requests, times.machine()));
    }
    void operator()(const MlpsAt& at) const {
      MlpsPlan& mlps = plan.mlps_[at.index];
      times.take(mlps.kernels.times(mlps.load.of(times.load().tokens), times.machine()));
    }
    void operator()(Seconds fixed) const { times.take(fixed); }
  };
  const Visit visit{*this, times};
  for (Kernel& kernel : kernels_) std::visit(visit, kernel);
}

}  // namespace afford
