// 3x3 convolutions of a dense block (64 features, growth 32) on Hopper, as matrix products
//
//   sums[64 outputs, 128 pixels] += weights[64, 16 inputs] * pixels[16 inputs, 128]      for each tap
//
// A buffer holds planes of 8 channels: [channels / 8][flat pixel][8], flat pixels as in kernels/flat.py. A block
// computes tiles of 4 rows of 128 pixels. For each 16 inputs it copies the tile with a halo of one pixel and the
// weights of all taps into shared memory, once; a tap is then only another start address, since without
// swizzling an operand may begin at any 16 bytes, that is at any pixel. Two groups of four warps multiply, two
// rows each; one thread of a third group copies, up to STAGES steps ahead. A convolution to 32 outputs has the
// outputs of two rows in one product, see REST. kernels/halo/planes.py packs what is read here, and
// tests/torch/engines/cuda/test_halo_addressing.py is a model of all addresses in this file.
#include "wgmma.cuh"

constexpr int TILE_WIDTH = 128, TILE_HEIGHT = 4, STAGES = 3;
constexpr int ROW = TILE_WIDTH + 2;                            // pixels of a row with its halo
constexpr int PLANE_BYTES = (TILE_HEIGHT + 2) * ROW * 16;      // 8 channels of a tile with its halo
constexpr int PIXEL_BYTES = 2 * PLANE_BYTES;                   // 16 channels
constexpr int TAP_BYTES = 2 * 64 * 16;                         // 16 inputs, 64 outputs
constexpr int STAGE_BYTES = (PIXEL_BYTES + 12 * TAP_BYTES + 127) / 128 * 128;
constexpr int RESULT_BYTES = 64 * TILE_WIDTH * 2;              // a row of outputs: [8 planes][128 pixels][8]
constexpr int RESULTS = STAGES * STAGE_BYTES;                  // two of them, for each group of warps
constexpr int BARRIERS = RESULTS + 2 * 2 * RESULT_BYTES;
constexpr int SHARED_BYTES = BARRIERS + 16 * STAGES;           // as in kernels/halo/blocks.py
constexpr int GROUP = 128;                                     // threads
static_assert(SHARED_BYTES <= 227 * 1024, "more than a block may have");

constexpr float SLOPE = 0.2f;  // of LeakyReLU
constexpr float SCALE = 0.2f;  // of both residuals

// Planes are numbers within the buffer; `first` holds the first 64 inputs, `rest` the others.
struct Arguments {
  void* buffer;
  const void* weights;
  const float* bias;
  int plane_pixels, height, width, pitch, tiles_across, tiles;
  int first, rest, target, target_low, near, near_low, far, far_low;
};

enum Ending {
  PAIR,   // bias, LeakyReLU for the first 32 outputs: a convolution and a part of the next
  REST,   // 32 outputs of two rows; what is at the target, bias, LeakyReLU: the rest of that
  INNER,  // 64 outputs as pairs of values; bias, residual
  OUTER,  // the same with both residuals
};

// A pixel of the upper row sees rows 0 to 2 of four, one of the lower row 1 to 3: products with 32 outputs of
// both, zeros where one does not see a row, are 12 for two rows instead of 18.
template <Ending END>
constexpr int TAPS = END == REST ? 12 : 9;
template <Ending END>
constexpr int SUMS = END == REST ? 1 : 2;  // products of a tap, for the two rows of a group

template <typename T>
__device__ __forceinline__ void add_pair(float (&values)[8], const uint4& high, const uint4& low, float scale) {
  const uint32_t* highs = reinterpret_cast<const uint32_t*>(&high);
  const uint32_t* lows = reinterpret_cast<const uint32_t*>(&low);
#pragma unroll
  for (int i = 0; i < 4; i++) {
    float2 a = Two<T>::unpack(highs[i]), b = Two<T>::unpack(lows[i]);
    values[2 * i] = values[2 * i] * scale + (a.x + b.x);
    values[2 * i + 1] = values[2 * i + 1] * scale + (a.y + b.y);
  }
}

