/* Threads that carry out a plan's tasks in order, each as soon as the tasks that it depends on have ended. */
#include "operations.h"
#include "threads.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define LOOKS 4000   /* at what a task waits for, before the processor is offered to others: some 100 microseconds */
#define TILES 36     /* of a group, unless told otherwise */
#define LINE 64      /* bytes of a cache line */

const level *esrgan_find_level(int32_t number);

typedef struct {
  _Alignas(LINE) _Atomic int64_t task; /* the one that this thread computes; all tasks below everybody's have ended */
  struct esrgan_engine *engine;
  thread thread;
} worker;

struct esrgan_engine {
  computation whole;
  int threads, tiles;
  _Alignas(LINE) _Atomic int64_t next;
  _Alignas(LINE) _Atomic int stopping;
  int64_t below; /* of the tasks that are carried out in this run */
  lock lock; /* of what follows */
  bell wake, ended;
  int run, computing, closing; /* number of the run; threads that have not ended it */
  worker *worker;
};

static void relax(void) {
#if defined(__x86_64__)
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
      thread_yield();
    else
      thread_nap();
  }
  return 1;
}

static void compute(worker *self, float *scratch) {
  esrgan_engine *engine = self->engine;
  while (!atomic_load_explicit(&engine->stopping, memory_order_relaxed)) {
    const int64_t number = atomic_fetch_add_explicit(&engine->next, 1, memory_order_relaxed);
    if (number >= engine->below)
      break;
    /* what the task before wrote is seen by those who see this */
    atomic_store_explicit(&self->task, number, memory_order_release);
    const task now = plan_task(&engine->whole.plan, &engine->whole.program, number);
    if (now.count == 0)
      continue;
    if (!wait_for(engine, now.after))
      break;
    carry_out(&engine->whole, &now, scratch);
  }
  atomic_store_explicit(&self->task, INT64_MAX, memory_order_release);
}

THREAD_FUNCTION(work, given) {
  worker *self = given;
  esrgan_engine *engine = self->engine;
  const int64_t number = self - engine->worker;
  int run = 0;
  lock_take(&engine->lock);
  for (;;) {
    while (engine->run == run && !engine->closing)
      bell_wait(&engine->wake, &engine->lock);
    if (engine->closing)
      break;
    run = engine->run;
    lock_give(&engine->lock);
    compute(self, engine->whole.memory + engine->whole.plan.scratch + number * engine->whole.plan.thread_scratch);
    lock_take(&engine->lock);
    if (--engine->computing == 0)
      bell_ring(&engine->ended);
  }
  lock_give(&engine->lock);
  return THREAD_END;
}

static void *copied(const void *from, size_t bytes) {
  void *to = malloc(bytes + 1);
  return to == NULL || bytes == 0 ? to : memcpy(to, from, bytes);
}

static void *zeroed(size_t bytes) {
  void *memory = aligned_memory(LINE, bytes);
  return memory == NULL ? NULL : memset(memory, 0, bytes);
}

