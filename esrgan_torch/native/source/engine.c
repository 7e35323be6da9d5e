/* Threads that carry out a plan's tasks in order, each as soon as the tasks that it depends on have ended. */
#include "plan.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOOKS 4000   /* at what a task waits for, before the processor is offered to others: some 100 microseconds */
#define TILES 36     /* of a group, unless told otherwise */
#define LINE 64      /* bytes of a cache line */

const level *esrgan_find_level(int32_t number);

typedef struct {
  _Alignas(LINE) _Atomic int64_t task; /* the one that this thread computes; all tasks below everybody's have ended */
  struct esrgan_engine *engine;
  pthread_t thread;
} worker;

struct esrgan_engine {
  esrgan_program program;
  const level *level;
  int threads, tiles;
  plan plan;
  float *memory;
  float **given;
  _Alignas(LINE) _Atomic int64_t next;
  _Alignas(LINE) _Atomic int stopping;
  pthread_mutex_t mutex; /* of what follows */
  pthread_cond_t wake, ended;
  int run, computing, closing; /* number of the run; threads that have not ended it */
  worker *worker;
};

static void relax(void) {
#if defined(__x86_64__) || defined(_M_X64)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static int have_ended(const esrgan_engine *engine, int64_t below) {
  for (int t = 0; t < engine->threads; t++)
    if (atomic_load_explicit(&engine->worker[t].task, memory_order_acquire) < below)
      return 0;
  return 1;
}

/* 0 when somebody wants to stop. */
static int wait_for(esrgan_engine *engine, int64_t below) {
  for (int looks = 0; !have_ended(engine, below); looks++) {
    if (atomic_load_explicit(&engine->stopping, memory_order_relaxed))
      return 0;
    if (looks < LOOKS)
      relax();
    else if (looks < 2 * LOOKS)
      sched_yield();
    else
      nanosleep(&(struct timespec){0, 50000}, NULL);
  }
  return 1;
}

static view view_of(const esrgan_engine *engine, int number, int64_t repetition) {
  view map = {0};
  if (number < 0)
    return map;
  const esrgan_map *given = &engine->program.map[number];
  const map_plan *planned = &engine->plan.map[number];
  map.data = given->kind == ESRGAN_GIVEN ? engine->given[number] : engine->memory + planned->at;
  map.row = planned->row;
  map.pixel = given->channels;
  map.rows = planned->rows;
  map.height = engine->plan.height * given->scale;
  map.width = engine->plan.width * given->scale;
  const int64_t rows = (engine->plan.height + TILE - 1) / TILE * TILE * given->scale;
  map.first = given->kind == ESRGAN_RING ? repetition * rows % planned->rows : 0;
  return map;
}

static void convolve(const esrgan_engine *engine, const task *now, float *scratch) {
  const esrgan_operation *operation = now->operation;
  convolution call = {
      .sources = operation->sources,
      .begins = operation->begins,
      .target = view_of(engine, operation->target, now->repetition),
      .across = now->planned->across,
      .first = now->first,
      .count = now->count,
      .outputs = operation->outputs,
      .enlarge = operation->enlarge,
      .weights = operation->weights,
      .bias = operation->bias,
      .slopes = operation->slopes,
      .products = scratch,
      .domain = scratch + engine->plan.scratch_domain,
      .patch = scratch + engine->plan.scratch_patch,
  };
  for (int s = 0; s < operation->sources; s++) {
    call.source[s] = view_of(engine, operation->source[s], now->repetition);
    call.channels[s] = operation->channels[s];
  }
  for (int r = 0; r < 2; r++) {
    call.residual[r] = view_of(engine, operation->residual[r], now->repetition);
    call.scale[r] = operation->scale[r];
  }
  engine->level->convolve(&call);
}

