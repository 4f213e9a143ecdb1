#pragma once
// One request: when it comes, what it brings, what it asks for.

#include <cstdint>
#include <vector>

namespace afford {

/// Tokens of a block of the prompt that has an identity: Mooncake's traces hash blocks of 512
/// (github.com/kvcache-ai/Mooncake, 2024-06).
inline constexpr std::int64_t tokens_per_block = 512;

struct Request {
  double arrival_s = 0;
  std::int64_t prompt_tokens = 0, output_tokens = 0;
  /// One for each block of the prompt, the last one may be short. Two requests whose blocks begin
  /// alike have that much of their prompts in common. Empty: not known.
  std::vector<std::int64_t> blocks;
};

}  // namespace afford