// Round 8 values; `left` is what rounding took.
template <typename T>
__device__ __forceinline__ uint4 round_values(const float (&values)[8], uint4& left) {
  uint4 rounded;
  uint32_t* highs = reinterpret_cast<uint32_t*>(&rounded);
  uint32_t* lows = reinterpret_cast<uint32_t*>(&left);
#pragma unroll
  for (int i = 0; i < 4; i++) {
    highs[i] = Two<T>::pack(values[2 * i], values[2 * i + 1]);
    float2 back = Two<T>::unpack(highs[i]);
    lows[i] = Two<T>::pack(values[2 * i] - back.x, values[2 * i + 1] - back.y);
  }
  return rounded;
}

template <int STEPS, Ending END>
__device__ __forceinline__ void copy_tiles(const Arguments& a, uint32_t shared) {
  constexpr int weight_bytes = TAPS<END> * TAP_BYTES;
  int stage = 0;
  uint32_t parity = 1;
  for (int tile = blockIdx.x; tile < a.tiles; tile += gridDim.x) {
    int top = tile / a.tiles_across * TILE_HEIGHT, left = tile % a.tiles_across * TILE_WIDTH;
    // flat pixel (top - 1, left - 1) of a plane; rows and columns beyond the picture are never stored
    const char* corner = static_cast<const char*>(a.buffer) + (static_cast<int64_t>(top) * a.pitch + left - 1) * 16;
    for (int step = 0; step < STEPS; step++) {
      uint32_t place = shared + stage * STAGE_BYTES, full = shared + BARRIERS + 16 * stage;
      barrier_wait(full + 8, parity);
      barrier_expect(full, PIXEL_BYTES + weight_bytes);
      int plane = step < 4 ? a.first + 2 * step : a.rest + 2 * (step - 4);
      for (int half = 0; half < 2; half++) {
        const char* source = corner + static_cast<int64_t>(plane + half) * a.plane_pixels * 16;
        for (int row = 0; row < TILE_HEIGHT + 2; row++)
          copy_in(place + half * PLANE_BYTES + row * ROW * 16, source + static_cast<int64_t>(row) * a.pitch * 16,
                  ROW * 16, full);
      }
      copy_in(place + PIXEL_BYTES, static_cast<const char*>(a.weights) + step * weight_bytes, weight_bytes, full);
      if (++stage == STAGES) { stage = 0; parity ^= 1; }
    }
  }
}

// Plane `plane` of 8 that a group has for a pixel, in a row of 64 outputs or, of REST, two rows of 32.
template <Ending END>
__device__ __forceinline__ int64_t place_of(const Arguments& a, int first, int plane, int y, int x) {
  int row = END == REST ? y + plane / 4 : y, of_row = END == REST ? plane % 4 : plane;
  return static_cast<int64_t>(first + of_row) * a.plane_pixels + static_cast<int64_t>(row + 1) * a.pitch + x;
}

// To `added` times `scale`, what the outputs of a pixel are added to; LOW: as pairs. It takes long, so it begins
// before it is needed. There is no branch, since products may be under way: outside of the picture any pixel does.
template <typename T, Ending END, bool LOW>
__device__ __forceinline__ void read_added(const Arguments& a, float (&added)[8][8], float scale, int high, int low,
                                           int y, int x) {
  const uint4* buffer = static_cast<const uint4*>(a.buffer);
  x = min(x, a.width - 1);
#pragma unroll
  for (int plane = 0; plane < 8; plane++) {
    int row = max(min(y, a.height - 1 - (END == REST ? plane / 4 : 0)), 0);  // place_of goes on from here
    auto at = [&](int first) { return buffer[place_of<END>(a, first, plane, row, x)]; };
    add_pair<T>(added[plane], at(high), LOW ? at(low) : make_uint4(0, 0, 0, 0), scale);
  }
}

// What a row of outputs is added to first: before the sums are there.
template <typename T, Ending END>
__device__ __forceinline__ void read_early(const Arguments& a, float (&added)[8][8], int y, int x) {
#pragma unroll
  for (int i = 0; i < 64; i++) added[i / 8][i % 8] = 0.f;
  if (END == REST) read_added<T, END, false>(a, added, 1.f, a.target, 0, y, x);
  if (END == INNER || END == OUTER) read_added<T, END, true>(a, added, 1.f, a.near, a.near_low, y, x);
}

