#pragma once
// Mooncake's traces: one JSON object a line.

#include "error.hpp"
#include "text/lines.hpp"
#include "traffic/request.hpp"

namespace afford {

/// {"timestamp": ms, "input_length": tokens, "output_length": tokens, "hash_ids": [block, ...]};
/// hash_ids may be missing. Throws InputError.
struct JsonRequest {
  Place arrival;
  Request request;
};
[[nodiscard]] JsonRequest json_request(const Line& line, const std::string& file);

}  // namespace afford
