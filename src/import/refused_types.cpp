// Model types that are known, and why a model file cannot say what they are.
#include "import/builder.hpp"

namespace afford::config {
namespace {

/// Kinds of model that a model file has no words for.
struct Refusal {
  std::string_view model_type, why;
};
constexpr std::string_view encoder = "an encoder, of which nothing is decoded token by token",
                           both = "an encoder beside the decoder, which attends to it",
                           receptance =
                               "its channel mixing has a third matrix that gates the "
                               "output; of RWKV, version 7 (rwkv7) is counted";
constexpr Refusal refusals[] = {
    {"rwkv", receptance},
    {"rwkv5", receptance},
    {"rwkv6", receptance},
    {"rwkv6_hybrid", receptance},
    {"mllama", "some layers attend to pictures instead of the text"},
    {"recurrent_gemma", "its RG-LRU layers have no kind in a model file"},
    {"xlstm", "its mLSTM layers have no kind in a model file"},
    {"hymba", "attention and Mamba share one layer's projections"},
    {"jetmoe", "its attention is a mixture of heads"},
    {"zaya", "its compressed convolutional attention has no kind in a model file"},
    {"t5", both},
    {"mt5", both},
    {"umt5", both},
    {"t5gemma", both},
    {"t5gemma2", both},
    {"bart", both},
    {"mbart", both},
    {"pegasus", both},
    {"m2m_100", both},
    {"marian", both},
    {"whisper", both},
    {"moonshine", both},
    {"voxtral_encoder", encoder},
    {"bert", encoder},
    {"modernbert", encoder},
    {"roberta", encoder},
    {"xlm-roberta", encoder},
    {"distilbert", encoder},
    {"electra", encoder},
    {"deberta-v2", encoder},
    {"mpnet", encoder},
    {"albert", encoder},
    {"nomic_bert", encoder},
    {"clip", encoder},
    {"siglip", encoder},
    {"wav2vec2", encoder},
};

}  // namespace

std::string_view why_refused(std::string_view model_type) {
  for (const Refusal& each : refusals) {
    if (each.model_type == model_type) return each.why;
  }
  return {};
}

}  // namespace afford::config
