#pragma once
// What a deployment comes to when the prompts of what it decodes count too: worked off on a pool
// apart, or by the engines that decode.

#include "search/candidate.hpp"

namespace afford {

/// Tokens a GPU and cost are those of decoding and prompts together.
struct WholeOutcome : StepOutcome {
  Seconds ttft;             // where no prompt waits for another
  double prompt_gpus = 0;   // of a pool apart that are busy with the prompts
  UsdPerToken prompt_cost;  // what of the cost prompts take, by output tokens
};

/// The ways to work off the prompts of one deployment of any batch: on each pool that the requests
/// may be sent to, and beside the tokens where it is co-located.
class PromptForms {
 public:
  /// The space has requests.
  PromptForms(const Candidate& candidate, const Space& space, const Setting& setting);
  [[nodiscard]] std::uint64_t size() const { return forms_; }
  /// Writes down in the candidate which form it has.
  void take(Candidate& candidate, std::uint64_t form) const;
  /// Of a candidate in one of the forms, by what its decoding alone comes to.
  [[nodiscard]] WholeOutcome of(const Candidate& candidate, const StepOutcome& decoding) const;

 private:
  [[nodiscard]] WholeOutcome apart(const PrefillPool& pool, const StepOutcome& decoding) const;
  [[nodiscard]] WholeOutcome beside(const Candidate& candidate, const StepOutcome& decoding) const;

  const Space& space_;
  const WholeRequests& requests_;
  std::uint64_t forms_ = 0;
  double gpus_ = 0;
  double steps_ = 0;  // of a request
  Seconds prompt_;    // on an engine that decodes
  Seconds launches_;
  double first_token_ = 0;  // PromptRates'
  Seconds tpot_limit_;
};

/// The same of one candidate of a space with requests.
[[nodiscard]] WholeOutcome whole_outcome(const Candidate& candidate, const Space& space,
                                         const Setting& setting);

}  // namespace afford
