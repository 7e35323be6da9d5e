/* The engine as a WebAssembly module: what TypeScript calls, and the little that a C library gives elsewhere.
 *
 * Threads are workers of the page, each with an instance of this module over the same memory. The one that calls is
 * worker 0; it computes in slices of time, so that between two it can paint, tell how far it is, and heed an abort.
 */
#include "operations.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define IMPORTED(name) __attribute__((import_module("env"), import_name(#name)))
#define EXPORTED(name) __attribute__((export_name(#name)))
#define TILES 36   /* the most of a group */
#define LOOKS 8000 /* at what a task waits for, before the processor is offered to others: some 50 microseconds */
#define LINE 64    /* bytes of a cache line */
#define WORKERS 16

IMPORTED(now) double now(void); /* milliseconds */
IMPORTED(rest) void rest(void); /* sleep for a moment, where this thread may */

const level *esrgan_find_level(int32_t number);

typedef struct {
  _Alignas(LINE) _Atomic int64_t task; /* the one that this worker computes; all tasks below everybody's have ended */
} worker;

typedef struct {
  computation whole;
  int threads;
  int64_t below; /* of the tasks that are carried out in this run */
  _Alignas(LINE) _Atomic int64_t next;
  _Alignas(LINE) _Atomic int stopping;
  worker worker[WORKERS];
} engine;

static _Atomic int job;       /* number of the run */
static _Atomic int computing; /* helpers that have not ended it */
static engine *current;       /* what it computes */

static int have_ended(const engine *self, int64_t below) {
  for (int t = 0; t < self->threads; t++)
    if (atomic_load(&self->worker[t].task) < below)
      return 0;
  return 1;
}

/* 0 when somebody wants to stop. */
static int wait_for(engine *self, int64_t below) {
  for (int looks = 0; !have_ended(self, below); looks++) {
    if (atomic_load(&self->stopping))
      return 0;
    if (looks > LOOKS)
      rest();
  }
  return 1;
}

/* Tasks in their order, as worker `number`, until `until`. A worker that takes no part holds nobody back: it says
 * INT64_MAX. Before it takes a task, it says below which it will take none; nobody waits for what comes after. */
static void compute(engine *self, int number, double until) {
  float *scratch = self->whole.memory + self->whole.plan.scratch + number * self->whole.plan.thread_scratch;
  _Atomic int64_t *mine = &self->worker[number].task;
  atomic_store(mine, atomic_load(&self->next));
  while (!atomic_load(&self->stopping)) {
    const int64_t taken = atomic_fetch_add(&self->next, 1);
    if (taken >= self->below)
      break;
    atomic_store(mine, taken);
    const task one = plan_task(&self->whole.plan, &self->whole.program, taken);
    if (one.count == 0)
      continue;
    if (!wait_for(self, one.after))
      break;
    carry_out(&self->whole, &one, scratch);
    if (now() >= until)
      break;
  }
  atomic_store(mine, INT64_MAX);
}

EXPORTED(abi) int32_t wasm_abi(void) { return esrgan_abi(); }

EXPORTED(lanes) int32_t wasm_lanes(void) { return esrgan_level_lanes(0); }

/* The program stays the caller's. NULL where the arena is full. */
EXPORTED(open) engine *wasm_open(const esrgan_program *program, int32_t threads) {
  engine *self = calloc(1, sizeof *self);
  if (self == NULL)
    return NULL;
  self->whole.program = *program;
  self->whole.level = esrgan_find_level(0);
  self->threads = threads < WORKERS ? threads : WORKERS;
  return self;
}

EXPORTED(close) void wasm_close(engine *self) {
  plan_free(&self->whole.plan, &self->whole.program);
  free(self);
}

/* Prepares for a size, in pixels of the maps of scale 1; bytes of work memory, or -1 where the arena is full. */
EXPORTED(plan) double wasm_plan(engine *self, int32_t height, int32_t width) {
  plan_free(&self->whole.plan, &self->whole.program);
  if (plan_make(&self->whole.plan, &self->whole.program, height, width, self->threads, TILES) != 0)
    return -1;
  return (double)self->whole.plan.floats * sizeof(float);
}

/* The same for a picture by rows, `band` of which are given and taken at once, and each map's rows into `rows`. */
EXPORTED(plan_rows) double wasm_plan_rows(engine *self, int32_t height, int32_t width, int32_t band, int32_t *rows) {
  plan *made = &self->whole.plan;
  plan_free(made, &self->whole.program);
  self->below = 0;
  if (plan_make_rows(made, &self->whole.program, height, width, self->threads, TILES, band) != 0)
    return -1;
  for (int m = 0; m < self->whole.program.maps; m++)
    rows[m] = (int32_t)made->map[m].rows;
  return (double)made->floats * sizeof(float);
}

