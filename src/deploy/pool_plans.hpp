#pragma once
// The stages of both pools of an AFD deployment, worked out as far as they can be before it is
// known how many requests there are.

#include "deploy/direct.hpp"
#include "deploy/shares.hpp"
#include "layer/head.hpp"

namespace afford {

/// attention_part() at one batch after another. That of the deployment is not looked at.
class AttentionPoolPlan {
 public:
  /// It keeps the addresses of the setting and of the chip.
  AttentionPoolPlan(const Disaggregated& deployment, const Setting& setting);
  [[nodiscard]] AttentionPart at(const Shares& shares);

 private:
  /// What a kind of layer has beside its attention, or in place of it.
  struct Kind {
    std::optional<DirectLayout> direct;
    std::vector<MlpsPlan> mlps;
  };
  [[nodiscard]] KindTimes stages(double requests);
  [[nodiscard]] Seconds mlps_time(Kind& kind, const StageLoad& load);

  Disaggregated deployment_;
  const Setting& setting_;
  Machine machine_;
  AttentionPlan attention_;
  std::vector<Kind> kinds_;
  HeadPlan head_;
};

/// ffn_part() at one batch after another, but where AFD is cut at the core.
class FfnPoolPlan {
 public:
  /// It keeps the addresses of the setting, the chip and the placement, which may be null.
  FfnPoolPlan(const Disaggregated& deployment, const Setting& setting, const Placement* placement);
  [[nodiscard]] FfnPart at(const Shares& shares);

 private:
  struct Kind {
    std::optional<DirectLayout> direct;
    std::optional<FfnPlan> experts;  // none where nothing is sent here
  };
  const Setting& setting_;
  Machine machine_;
  std::vector<Kind> kinds_;
};

}  // namespace afford
