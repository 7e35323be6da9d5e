#include "operations.h"

#include <string.h>

/* A map as the task's operation sees it, whose tiles may lie lower than those that made the map. */
static view view_of(const computation *whole, int number, const task *now) {
  view map = {0};
  if (number < 0)
    return map;
  const esrgan_map *given = &whole->program.map[number];
  const map_plan *planned = &whole->plan.map[number];
  map.data = given->kind == ESRGAN_GIVEN ? whole->given[number] : whole->memory + planned->at;
  map.row = planned->row;
  map.pixel = given->channels;
  map.rows = planned->rows;
  map.height = whole->plan.height * given->scale + now->planned->shift;
  map.width = whole->plan.width * given->scale;
  const int64_t rows = (whole->plan.height + TILE - 1) / TILE * TILE * given->scale;
  const int64_t lower = now->planned->shift - planned->shift;
  map.first = given->kind == ESRGAN_RING ? now->repetition * rows % planned->rows : 0;
  if (lower > 0)
    map.first = planned->rows - lower % planned->rows;
  return map;
}

static void convolve(const computation *whole, const task *now, float *scratch) {
  const esrgan_operation *operation = now->operation;
  convolution call = {
      .sources = operation->sources,
      .begins = operation->begins,
      .target = view_of(whole, operation->target, now),
      .across = now->planned->across,
      .first = now->first,
      .count = now->count,
      .outputs = operation->outputs,
      .enlarge = operation->enlarge,
      .weights = operation->weights,
      .bias = operation->bias,
      .activation = operation->activation,
      .slopes = operation->slopes,
      .products = scratch,
      .domain = scratch + whole->plan.scratch_domain,
      .patch = scratch + whole->plan.scratch_patch,
  };
  for (int s = 0; s < operation->sources; s++) {
    call.source[s] = view_of(whole, operation->source[s], now);
    call.channels[s] = operation->channels[s];
  }
  for (int r = 0; r < 2; r++) {
    call.residual[r] = view_of(whole, operation->residual[r], now);
    call.scale[r] = operation->scale[r];
  }
  if (operation->kind == ESRGAN_POINTWISE)
    whole->level->pointwise(&call);
  else
    whole->level->convolve(&call);
}

/* What was made above the picture's first row is read as zeros. */
static void clear_above(const computation *whole, const task *now) {
  const int64_t shift = now->planned->shift, across = now->planned->across, ty = shift / TILE;
  const view target = view_of(whole, now->operation->target, now);
  const int64_t left = (now->first - ty * across) * TILE, tiles_end = (now->first + now->count - ty * across) * TILE;
  const int64_t right = tiles_end < target.width ? tiles_end : target.width;
  for (int64_t y = ty * TILE; y < shift && left < right; y++)
    memset(view_row(&target, y) + left * target.pixel, 0, (size_t)((right - left) * target.pixel) * sizeof(float));
}

/* A planar picture, folded or repeated, becomes channels-last rows; a convolution pads what is made of it here. */
static void load_picture(const computation *whole, const task *now) {
  const esrgan_operation *operation = now->operation;
  const view target = view_of(whole, operation->target, now);
  const int fold = operation->enlarge, copies = operation->repeat, channels = operation->channels[0];
  const int64_t shift = now->planned->shift, rows = whole->plan.band ? whole->plan.map[operation->source[0]].rows
                                                                   : target.height;
  const int64_t wide = target.width * fold, plane = rows * fold * wide;
  for (int64_t tile = now->first; tile < now->first + now->count; tile++) {
    const int64_t top = tile / now->planned->across * TILE, left = tile % now->planned->across * TILE;
    const int64_t columns = target.width - left < TILE ? target.width - left : TILE;
    for (int64_t y = top; y < top + TILE && y < target.height; y++) {
      float *pixels = view_row(&target, y) + left * target.pixel;
      for (int c = 0; c < target.pixel; c += copies) {
        const int part = c / copies % (fold * fold), given = c / copies / (fold * fold);
        const int64_t row = y < shift ? 0 : (y - shift) % rows; /* above the picture any will do */
        const float *from = whole->given[operation->source[0]] + given * plane + (row * fold + part / fold) * wide +
                            left * fold + part % fold;
        const int scaled = operation->weights != NULL && c < channels;
        const float offset = scaled ? operation->bias[given] : 0.0f, scale = scaled ? operation->weights[given] : 1.0f;
        for (int64_t x = 0; x < columns; x++)
          for (int copy = c; copy < c + copies && copy < target.pixel; copy++)
            pixels[x * target.pixel + copy] = copy < channels ? (from[x * fold] + offset) * scale : 0.0f;
      }
    }
  }
}

/* Channels-last rows become a planar picture. */
static void store_picture(const computation *whole, const task *now) {
  const esrgan_operation *operation = now->operation;
  const view source = view_of(whole, operation->source[0], now);
  for (int64_t tile = now->first; tile < now->first + now->count; tile++) {
    const int64_t top = tile / now->planned->across * TILE, left = tile % now->planned->across * TILE;
    const int64_t columns = source.width - left < TILE ? source.width - left : TILE;
    for (int64_t y = top; y < top + TILE && y < source.height; y++) {
      const float *pixels = view_row(&source, y) + left * source.pixel;
      for (int c = 0; c < operation->channels[0]; c++) {
        float *to = whole->given[operation->target] + (c * source.height + y) * source.width + left;
        for (int64_t x = 0; x < columns; x++)
          to[x] = pixels[x * source.pixel + c];
      }
    }
  }
}

void carry_out(const computation *whole, const task *now, float *scratch) {
  if (now->operation->kind == ESRGAN_LOAD)
    load_picture(whole, now);
  else if (now->operation->kind == ESRGAN_STORE)
    store_picture(whole, now);
  else
    convolve(whole, now, scratch);
  if (now->planned->shift > 0)
    clear_above(whole, now);
}

void clear_above_picture(const computation *whole, float *memory) {
  for (int m = 0; m < whole->program.maps; m++) {
    const map_plan *map = &whole->plan.map[m];
    for (int64_t y = 1; y <= TILE && whole->program.map[m].kind == ESRGAN_RING; y++) {
      const int64_t row = ((map->shift - y) % map->rows + map->rows) % map->rows;
      memset(memory + map->at + row * map->row, 0, (size_t)map->row * sizeof(float));
    }
  }
}
