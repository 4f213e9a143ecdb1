#pragma once
// What attention pools take, made once for all FFN pools of a search that they stand beside.

#include <mutex>
#include <vector>

#include "deploy/pair_batches.hpp"
#include "search/space.hpp"

namespace afford {

/// Times of the attention pools, by shape and batch, for each fan-out of the FFN pools: they do not
/// depend on how many instances there are. Those of a fan-out are made when first asked for and
/// dropped once nobody is left who will ask. For several threads at once.
class AttentionTables {
 public:
  using ByShape = std::vector<StageArrays>;

  /// All three must outlive it.
  AttentionTables(const Enumeration& e, const Space& space, const Setting& setting);

  /// Which fan-out a unit of AFD has, of all that occur, ascending.
  [[nodiscard]] size_t index(const Unit& unit) const;
  /// Somebody will ask for the tables beside the unit; before anybody asks for any.
  void expect(const Unit& unit) { ++tables_[index(unit)].awaited; }
  /// Until whoever was expected is done with them.
  [[nodiscard]] const ByShape& beside(const Unit& unit);
  void done_with(const Unit& unit);

 private:
  struct OfFanOut {
    const Unit* unit = nullptr;  // one that has it, which stands for all
    std::mutex mutex;
    size_t awaited = 0;
    ByShape tables;  // empty: not made
  };
  [[nodiscard]] StageArrays table(const AttentionPool& shape, const Unit& unit) const;

  const Enumeration& enumeration_;
  const Space& space_;
  const Setting& setting_;
  std::vector<const AttentionPool*> shapes_;
  std::vector<double> fans_;
  std::vector<OfFanOut> tables_;
};

}  // namespace afford