static void start(engine *self, float *memory, float **given, int64_t from, int64_t below) {
  self->whole.memory = memory;
  self->whole.given = given;
  self->below = below;
  atomic_store(&self->next, from);
  atomic_store(&self->stopping, 0);
  for (int t = 0; t < self->threads; t++)
    atomic_store(&self->worker[t].task, INT64_MAX);
  current = self;
  atomic_store(&computing, self->threads - 1);
  atomic_fetch_add(&job, 1);
  if (self->threads > 1)
    __builtin_wasm_memory_atomic_notify((int *)&job, UINT_MAX);
}

/* Begins: helpers set out at once. `given` has an address for each map, and stays. Nothing may compute yet. */
EXPORTED(start) void wasm_start(engine *self, float *memory, float **given) {
  start(self, memory, given, 0, self->whole.plan.tasks);
}

/* By rows, goes on: see esrgan_start_rows. `reached`: below which row the result will be done, and from which on the
 * picture is still needed. */
EXPORTED(start_rows) void wasm_start_rows(engine *self, float *memory, float **given_maps, int32_t given, int32_t room,
                                          int32_t *reached) {
  int64_t done, kept;
  const int64_t from = self->below;
  const int64_t below = plan_below(&self->whole.plan, &self->whole.program, given, room, &done, &kept);
  if (from == 0)
    clear_above_picture(&self->whole, memory);
  start(self, memory, given_maps, from, below > from ? below : from);
  reached[0] = (int32_t)done;
  reached[1] = (int32_t)kept;
}

/* Makes everybody end soon; `advance` tells when they have. */
EXPORTED(stop) void wasm_stop(engine *self) { atomic_store(&self->stopping, 1); }

/* Computes until a moment comes: the share that is done of all tasks, and 2 when those of this run are and nobody
 * computes any more. */
EXPORTED(advance) double wasm_advance(engine *self, double until) {
  compute(self, 0, until);
  const int64_t tasks = self->whole.plan.tasks, next = atomic_load(&self->next);
  if (next < self->below && !atomic_load(&self->stopping))
    return (double)next / (double)tasks;
  while (atomic_load(&computing) > 0 && now() < until)
    rest();
  return atomic_load(&computing) > 0 ? (double)self->below / (double)tasks : 2;
}

/* A helper's life, as worker `number`; it never returns. */
EXPORTED(help) void wasm_help(int32_t number) {
  for (int seen = 0;;) {
    int next;
    while ((next = atomic_load(&job)) == seen)
      __builtin_wasm_memory_atomic_wait32((int *)&job, seen, -1);
    seen = next; /* before `computing` falls: then the next job may begin, which is not to be taken for this one */
    compute(current, number, 1e300);
    atomic_fetch_sub(&computing, 1);
  }
}

/* Channels-last features become a planar picture, see esrgan_native.h. */
EXPORTED(shuffle) void wasm_shuffle(const float *source, int32_t pixel, float *target, int32_t channels, int32_t scale,
                                    int32_t height, int32_t width) {
  esrgan_shuffle(source, (int64_t)width * pixel, pixel, target, channels, scale, height, width, 0, height);
}

/* Memory for plans: a few kilobytes, in an arena of fixed size. Blocks lie one after the other, each after a header
 * with its size, which is odd where the block is taken. */
#define ARENA (1 << 20)
#define UNIT 64
static _Alignas(UNIT) char arena[ARENA];

static size_t *size_at(char *block) { return (size_t *)block; }

void *malloc(size_t bytes) {
  const size_t needed = (bytes + 2 * UNIT - 1) / UNIT * UNIT;
  if (*size_at(arena) == 0)
    *size_at(arena) = ARENA;
  for (char *block = arena; block < arena + ARENA; block += *size_at(block) & ~(size_t)1) {
    size_t *size = size_at(block);
    if (*size & 1)
      continue;
    while (block + *size < arena + ARENA && !(*size_at(block + *size) & 1))
      *size += *size_at(block + *size); /* free ones that follow one another become one */
    if (*size < needed)
      continue;
    if (*size > needed)
      *size_at(block + needed) = *size - needed;
    *size = needed | 1;
    return block + UNIT;
  }
  return NULL;
}

void free(void *given) {
  if (given != NULL)
    *size_at((char *)given - UNIT) &= ~(size_t)1;
}

void *calloc(size_t count, size_t bytes) {
  void *made = malloc(count * bytes);
  return made == NULL ? NULL : memset(made, 0, count * bytes);
}