// 64 outputs of 128 pixels from registers to shared memory, where 8 channels of a pixel come together.
template <typename T, Ending END>
__device__ __forceinline__ void stage_sums(const float (&sums)[64], float bias, float bias_8, char* result) {
  constexpr bool ALL = END != PAIR;  // of a sum is kept: more is added before it is rounded
  int lane = threadIdx.x % 32, warp = threadIdx.x % GROUP / 32;
  uint32_t place = shared_address(result);
#pragma unroll
  for (int block = 0; block < 16; block += 2) {  // of 8 pixels; matrix m: block + m / 2, outputs 8 * (m % 2) on
    uint32_t high[4], low[4];
#pragma unroll
    for (int m = 0; m < 4; m++) {
      int at = (block + m / 2) * 4 + m % 2 * 2;
      float v = sums[at] + (m % 2 ? bias_8 : bias), w = sums[at + 1] + (m % 2 ? bias_8 : bias);
      if (END == PAIR && warp * 16 < 32) { v = fmaxf(v, v * SLOPE); w = fmaxf(w, w * SLOPE); }
      high[m] = Two<T>::pack(v, w);
      float2 back = Two<T>::unpack(high[m]);
      low[m] = Two<T>::pack(v - back.x, w - back.y);
    }
    int m = lane / 8;
    uint32_t address = place + ((2 * warp + m % 2) * TILE_WIDTH + (block + m / 2) * 8 + lane % 8) * 16;
    store_transposed(address, high);
    if (ALL) store_transposed(address + RESULT_BYTES, low);
  }
}

// What `stage_sums` has left, with what is added, to memory: a thread has a pixel.
template <typename T, Ending END>
__device__ __forceinline__ void store_pixel(const Arguments& a, const float (&added)[8][8], const char* result, int y,
                                            int x) {
  uint4* buffer = static_cast<uint4*>(a.buffer);
  if (x >= a.width) return;
#pragma unroll
  for (int plane = 0; plane < 8; plane++) {
    if (y + (END == REST ? plane / 4 : 0) >= a.height) return;
    const uint4* staged = reinterpret_cast<const uint4*>(result) + plane * TILE_WIDTH + threadIdx.x % GROUP;
    uint4* target = buffer + place_of<END>(a, a.target, plane, y, x);
    if (END == PAIR) {
      *target = *staged;
      continue;
    }
    float values[8] = {};
    add_pair<T>(values, *staged, *(staged + RESULT_BYTES / 16), 1.f);
    constexpr float scale = END == REST ? 1.f : END == INNER ? SCALE : SCALE * SCALE;
#pragma unroll
    for (int i = 0; i < 8; i++) {
      values[i] = values[i] * scale + added[plane][i];
      if (END == REST) values[i] = fmaxf(values[i], values[i] * SLOPE);
    }
    uint4 left_over;
    *target = round_values<T>(values, left_over);
    if (END != REST) buffer[place_of<END>(a, a.target_low, plane, y, x)] = left_over;
  }
}

// All threads of a group have come here.
__device__ __forceinline__ void meet(int group) { asm volatile("bar.sync %0, 128;" ::"r"(1 + group) : "memory"); }

