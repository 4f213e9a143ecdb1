#include "traffic/json_lines.hpp"

#include <fmt/format.h>

#include "import/json.hpp"
#include "text/number.hpp"
#include "traffic/trace.hpp"

namespace afford {
namespace {

const json::Value& value_of(const json::Value& object, std::string_view key) {
  if (const json::Value* value = json::member(object, key)) return *value;
  throw InputError(object.place,
                   fmt::format("expected the keys timestamp, input_length and output_length of a "
                               "Mooncake trace; '{}' is missing",
                               key));
}

std::int64_t whole_of(const json::Value& object, std::string_view key, std::int64_t least) {
  const json::Value& value = value_of(object, key);
  const auto number = parse_integer(value.text);
  if (value.kind == json::Value::Kind::number && number && *number >= least &&
      *number <= most_trace_tokens)
    return *number;
  throw InputError(value.place,
                   fmt::format("{}: expected a whole number of tokens, at least {}, got {}", key,
                               least, json::describe(value)));
}

/// Of a prompt of so many tokens: at most one block for each 512.
std::vector<std::int64_t> blocks_of(const json::Value& object, std::int64_t prompt) {
  std::vector<std::int64_t> blocks;
  const json::Value* list = json::member(object, "hash_ids");
  if (list == nullptr) return blocks;
  if (list->kind != json::Value::Kind::list) {
    throw InputError(list->place, fmt::format("hash_ids: expected a list of whole numbers, got {}",
                                              json::describe(*list)));
  }
  const auto most = static_cast<size_t>((prompt + tokens_per_block - 1) / tokens_per_block);
  if (list->items.size() > most) {
    throw InputError(list->place,
                     fmt::format("hash_ids: expected at most {} for {} tokens in blocks of {}, "
                                 "got {}",
                                 most, prompt, tokens_per_block, list->items.size()));
  }
  for (const json::Value& item : list->items) {
    const auto id = parse_integer(item.text);
    if (item.kind != json::Value::Kind::number || !id) {
      throw InputError(item.place, fmt::format("hash_ids: expected whole numbers, got {}",
                                               json::describe(item)));
    }
    blocks.push_back(*id);
  }
  return blocks;
}

}  // namespace

JsonRequest json_request(const Line& line, const std::string& file) {
  constexpr double ms_per_s = 1e3;
  const json::Value object = json::parse(line.text, file, line.number);
  const json::Value& timestamp = value_of(object, "timestamp");
  const auto ms = parse_real(timestamp.text);
  if (timestamp.kind != json::Value::Kind::number || !ms || *ms < 0 ||
      *ms > latest_arrival_s * ms_per_s) {
    throw InputError(timestamp.place,
                     fmt::format("timestamp: expected milliseconds from 0 to {:g}, "
                                 "got {}",
                                 latest_arrival_s * ms_per_s, json::describe(timestamp)));
  }
  JsonRequest out{.arrival = timestamp.place, .request = {.arrival_s = *ms / ms_per_s}};
  out.request.output_tokens = whole_of(object, "output_length", 0);
  const std::int64_t least_prompt = out.request.output_tokens > 0 ? 1 : 0;
  out.request.prompt_tokens = whole_of(object, "input_length", least_prompt);
  out.request.blocks = blocks_of(object, out.request.prompt_tokens);
  return out;
}

}  // namespace afford
