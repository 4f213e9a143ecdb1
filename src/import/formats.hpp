#pragma once
// What a checkpoint says about its formats: read once, matched on the names of its modules.

#include <optional>
#include <string>
#include <vector>

#include "import/builder.hpp"
#include "import/patterns.hpp"
#include "spec/dtype.hpp"

namespace afford::config {

/// How a matrix is stored, and what products with it run in.
struct Format {
  Dtype weights = Dtype::bf16, compute = Dtype::bf16;
};

/// OCP Microscaling: an 8-bit scale for 32 elements.
inline constexpr double mxfp8_bits = 8 + 8.0 / 32;

/// The first rule that covers a module decides; then the statement's base.
struct FormatRule {
  ModulePatterns modules;
  Format format;
};

struct Statement {
  Format base;                    // of every matrix no rule covers
  bool experts_alone = false;     // the base is for routed experts, the rest is BF16
  std::optional<Format> experts;  // of routed experts no rule covers, where they have one
  bool mixed = false;             // it names each module, and a base is not stated
  std::vector<FormatRule> rules;
  Dtype kv = Dtype::bf16, vocabulary = Dtype::bf16;
  std::optional<Dtype> head;  // of the LM head, where the statement names it
  std::string key;            // where it stands; empty: nothing is quantised
};

/// What stands in the config or beside it. Throws InputError for what is not understood.
[[nodiscard]] Statement read_statement(Builder& b);

// One reader for each quant_method; `in` is the statement's object.
using StatementReader = void (*)(Config& in, Statement& out);

// group_formats.cpp: compressed-tensors, Quark; what ModelOpt spells as compressed-tensors does.
void read_compressed_tensors(Config& in, Statement& out);
void read_quark(Config& in, Statement& out);
void read_groups(Config& in, Statement& out);
void read_cache_scheme(Config& in, Statement& out);

// modelopt_formats.cpp
void read_modelopt(Config& in, Statement& out);
void read_modelopt_within(Config& in, Statement& out);

// integer_formats.cpp: GPTQ, AWQ, AutoRound, bitsandbytes, HQQ, TorchAO, MLX.
void read_gptq(Config& in, Statement& out);
void read_awq(Config& in, Statement& out);
void read_auto_round(Config& in, Statement& out);
void read_bitsandbytes(Config& in, Statement& out);
void read_hqq(Config& in, Statement& out);
void read_torchao(Config& in, Statement& out);
void read_mlx(Config& in, Statement& out);

// tensor_formats.cpp: what names the format of every tensor.
void read_modelslim(Config& in, Statement& out);
void read_gguf_formats(Config& in, Statement& out);

/// Whole numbers of `bits` in groups (0 or less: one scale a channel) that share a 16-bit scale
/// and `zero_bits` of a zero point.
[[nodiscard]] Dtype grouped_integer(std::int64_t bits, std::int64_t group, double zero_bits = 0);

// group_sizes.cpp: how many weights share a scale. All throw InputError for what no quantiser
// makes.

/// Of a group; -1 where a whole row does, or where nothing is said.
[[nodiscard]] std::int64_t group_size(Config& in, std::string_view key);
/// Refuses another size than the format's own.
void require_group(Config& in, std::string_view key, std::int64_t of_format,
                   std::string_view format);
/// Of a block of rows and columns, where one is stated.
std::optional<double> block_size(Config& in, std::string_view key);
/// FP8 with the scales of its weight_block_size, where they weigh anything.
[[nodiscard]] Dtype fp8_in_blocks(Config& in);

/// Whether a module's name, or a pattern of names, is the LM head's.
[[nodiscard]] bool names_head(std::string_view name);

/// Leaves the modules of a list in BF16, where the key is there.
void leave_out(Config& in, std::string_view key, Statement& out);

}  // namespace afford::config
