#pragma once
// The whole numbers a key may have, both ends included.

#include <cstdint>

namespace afford {

struct Range {
  std::int64_t least, most;
};

}  // namespace afford
