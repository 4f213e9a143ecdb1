#pragma once
// Typed quantities. Every value is held in base units (second, byte, FLOP, US dollar, token,
// joule); other units exist only as constants to multiply by on the way in and divide by on the way
// out. No dependency, so CUDA host code can include it too.

#include <compare>
#include <cstdint>

namespace afford {

/// Exponents of the base units. `Flops` counts operations; a rate is always called `...Rate`.
struct Dimension {
  int time = 0, byte = 0, flop = 0, usd = 0, token = 0, joule = 0;
  constexpr bool operator==(const Dimension&) const = default;
};

constexpr Dimension operator+(Dimension a, Dimension b) {
  return {a.time + b.time, a.byte + b.byte,   a.flop + b.flop,
          a.usd + b.usd,   a.token + b.token, a.joule + b.joule};
}
constexpr Dimension operator-(Dimension a) {
  return {-a.time, -a.byte, -a.flop, -a.usd, -a.token, -a.joule};
}

/// One double in base units with its dimension in the type.
template <Dimension D>
class Quantity {
 public:
  constexpr Quantity() = default;
  explicit constexpr Quantity(double base) : base_(base) {}
  [[nodiscard]] constexpr double base() const { return base_; }

  constexpr auto operator<=>(const Quantity&) const = default;
  // As <=> has them, in one comparison each.
  friend constexpr bool operator<(Quantity a, Quantity b) { return a.base_ < b.base_; }
  friend constexpr bool operator>(Quantity a, Quantity b) { return a.base_ > b.base_; }
  friend constexpr bool operator<=(Quantity a, Quantity b) { return a.base_ <= b.base_; }
  friend constexpr bool operator>=(Quantity a, Quantity b) { return a.base_ >= b.base_; }
  constexpr Quantity operator-() const { return Quantity(-base_); }
  constexpr Quantity& operator+=(Quantity other) { return base_ += other.base_, *this; }
  constexpr Quantity& operator-=(Quantity other) { return base_ -= other.base_, *this; }
  friend constexpr Quantity operator+(Quantity a, Quantity b) {
    return Quantity(a.base_ + b.base_);
  }
  friend constexpr Quantity operator-(Quantity a, Quantity b) {
    return Quantity(a.base_ - b.base_);
  }
  friend constexpr Quantity operator*(Quantity a, double k) { return Quantity(a.base_ * k); }
  friend constexpr Quantity operator*(double k, Quantity a) { return Quantity(k * a.base_); }
  friend constexpr Quantity operator/(Quantity a, double k) { return Quantity(a.base_ / k); }

 private:
  double base_ = 0;
};

namespace detail {
template <Dimension D>
constexpr auto in_dimension(double base) {
  if constexpr (D == Dimension{}) {
    return base;  // a ratio of like quantities is a plain number
  } else {
    return Quantity<D>(base);
  }
}
}  // namespace detail

template <Dimension A, Dimension B>
constexpr auto operator*(Quantity<A> a, Quantity<B> b) {
  return detail::in_dimension<A + B>(a.base() * b.base());
}
template <Dimension A, Dimension B>
constexpr auto operator/(Quantity<A> a, Quantity<B> b) {
  return detail::in_dimension<A + -B>(a.base() / b.base());
}
template <Dimension A>
constexpr auto operator/(double k, Quantity<A> a) {
  return detail::in_dimension<-A>(k / a.base());
}

using Seconds = Quantity<Dimension{.time = 1}>;
using Bytes = Quantity<Dimension{.byte = 1}>;
using Flops = Quantity<Dimension{.flop = 1}>;
using Usd = Quantity<Dimension{.usd = 1}>;
using Tokens = Quantity<Dimension{.token = 1}>;
using Joules = Quantity<Dimension{.joule = 1}>;
using Watts = Quantity<Dimension{.time = -1, .joule = 1}>;
using ByteRate = Quantity<Dimension{.time = -1, .byte = 1}>;
using FlopRate = Quantity<Dimension{.time = -1, .flop = 1}>;
using TokenRate = Quantity<Dimension{.time = -1, .token = 1}>;
using UsdRate = Quantity<Dimension{.time = -1, .usd = 1}>;
using UsdPerToken = Quantity<Dimension{.usd = 1, .token = -1}>;
using UsdPerFlop = Quantity<Dimension{.flop = -1, .usd = 1}>;
using UsdPerByte = Quantity<Dimension{.byte = -1, .usd = 1}>;
using FlopsPerByte = Quantity<Dimension{.byte = -1, .flop = 1}>;
using FlopsPerToken = Quantity<Dimension{.flop = 1, .token = -1}>;
using BytesPerToken = Quantity<Dimension{.byte = 1, .token = -1}>;
using SecondsPerToken = Quantity<Dimension{.time = 1, .token = -1}>;

/// A count in a formula. Made real before the first product, so that no shape overflows.
[[nodiscard]] constexpr double real(std::int64_t count) { return static_cast<double>(count); }

inline constexpr Seconds second{1}, millisecond{1e-3}, microsecond{1e-6}, nanosecond{1e-9},
    minute{60}, hour{3600};
inline constexpr Bytes byte{1}, kB{1e3}, MB{1e6}, GB{1e9}, TB{1e12};
inline constexpr Bytes KiB{1024.0}, MiB{1048576.0}, GiB{1073741824.0}, TiB{1099511627776.0};
inline constexpr Flops flop{1}, GFLOP{1e9}, TFLOP{1e12}, PFLOP{1e15};
inline constexpr Usd usd{1};
inline constexpr Tokens token{1}, million_tokens{1e6};
inline constexpr Joules joule{1};
inline constexpr Watts watt{1}, kilowatt{1e3};
inline constexpr ByteRate byte_per_s{1}, GB_per_s{1e9}, TB_per_s{1e12};
inline constexpr FlopRate flop_per_s{1}, TFLOP_per_s{1e12};
inline constexpr UsdRate usd_per_hour{1.0 / 3600.0};
inline constexpr UsdPerToken usd_per_mtok{1e-6};

}  // namespace afford