template <typename T, int STEPS, Ending END>
__device__ __forceinline__ void multiply_tiles(const Arguments& a, char* memory, int group) {
  uint32_t shared = shared_address(memory);
  int lane = threadIdx.x % 32, warp = threadIdx.x % GROUP / 32;
  float bias = a.bias[warp * 16 + lane / 4], bias_8 = a.bias[warp * 16 + lane / 4 + 8];
  int stage = 0;
  uint32_t parity = 0;
  for (int tile = blockIdx.x; tile < a.tiles; tile += gridDim.x) {
    float sums[SUMS<END>][64];
#pragma unroll
    for (int row = 0; row < SUMS<END>; row++)
#pragma unroll
      for (int i = 0; i < 64; i++) sums[row][i] = 0.f;
    int before = -1;
#pragma unroll 1
    for (int step = 0; step < STEPS; step++) {
      uint32_t place = shared + stage * STAGE_BYTES;
      barrier_wait(shared + BARRIERS + 16 * stage, parity);
      multiply_begin();
#pragma unroll
      for (int tap = 0; tap < TAPS<END>; tap++) {
        uint64_t weights = operand(place + PIXEL_BYTES + tap * TAP_BYTES, 1024, 128);
#pragma unroll
        for (int row = 0; row < SUMS<END>; row++) {
          int pixel = (2 * group + row + tap / 3) * ROW + tap % 3;
          multiply<T>(sums[row], weights, operand(place + pixel * 16, PLANE_BYTES, 128));
        }
      }
      multiply_commit();
      multiply_wait<1>();  // the products of the step before are done, so its memory is free
      if (before >= 0 && lane == 0) barrier_arrive(shared + BARRIERS + 16 * before + 8);
      before = stage;
      if (++stage == STAGES) { stage = 0; parity ^= 1; }
    }
    int top = tile / a.tiles_across * TILE_HEIGHT, left = tile % a.tiles_across * TILE_WIDTH;
    int y = top + 2 * group, x = left + static_cast<int>(threadIdx.x % GROUP);
    float added[8][8];
    read_early<T, END>(a, added, y, x);
    // this has been full for long; waiting for it keeps the compiler from putting off what is read above
    if (END != PAIR) barrier_wait(shared + BARRIERS + 16 * before, stage == 0 ? parity ^ 1 : parity);
    multiply_wait<0>();
    if (lane == 0) barrier_arrive(shared + BARRIERS + 16 * before + 8);
    char* result = memory + RESULTS + group * 2 * RESULT_BYTES;
#pragma unroll
    for (int row = 0; row < SUMS<END>; row++) {
      stage_sums<T, END>(sums[row], bias, bias_8, result);
      meet(group);
      // there were no registers for this before the sums had left theirs
      if (END == OUTER) read_added<T, END, true>(a, added, SCALE, a.far, a.far_low, y + row, x);
      store_pixel<T, END>(a, added, result, y + row, x);
      if (row + 1 < SUMS<END>) read_early<T, END>(a, added, y + row + 1, x);
      meet(group);
    }
  }
}

template <typename T, int STEPS, Ending END>
__device__ __forceinline__ void convolve(const Arguments& a) {
  extern __shared__ __align__(128) char memory[];
  uint32_t shared = shared_address(memory);
  if (threadIdx.x == 0) {
    for (int stage = 0; stage < STAGES; stage++) {
      barrier_init(shared + BARRIERS + 16 * stage, 1);      // full: the copying thread, and its bytes
      barrier_init(shared + BARRIERS + 16 * stage + 8, 8);  // free: the warps that multiply
    }
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  }
  __syncthreads();
  int group = threadIdx.x / GROUP;
  if (group < 2) {
    take_registers<232>();  // two rows of sums and an epilogue; 168 each is what a block of 384 threads begins with
    multiply_tiles<T, STEPS, END>(a, memory, group);
  } else {
    give_registers<40>();
    if (threadIdx.x == 2 * GROUP) copy_tiles<STEPS, END>(a, shared);
  }
}

#define KERNEL(NAME, T, STEPS, END) \
  extern "C" __global__ void __launch_bounds__(3 * GROUP, 1) NAME(Arguments a) { convolve<T, STEPS, END>(a); }
#define KERNELS(SUFFIX, T)                 \
  KERNEL(pair1_##SUFFIX, T, 4, PAIR)       \
  KERNEL(pair2_##SUFFIX, T, 8, PAIR)       \
  KERNEL(rest_##SUFFIX, T, 2, REST)        \
  KERNEL(inner_##SUFFIX, T, 12, INNER)     \
  KERNEL(outer_##SUFFIX, T, 12, OUTER)
KERNELS(float16, __half)
KERNELS(bfloat16, __nv_bfloat16)