/* A planar picture, folded or repeated, becomes channels-last rows. */
static void load_picture(const esrgan_engine *engine, const task *now) {
  const esrgan_operation *operation = now->operation;
  const view target = view_of(engine, operation->target, now->repetition);
  const int fold = operation->enlarge, copies = operation->repeat, channels = operation->channels[0];
  const int64_t wide = target.width * fold, plane = target.height * fold * wide;
  for (int64_t tile = now->first; tile < now->first + now->count; tile++) {
    const int64_t top = tile / now->planned->across * TILE, left = tile % now->planned->across * TILE;
    const int64_t columns = target.width - left < TILE ? target.width - left : TILE;
    for (int64_t y = top; y < top + TILE && y < target.height; y++) {
      float *pixels = view_row(&target, y) + left * target.pixel;
      for (int c = 0; c < target.pixel; c += copies) {
        const int part = c / copies % (fold * fold), given = c / copies / (fold * fold);
        const float *from = engine->given[operation->source[0]] + given * plane + (y * fold + part / fold) * wide +
                            left * fold + part % fold;
        for (int64_t x = 0; x < columns; x++)
          for (int copy = c; copy < c + copies && copy < target.pixel; copy++)
            pixels[x * target.pixel + copy] = copy < channels ? from[x * fold] : 0.0f;
      }
    }
  }
}

/* Channels-last rows become a planar picture. */
static void store_picture(const esrgan_engine *engine, const task *now) {
  const esrgan_operation *operation = now->operation;
  const view source = view_of(engine, operation->source[0], now->repetition);
  for (int64_t tile = now->first; tile < now->first + now->count; tile++) {
    const int64_t top = tile / now->planned->across * TILE, left = tile % now->planned->across * TILE;
    const int64_t columns = source.width - left < TILE ? source.width - left : TILE;
    for (int64_t y = top; y < top + TILE && y < source.height; y++) {
      const float *pixels = view_row(&source, y) + left * source.pixel;
      for (int c = 0; c < operation->channels[0]; c++) {
        float *to = engine->given[operation->target] + (c * source.height + y) * source.width + left;
        for (int64_t x = 0; x < columns; x++)
          to[x] = pixels[x * source.pixel + c];
      }
    }
  }
}

static void compute(worker *self, float *scratch) {
  esrgan_engine *engine = self->engine;
  while (!atomic_load_explicit(&engine->stopping, memory_order_relaxed)) {
    const int64_t number = atomic_fetch_add_explicit(&engine->next, 1, memory_order_relaxed);
    if (number >= engine->plan.tasks)
      break;
    /* what the task before wrote is seen by those who see this */
    atomic_store_explicit(&self->task, number, memory_order_release);
    const task now = plan_task(&engine->plan, &engine->program, number);
    if (now.count == 0)
      continue;
    if (!wait_for(engine, now.after))
      break;
    if (now.operation->kind == ESRGAN_LOAD)
      load_picture(engine, &now);
    else if (now.operation->kind == ESRGAN_STORE)
      store_picture(engine, &now);
    else
      convolve(engine, &now, scratch);
  }
  atomic_store_explicit(&self->task, INT64_MAX, memory_order_release);
}

static void *work(void *given) {
  worker *self = given;
  esrgan_engine *engine = self->engine;
  const int64_t number = self - engine->worker;
  int run = 0;
  pthread_mutex_lock(&engine->mutex);
  for (;;) {
    while (engine->run == run && !engine->closing)
      pthread_cond_wait(&engine->wake, &engine->mutex);
    if (engine->closing)
      break;
    run = engine->run;
    pthread_mutex_unlock(&engine->mutex);
    compute(self, engine->memory + engine->plan.scratch + number * engine->plan.thread_scratch);
    pthread_mutex_lock(&engine->mutex);
    if (--engine->computing == 0)
      pthread_cond_broadcast(&engine->ended);
  }
  pthread_mutex_unlock(&engine->mutex);
  return NULL;
}

static void *copied(const void *from, size_t bytes) {
  void *to = malloc(bytes + 1);
  return to == NULL || bytes == 0 ? to : memcpy(to, from, bytes);
}

