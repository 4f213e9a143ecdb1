#pragma once
// What attention pools take, made once for all FFN pools of a search.

#include <vector>

#include "deploy/pair_batches.hpp"
#include "search/space.hpp"

namespace afford {

/// Times of the attention pools, by shape, fan-out and batch: they do not depend on how many
/// instances.
class AttentionTables {
 public:
  AttentionTables(const Enumeration& e, const Space& space, const Setting& setting);
  [[nodiscard]] const StageArrays& of(size_t shape, size_t fan_index) const {
    return tables_[shape * fans_.size() + fan_index];
  }
  [[nodiscard]] size_t index(const Unit& unit, const Space& space) const;

 private:
  std::vector<double> fans_;
  std::vector<StageArrays> tables_;
};

}  // namespace afford
