/* A network as data, and what runs it. `esrgan_torch/engines/native/library.py` has the same structures for ctypes.
 *
 * A program is a list of phases, a phase a list of operations that are repeated with other weights and maps. Maps are
 * channels last, float32, their channels padded to a multiple of 16 with zeros.
 *
 * All operations of a phase go through the picture together, each as far behind those that it waits for as it must be
 * (four rows of pixels for a 3x3 convolution): of what they hand on, a few rows exist at a time.
 */
#ifndef ESRGAN_NATIVE_H
#define ESRGAN_NATIVE_H

#include <stdint.h>

#if defined(_WIN32)
#define ESRGAN_API __declspec(dllexport)
#else
#define ESRGAN_API __attribute__((visibility("default")))
#endif

#define ESRGAN_SOURCES 5 /* the most of an operation: a dense block's last convolution */
#define ESRGAN_ABI 4 /* of these structures and functions: one more with every change */

enum { ESRGAN_RING, ESRGAN_PLANE, ESRGAN_GIVEN };

typedef struct {
  int32_t kind;     /* RING: as many rows as are needed; PLANE: the whole map; GIVEN: by the caller, the whole map */
  int32_t channels; /* padded */
  int32_t scale;    /* pixels of the map to one of the picture's, along each axis */
} esrgan_map;

enum { ESRGAN_CONVOLVE, ESRGAN_LOAD, ESRGAN_STORE, ESRGAN_POINTWISE }; /* 3x3, and 1x1: a sum over channels alone */

/* Of a sum y. GATE, of SPAN (Wan et al. 2024): (y + x) * (sigmoid(y) - 0.5) where x is the first residual, which is
 * then not added again. Residuals of SILU and GATE are other maps than the target. */
enum { ESRGAN_NONE, ESRGAN_PRELU, ESRGAN_SILU, ESRGAN_GATE };

typedef struct {
  int32_t kind;
  int32_t sources;
  int32_t source[ESRGAN_SOURCES];   /* maps whose channels follow one another; LOAD: a given planar picture */
  int32_t channels[ESRGAN_SOURCES]; /* that count of each: a multiple of 16, but of the last before a new product;
                                       LOAD, STORE: of the channels-last map */
  uint32_t begins;        /* bit s: the sources from s on have a product of their own, which is added */
  int32_t target;         /* a map; STORE: a given planar picture, of the source's size */
  int32_t residual[2];    /* maps, or -1: result = result * scale + residual, in this order */
  float scale[2];
  int32_t waits[2];       /* operations of the phase whose result this one reads, or -1: one that comes earlier, or
                             else that of the repetition before */
  int32_t outputs;        /* padded */
  int32_t enlarge;        /* 2: see kernels.h; LOAD: a picture of so many times the size is folded into channels */
  int32_t repeat;         /* LOAD: channels that get the same values */
  int32_t activation;
  const float *weights, *bias, *slopes; /* slopes: of PRELU. LOAD: NULL, or (value + bias) * weights, one of each for
                                           a channel of the picture */
} esrgan_operation;

typedef struct {
  int32_t first, length, repeats; /* operations `first + repeat * length + number` */
} esrgan_phase;

typedef struct {
  int32_t maps, phases, operations;
  const esrgan_map *map;
  const esrgan_phase *phase;
  const esrgan_operation *operation;
} esrgan_program;

typedef struct esrgan_engine esrgan_engine;

ESRGAN_API int32_t esrgan_abi(void);

/* Levels of instructions that this build has, by number from the fastest; NULL beyond the last. */
ESRGAN_API const char *esrgan_level_name(int32_t number);
/* Floats of a level's vector, where this processor has the level; else 0. */
ESRGAN_API int32_t esrgan_level_lanes(int32_t number);

/* Copies the program; weights stay the caller's. `tiles` is the most that are computed together, 0: what was measured
 * to be fast. NULL where memory or threads are short. */
ESRGAN_API esrgan_engine *esrgan_open(const esrgan_program *, int32_t level, int32_t threads, int32_t tiles);
ESRGAN_API void esrgan_close(esrgan_engine *);

/* Bytes of work memory for a size, in pixels of the maps of scale 1; -1 where memory is short. */
ESRGAN_API int64_t esrgan_bytes(const esrgan_engine *, int64_t height, int64_t width);
/* Prepares for a size; returns what `esrgan_bytes` does. */
ESRGAN_API int64_t esrgan_plan(esrgan_engine *, int64_t height, int64_t width);
/* Begins to compute, on the engine's threads. `memory` is aligned to 64 bytes, `given` has a pointer for each map. */
ESRGAN_API void esrgan_start(esrgan_engine *, void *memory, float *const *given);
/* By rows, a picture of any height takes memory for its width alone: given maps are rings too, row y of the picture at
 * y % rows. `band`: rows that are given and taken at once. -1 as above, or where the program is not one phase of rings
 * at scale 1. */

/* As esrgan_bytes, and each map's rows into `rows`. */
ESRGAN_API int64_t esrgan_bytes_rows(const esrgan_engine *, int64_t height, int64_t width, int64_t band, int64_t *rows);
ESRGAN_API int64_t esrgan_plan_rows(esrgan_engine *, int64_t height, int64_t width, int64_t band);
/* Goes on as far as rows of the picture below `given` and room for rows of the result below `room` allow. At the end
 * the result's rows below `done` are complete, and of the picture those from `kept` on are still needed. */
ESRGAN_API void esrgan_start_rows(esrgan_engine *, void *memory, float *const *given_maps, int64_t given, int64_t room,
                                  int64_t *done, int64_t *kept);
/* Waits for the end, at most so many milliseconds; 1: nothing computes any more. `share`: how much is done, 0 to 1. */
ESRGAN_API int32_t esrgan_wait(esrgan_engine *, int32_t milliseconds, double *share);
/* Makes the threads end soon; `esrgan_wait` tells when they have. */
ESRGAN_API void esrgan_stop(esrgan_engine *);

/* (height, width, pixel) of which channels * scale^2 count -> planar (channels, height * scale, width * scale), of
 * which the rows from `top` to `bottom` of the source are made. `row`, `pixel`: floats from one to the next. */
ESRGAN_API void esrgan_shuffle(const float *source, int64_t row, int64_t pixel, float *target, int64_t channels,
                               int64_t scale, int64_t height, int64_t width, int64_t top, int64_t bottom);

/* Rows `top` to `bottom` of (channels, height, width) -> (height, width, channels) of `bytes` bytes each, 1 or 2: values
 * in [0, 1], or cut off there, as whole numbers. `plane`, `row`: floats from one to the next; `target_row`: bytes.
 * Returns 1 where all values are finite. */
ESRGAN_API int32_t esrgan_round(const float *source, int64_t plane, int64_t row, void *target, int64_t target_row,
                                int64_t channels, int64_t width, int64_t top, int64_t bottom, int32_t bytes);
/* The same of what esrgan_shuffle makes; `width` and rows are the source's. */
ESRGAN_API int32_t esrgan_round_shuffled(const float *source, int64_t row, int64_t pixel, void *target,
                                         int64_t target_row, int64_t channels, int64_t scale, int64_t width,
                                         int64_t top, int64_t bottom, int32_t bytes);

#endif
