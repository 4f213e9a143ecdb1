#include "ffn_side.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

namespace afford::calibrate {
namespace {

int element_size(Precision precision) { return precision == Precision::fp8 ? 1 : 2; }

/// The most copies that can come: every token's experts may all be here.
std::vector<int> fullest(const DecodeLayer& layer, const FfnBatch& batch) {
  const LocalExperts& here = batch.experts;
  const int routed = batch.tokens * std::min(layer.active, here.count);
  std::vector<int> tokens(static_cast<size_t>(here.count), 0);
  for (int i = 0; i < here.count; ++i)
    tokens[static_cast<size_t>(i)] = routed * (i + 1) / here.count - routed * i / here.count;
  for (int i = 0; i < here.shared; ++i) tokens.push_back(here.shared_end - here.shared_begin);
  return tokens;
}

}  // namespace

FfnSide::FfnSide(const DecodeLayer& layer, const FfnBatch& batch) : layer_(layer), batch_(batch) {
  const size_t rows = static_cast<size_t>(batch.tokens) * batch.micro_batches;
  hidden_ = DeviceArray<unsigned char>(rows * layer.hidden * element_size(layer.ffn));
  hidden_scales_ = DeviceArray<float>(rows * (layer.hidden / 128));
  ids_ = DeviceArray<int>(rows * layer.active);
  weights_ = DeviceArray<float>(rows * layer.active);
  places_ = DeviceArray<int>(static_cast<size_t>(batch.tokens) * layer.copies());
  mismatches_ = DeviceArray<unsigned>(1);
  mismatches_.zero();
  experts_ = make_moe({.precision = layer.ffn,
                       .hidden = layer.hidden,
                       .intermediate = layer.intermediate,
                       .tokens = fullest(layer, batch),
                       .seed = batch.seed,
                       .copies = batch.sets});
}

Inbox FfnSide::inbox(int micro_batch) const {
  const size_t first = static_cast<size_t>(micro_batch) * batch_.tokens;
  return {{hidden_.data() + first * layer_.hidden * element_size(layer_.ffn),
           hidden_scales_.data() + first * (layer_.hidden / 128)},
          ids_.data() + first * layer_.active,
          weights_.data() + first * layer_.active};
}

void FfnSide::plan(int layer, int micro_batch) {
  const LocalExperts& here = batch_.experts;
  if (plans_.size() != static_cast<size_t>(layer) * batch_.micro_batches + micro_batch)
    throw std::logic_error("layers are planned in order");
  std::vector<int> ids(static_cast<size_t>(batch_.tokens) * layer_.active);
  if (!ids.empty())
    check(cudaMemcpy(ids.data(), inbox(micro_batch).ids, ids.size() * sizeof(int),
                     cudaMemcpyDeviceToHost),
          "routing");
  std::vector<int> tokens(static_cast<size_t>(here.count + here.shared), 0);
  for (const int id : ids)
    if (id >= here.first && id < here.first + here.count)
      ++tokens[static_cast<size_t>(id - here.first)];
  for (int i = 0; i < here.shared; ++i)
    tokens[static_cast<size_t>(here.count + i)] = here.shared_end - here.shared_begin;
  plans_.push_back({experts_->add_plan(tokens), DeviceArray<int>(tokens), tokens});
}

void FfnSide::enqueue(cudaStream_t stream, int layer, int micro_batch) {
  const LocalExperts& here = batch_.experts;
  const Inbox from = inbox(micro_batch);
  const ExpertBuffers to = experts_->buffers(layer % batch_.sets);
  PlaceCall place;
  place.rows = batch_.tokens, place.active = layer_.active;
  place.experts = here;
  place.ids = from.ids;
  place.places = places_.data();
  place.planned = planned(layer, micro_batch).counts.data();
  place.mismatches = mismatches_.data();
  enqueue_place(place, stream);
  PackCall pack;
  pack.rows = batch_.tokens, pack.width = layer_.hidden, pack.copies = layer_.copies();
  pack.places = places_.data();
  pack.precision = layer_.ffn;
  pack.from = from.hidden, pack.to = {to.input, to.input_scales};
  pack.scale_stride = to.scale_stride;
  enqueue_pack(pack, stream);
  enqueue_core(stream, layer, micro_batch);
  CombineCall combine;
  combine.rows = batch_.tokens, combine.width = layer_.hidden;
  combine.active = layer_.active, combine.shared = here.shared;
  combine.rows_each = batch_.tokens / batch_.owners;
  combine.places = places_.data();
  combine.weights = from.weights;
  combine.outputs = to.output;
  const auto& owners = owners_[static_cast<size_t>(micro_batch)];
  std::copy(owners.begin(), owners.end(), combine.targets);
  enqueue_combine(combine, stream);
}

void FfnSide::enqueue_core(cudaStream_t stream, int layer, int micro_batch) {
  experts_->enqueue_plan(stream, layer % batch_.sets, planned(layer, micro_batch).plan);
}

FfnSide::Load FfnSide::load() const {
  Load sum;
  for (const Planned& one : plans_) {
    const auto routed = one.tokens.begin() + batch_.experts.count;
    sum.active += static_cast<double>(
        std::count_if(one.tokens.begin(), routed, [](int count) { return count > 0; }));
    sum.copies += std::accumulate(one.tokens.begin(), routed, 0.0);
    if (batch_.experts.count > 0) sum.busiest += *std::max_element(one.tokens.begin(), routed);
  }
  const double plans = std::max<double>(1, static_cast<double>(plans_.size()));
  return {sum.active / plans, sum.busiest / plans, sum.copies / plans};
}

}  // namespace afford::calibrate