esrgan_engine *esrgan_open(const esrgan_program *program, int32_t level_number, int32_t threads, int32_t tiles) {
  const level *found = esrgan_find_level(level_number);
  void *memory = NULL;
  if (found == NULL || threads < 1 || posix_memalign(&memory, LINE, sizeof(esrgan_engine)) != 0)
    return NULL;
  esrgan_engine *engine = memset(memory, 0, sizeof *engine);
  engine->level = found;
  engine->tiles = tiles > 0 ? tiles : TILES;
  pthread_mutex_init(&engine->mutex, NULL);
  pthread_cond_init(&engine->wake, NULL);
  pthread_cond_init(&engine->ended, NULL);
  engine->program = *program;
  engine->program.map = copied(program->map, (size_t)program->maps * sizeof *program->map);
  engine->program.phase = copied(program->phase, (size_t)program->phases * sizeof *program->phase);
  engine->program.operation = copied(program->operation, (size_t)program->operations * sizeof *program->operation);
  engine->given = calloc((size_t)program->maps, sizeof *engine->given);
  int short_of = posix_memalign(&memory, LINE, (size_t)threads * sizeof(worker)) != 0;
  if (!short_of)
    engine->worker = memset(memory, 0, (size_t)threads * sizeof(worker));
  short_of |= engine->program.map == NULL || engine->program.phase == NULL || engine->program.operation == NULL || engine->given == NULL;
  for (int t = 0; t < threads && !short_of; t++) {
    engine->worker[t].engine = engine;
    short_of = pthread_create(&engine->worker[t].thread, NULL, work, &engine->worker[t]) != 0;
    engine->threads += !short_of;
  }
  if (short_of) {
    esrgan_close(engine);
    return NULL;
  }
  return engine;
}

void esrgan_close(esrgan_engine *engine) {
  esrgan_stop(engine);
  pthread_mutex_lock(&engine->mutex);
  engine->closing = 1;
  pthread_cond_broadcast(&engine->wake);
  pthread_mutex_unlock(&engine->mutex);
  for (int t = 0; t < engine->threads; t++)
    pthread_join(engine->worker[t].thread, NULL);
  plan_free(&engine->plan, &engine->program);
  pthread_cond_destroy(&engine->wake);
  pthread_cond_destroy(&engine->ended);
  pthread_mutex_destroy(&engine->mutex);
  free((void *)engine->program.map);
  free((void *)engine->program.phase);
  free((void *)engine->program.operation);
  free(engine->given);
  free(engine->worker);
  free(engine);
}

int64_t esrgan_bytes(const esrgan_engine *engine, int64_t height, int64_t width) {
  plan made;
  const int failed = plan_make(&made, &engine->program, height, width, engine->threads, engine->tiles);
  const int64_t floats = made.floats;
  plan_free(&made, &engine->program);
  return failed ? -1 : floats * (int64_t)sizeof(float);
}

int64_t esrgan_plan(esrgan_engine *engine, int64_t height, int64_t width) {
  plan_free(&engine->plan, &engine->program);
  if (plan_make(&engine->plan, &engine->program, height, width, engine->threads, engine->tiles) != 0)
    return -1;
  return engine->plan.floats * (int64_t)sizeof(float);
}

void esrgan_start(esrgan_engine *engine, void *memory, float *const *given) {
  engine->memory = memory;
  memcpy(engine->given, given, (size_t)engine->program.maps * sizeof *given);
  atomic_store(&engine->next, 0);
  atomic_store(&engine->stopping, 0);
  for (int t = 0; t < engine->threads; t++)
    atomic_store(&engine->worker[t].task, 0);
  pthread_mutex_lock(&engine->mutex);
  engine->run++;
  engine->computing = engine->threads;
  pthread_cond_broadcast(&engine->wake);
  pthread_mutex_unlock(&engine->mutex);
}

int32_t esrgan_wait(esrgan_engine *engine, int32_t milliseconds, double *share) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += milliseconds / 1000;
  until.tv_nsec += milliseconds % 1000 * 1000000L;
  if (until.tv_nsec >= 1000000000L) {
    until.tv_sec++;
    until.tv_nsec -= 1000000000L;
  }
  pthread_mutex_lock(&engine->mutex);
  while (engine->computing > 0 && pthread_cond_timedwait(&engine->ended, &engine->mutex, &until) == 0)
    ;
  const int ended = engine->computing == 0;
  pthread_mutex_unlock(&engine->mutex);
  const int64_t tasks = engine->plan.tasks, next = atomic_load(&engine->next);
  *share = next < tasks ? (double)next / (double)tasks : 1.0;
  return ended;
}

void esrgan_stop(esrgan_engine *engine) { atomic_store(&engine->stopping, 1); }
