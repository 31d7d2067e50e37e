// The two passes of Pillow's 8-bit resize (src/libImaging/Resample.c), on three channels, with SIMD of WebAssembly.
// Sums are kept in 32 bits: 8 of the sample, 22 after the point of a weight, and kernels overshoot by less than two.
//
// pillow-resize.wasm is made of this file:
//   clang --target=wasm32 -O3 -msimd128 -nostdlib -Wl,--no-entry -Wl,--import-memory \
//     -Wl,--strip-all -o pillow-resize.wasm pillow-resize.c
// (Debian: apt-get install clang lld)
#include <stdint.h>
#include <wasm_simd128.h>

#define BITS 22
#define HALF (1 << (BITS - 1))

static inline uint8_t clip(int32_t sum) {
  int32_t value = sum >> BITS;
  return value < 0 ? 0 : value > 255 ? 255 : (uint8_t)value;
}

// Four samples become 32-bit lanes.
static inline v128_t lanes(const uint8_t *samples) {
  return wasm_u32x4_extend_low_u16x8(wasm_u16x8_extend_low_u8x16(wasm_v128_load32_zero(samples)));
}

// `rows` rows of `width` pixels -> `out_width` pixels each. Reads one byte beyond the last pixel.
__attribute__((export_name("columns"))) void columns(const uint8_t *in, int32_t width, int32_t rows, uint8_t *out,
                                                     int32_t out_width, const int32_t *starts, const int32_t *counts,
                                                     const int32_t *weights, int32_t taps) {
  for (int32_t y = 0; y < rows; y++, in += width * 3) {
    for (int32_t x = 0; x < out_width; x++, out += 3) {
      const uint8_t *pixel = in + starts[x] * 3;
      const int32_t *weight = weights + x * taps;
      v128_t sum = wasm_i32x4_splat(HALF);
      for (int32_t tap = 0; tap < counts[x]; tap++, pixel += 3) {
        sum = wasm_i32x4_add(sum, wasm_i32x4_mul(lanes(pixel), wasm_v128_load32_splat(weight + tap)));
      }
      out[0] = clip(wasm_i32x4_extract_lane(sum, 0));
      out[1] = clip(wasm_i32x4_extract_lane(sum, 1));
      out[2] = clip(wasm_i32x4_extract_lane(sum, 2));
    }
  }
}

// Rows of `stride` bytes -> `out_rows` rows. Reads and writes up to 15 bytes beyond the last row.
__attribute__((export_name("rows"))) void rows(const uint8_t *in, int32_t stride, uint8_t *out, int32_t out_rows,
                                               const int32_t *starts, const int32_t *counts, const int32_t *weights,
                                               int32_t taps) {
  for (int32_t y = 0; y < out_rows; y++, out += stride) {
    const int32_t *weight = weights + y * taps;
    const uint8_t *first = in + starts[y] * stride;
    for (int32_t x = 0; x < stride; x += 16) {
      v128_t a = wasm_i32x4_splat(HALF), b = a, c = a, d = a;
      const uint8_t *at = first + x;
      for (int32_t tap = 0; tap < counts[y]; tap++, at += stride) {
        v128_t k = wasm_v128_load32_splat(weight + tap);
        v128_t bytes = wasm_v128_load(at);
        v128_t low = wasm_u16x8_extend_low_u8x16(bytes), high = wasm_u16x8_extend_high_u8x16(bytes);
        a = wasm_i32x4_add(a, wasm_i32x4_mul(wasm_u32x4_extend_low_u16x8(low), k));
        b = wasm_i32x4_add(b, wasm_i32x4_mul(wasm_u32x4_extend_high_u16x8(low), k));
        c = wasm_i32x4_add(c, wasm_i32x4_mul(wasm_u32x4_extend_low_u16x8(high), k));
        d = wasm_i32x4_add(d, wasm_i32x4_mul(wasm_u32x4_extend_high_u16x8(high), k));
      }
      // Narrowing saturates: first to 16 bits with a sign, then to bytes without.
      v128_t left = wasm_i16x8_narrow_i32x4(wasm_i32x4_shr(a, BITS), wasm_i32x4_shr(b, BITS));
      v128_t right = wasm_i16x8_narrow_i32x4(wasm_i32x4_shr(c, BITS), wasm_i32x4_shr(d, BITS));
      // What goes beyond a row is written over by the next one.
      wasm_v128_store(out + x, wasm_u8x16_narrow_i16x8(left, right));
    }
  }
}
