#pragma once
#include <stdint.h>
#include <string.h>

static inline uint64_t bits_of(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static inline double with_low_word(double x, uint32_t low) {
  const uint64_t bits = (bits_of(x) & 0xffffffff00000000u) | low;
  memcpy(&x, &bits, sizeof bits);
  return x;
}

#define GET_HIGH_WORD(word, x) ((word) = (int32_t)(bits_of(x) >> 32))
#define SET_LOW_WORD(x, word) ((x) = with_low_word(x, word))
#define __ieee754_exp exp
#define __set_errno(code) ((void)(code))