esrgan_engine *esrgan_open(const esrgan_program *program, int32_t level_number, int32_t threads, int32_t tiles) {
  const level *found = esrgan_find_level(level_number);
  esrgan_engine *engine = found == NULL || threads < 1 ? NULL : zeroed(sizeof *engine);
  if (engine == NULL)
    return NULL;
  lock_make(&engine->lock);
  bell_make(&engine->wake);
  bell_make(&engine->ended);
  engine->tiles = tiles > 0 ? tiles : TILES;
  engine->worker = zeroed((size_t)threads * sizeof(worker));
  computation *whole = &engine->whole;
  whole->level = found;
  whole->program = *program;
  whole->program.map = copied(program->map, (size_t)program->maps * sizeof *program->map);
  whole->program.phase = copied(program->phase, (size_t)program->phases * sizeof *program->phase);
  whole->program.operation = copied(program->operation, (size_t)program->operations * sizeof *program->operation);
  whole->given = calloc((size_t)program->maps, sizeof *whole->given);
  int short_of = engine->worker == NULL || whole->program.map == NULL || whole->program.phase == NULL ||
                 whole->program.operation == NULL || whole->given == NULL;
  for (int t = 0; t < threads && !short_of; t++) {
    engine->worker[t].engine = engine;
    short_of = !thread_start(&engine->worker[t].thread, work, &engine->worker[t]);
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
  lock_take(&engine->lock);
  engine->closing = 1;
  bell_ring(&engine->wake);
  lock_give(&engine->lock);
  for (int t = 0; t < engine->threads; t++)
    thread_join(engine->worker[t].thread);
  plan_free(&engine->whole.plan, &engine->whole.program);
  bell_end(&engine->wake);
  bell_end(&engine->ended);
  lock_end(&engine->lock);
  free((void *)engine->whole.program.map);
  free((void *)engine->whole.program.phase);
  free((void *)engine->whole.program.operation);
  free(engine->whole.given);
  aligned_free(engine->worker);
  aligned_free(engine);
}

int64_t esrgan_bytes(const esrgan_engine *engine, int64_t height, int64_t width) {
  plan made;
  const int failed = plan_make(&made, &engine->whole.program, height, width, engine->threads, engine->tiles);
  const int64_t floats = made.floats;
  plan_free(&made, &engine->whole.program);
  return failed ? -1 : floats * (int64_t)sizeof(float);
}

int64_t esrgan_plan(esrgan_engine *engine, int64_t height, int64_t width) {
  plan_free(&engine->whole.plan, &engine->whole.program);
  if (plan_make(&engine->whole.plan, &engine->whole.program, height, width, engine->threads, engine->tiles) != 0)
    return -1;
  return engine->whole.plan.floats * (int64_t)sizeof(float);
}

static void start(esrgan_engine *engine, void *memory, float *const *given, int64_t from, int64_t below) {
  engine->whole.memory = memory;
  memcpy(engine->whole.given, given, (size_t)engine->whole.program.maps * sizeof *given);
  engine->below = below;
  atomic_store(&engine->next, from);
  atomic_store(&engine->stopping, 0);
  for (int t = 0; t < engine->threads; t++)
    atomic_store(&engine->worker[t].task, from);
  lock_take(&engine->lock);
  engine->run++;
  engine->computing = engine->threads;
  bell_ring(&engine->wake);
  lock_give(&engine->lock);
}

void esrgan_start(esrgan_engine *engine, void *memory, float *const *given) {
  start(engine, memory, given, 0, engine->whole.plan.tasks);
}

int64_t esrgan_bytes_rows(const esrgan_engine *engine, int64_t height, int64_t width, int64_t band, int64_t *rows) {
  const esrgan_program *program = &engine->whole.program;
  plan made;
  const int failed = plan_make_rows(&made, program, height, width, engine->threads, engine->tiles, band);
  const int64_t floats = made.floats;
  for (int m = 0; m < program->maps && !failed; m++)
    rows[m] = made.map[m].rows;
  plan_free(&made, program);
  return failed ? -1 : floats * (int64_t)sizeof(float);
}

int64_t esrgan_plan_rows(esrgan_engine *engine, int64_t height, int64_t width, int64_t band) {
  plan *made = &engine->whole.plan;
  plan_free(made, &engine->whole.program);
  engine->below = 0;
  if (plan_make_rows(made, &engine->whole.program, height, width, engine->threads, engine->tiles, band) != 0)
    return -1;
  return made->floats * (int64_t)sizeof(float);
}

void esrgan_start_rows(esrgan_engine *engine, void *memory, float *const *given_maps, int64_t given, int64_t room,
                       int64_t *done, int64_t *kept) {
  const int64_t from = engine->below;
  const int64_t below = plan_below(&engine->whole.plan, &engine->whole.program, given, room, done, kept);
  if (from == 0)
    clear_above_picture(&engine->whole, memory);
  start(engine, memory, given_maps, from, below > from ? below : from);
}

int32_t esrgan_wait(esrgan_engine *engine, int32_t milliseconds, double *share) {
  const int64_t until = clock_now() + milliseconds;
  lock_take(&engine->lock);
  while (engine->computing > 0 && bell_wait_until(&engine->ended, &engine->lock, until))
    ;
  const int ended = engine->computing == 0;
  lock_give(&engine->lock);
  const int64_t tasks = engine->whole.plan.tasks, next = atomic_load(&engine->next);
  *share = next < tasks ? (double)next / (double)tasks : 1.0;
  return ended;
}

void esrgan_stop(esrgan_engine *engine) { atomic_store(&engine->stopping, 1); }
