// GGUF headers: what is read of them, and every way they can be cut short.
#include <doctest/doctest.h>

#include <cstring>

#include "count/params.hpp"
#include "import/gguf.hpp"
#include "import/import.hpp"
#include "support.hpp"

using namespace afford;

namespace {

template <class T>
std::string raw(T gguf_number) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &gguf_number, sizeof(T));
  return bytes;
}
std::string counted(const std::string& text) { return raw<std::uint64_t>(text.size()) + text; }
std::string gguf_number(const std::string& key, std::uint32_t value) {
  return counted(key) + raw<std::uint32_t>(4) + raw(value);
}
std::string text(const std::string& key, const std::string& value) {
  return counted(key) + raw<std::uint32_t>(8) + counted(value);
}
std::string tensor(const std::string& name, std::uint64_t rows, std::uint64_t columns,
                   std::uint32_t type) {
  return counted(name) + raw<std::uint32_t>(2) + raw(rows) + raw(columns) + raw(type) +
         raw<std::uint64_t>(0);
}

/// A llama of two layers, down projections at Q6_K and the rest at Q4_K, head and embedding tied.
std::string header() {
  std::vector<std::string> values = {text("general.architecture", "llama"),
                                     gguf_number("llama.block_count", 2),
                                     gguf_number("llama.embedding_length", 256),
                                     gguf_number("llama.feed_forward_length", 512),
                                     gguf_number("llama.attention.head_count", 4),
                                     gguf_number("llama.attention.head_count_kv", 2),
                                     gguf_number("llama.context_length", 4096),
                                     counted("tokenizer.ggml.tokens") + raw<std::uint32_t>(9) +
                                         raw<std::uint32_t>(8) + raw<std::uint64_t>(3) +
                                         counted("a") + counted("b") + counted("c")};
  std::vector<std::string> tensors = {tensor("token_embd.weight", 256, 3, 14)};
  for (const char* layer : {"blk.0.", "blk.1."}) {
    const std::string at = layer;
    for (const char* name : {"attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up"})
      tensors.push_back(tensor(at + name + ".weight", 256, 256, 12));
    tensors.push_back(tensor(at + "ffn_down.weight", 512, 256, 14));
    tensors.push_back(tensor(at + "attn_norm.weight", 256, 1, 0));
  }
  std::string bytes = "GGUF" + raw<std::uint32_t>(3) + raw<std::uint64_t>(tensors.size()) +
                      raw<std::uint64_t>(values.size());
  for (const std::string& each : values) bytes += each;
  for (const std::string& each : tensors) bytes += each;
  return bytes;
}

std::string gguf_error(std::string_view bytes) {
  try {
    (void)config::config_of_gguf(config::parse_gguf(bytes, "m.gguf"), "m.gguf");
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_SUITE("unit") {
  TEST_CASE("GGUF: shapes out of the header, formats out of its tensors") {
    const test::TempFolder folder;
    const std::string path = folder.file("Llama-Q4_K_M.gguf", header());
    const config::Checkpoint checkpoint = config::read_checkpoint(path);
    CHECK(checkpoint.name == "llama-q4_k_m");
    const ModelSpec model = test::parse_model(config::import_checkpoint(checkpoint, {}).yaml);
    CHECK(model.hidden == 256);
    CHECK(model.vocab == 3);
    CHECK(model.tied_embeddings);
    CHECK(layer_count(model) == 2);
    CHECK(name_of(model.precision.attention_weights) == "4.5bit");
    // Two of three matrices at 4.5 bits, one at 6.5625.
    CHECK(bits_of(model.precision.ffn_weights) ==
          doctest::Approx((4.5 * 2 + 6.563) / 3).epsilon(1e-3));
    CHECK(model.precision.ffn_compute == Dtype::bf16);
  }

  TEST_CASE("GGUF: a header that is cut short or none is an error, never a crash") {
    const std::string whole = header();
    CHECK(gguf_error(whole) == "no error");
    for (size_t size = 0; size < whole.size(); ++size)
      CHECK(gguf_error(std::string_view(whole).substr(0, size))
                .starts_with("m.gguf: not a GGUF header we can read: "));
    CHECK(gguf_error("GGUX" + whole.substr(4)) ==
          "m.gguf: not a GGUF header we can read: it does not start with GGUF at byte 4");
    CHECK(gguf_error("GGUF" + raw<std::uint32_t>(9) + whole.substr(8)) ==
          "m.gguf: not a GGUF header we can read: version 9 at byte 8");
    std::string huge = whole;
    huge.replace(8, 8, raw<std::uint64_t>(1ULL << 60));
    CHECK(gguf_error(huge) ==
          "m.gguf: not a GGUF header we can read: 1152921504606846976 tensors, more than 200000 at "
          "byte 16");
    CHECK(gguf_error(test::replaced(whole, "architecture\x08", "architecture\x04"))
              .starts_with("m.gguf: not a GGUF header we can read: "));
    CHECK(gguf_error(test::replaced(whole, counted("llama"), counted("lamma"))) ==
          "m.gguf: general.architecture: 'lamma' has no family here");
    // Which of two would count, nobody can say.
    CHECK(gguf_error(test::replaced(whole, gguf_number("llama.attention.head_count_kv", 2),
                                    gguf_number("llama.attention.head_count", 2))) ==
          "m.gguf: not a GGUF header we can read: the key 'llama.attention.head_count' a second "
          "time at byte 257");
    CHECK(gguf_error(test::replaced(whole, "blk.1.attn_norm", "blk.0.attn_norm")) ==
          "m.gguf: not a GGUF header we can read: the tensor 'blk.0.attn_norm.weight' a second "
          "time at byte 1401");
  }
}
