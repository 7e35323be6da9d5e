/* Threads that carry out a plan's tasks in order, each as soon as the tasks that it depends on have ended. */
#include "operations.h"

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
  computation whole;
  int threads, tiles;
  _Alignas(LINE) _Atomic int64_t next;
  _Alignas(LINE) _Atomic int stopping;
  pthread_mutex_t mutex; /* of what follows */
  pthread_cond_t wake, ended;
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
      sched_yield();
    else
      nanosleep(&(struct timespec){0, 50000}, NULL);
  }
  return 1;
}

static void compute(worker *self, float *scratch) {
  esrgan_engine *engine = self->engine;
  while (!atomic_load_explicit(&engine->stopping, memory_order_relaxed)) {
    const int64_t number = atomic_fetch_add_explicit(&engine->next, 1, memory_order_relaxed);
    if (number >= engine->whole.plan.tasks)
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
    compute(self, engine->whole.memory + engine->whole.plan.scratch + number * engine->whole.plan.thread_scratch);
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
  engine->whole.level = found;
  engine->tiles = tiles > 0 ? tiles : TILES;
  pthread_mutex_init(&engine->mutex, NULL);
  pthread_cond_init(&engine->wake, NULL);
  pthread_cond_init(&engine->ended, NULL);
  engine->whole.program = *program;
  engine->whole.program.map = copied(program->map, (size_t)program->maps * sizeof *program->map);
  engine->whole.program.phase = copied(program->phase, (size_t)program->phases * sizeof *program->phase);
  engine->whole.program.operation = copied(program->operation, (size_t)program->operations * sizeof *program->operation);
  engine->whole.given = calloc((size_t)program->maps, sizeof *engine->whole.given);
  int short_of = posix_memalign(&memory, LINE, (size_t)threads * sizeof(worker)) != 0;
  if (!short_of)
    engine->worker = memset(memory, 0, (size_t)threads * sizeof(worker));
  short_of |= engine->whole.program.map == NULL || engine->whole.program.phase == NULL || engine->whole.program.operation == NULL || engine->whole.given == NULL;
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
  plan_free(&engine->whole.plan, &engine->whole.program);
  pthread_cond_destroy(&engine->wake);
  pthread_cond_destroy(&engine->ended);
  pthread_mutex_destroy(&engine->mutex);
  free((void *)engine->whole.program.map);
  free((void *)engine->whole.program.phase);
  free((void *)engine->whole.program.operation);
  free(engine->whole.given);
  free(engine->worker);
  free(engine);
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

void esrgan_start(esrgan_engine *engine, void *memory, float *const *given) {
  engine->whole.memory = memory;
  memcpy(engine->whole.given, given, (size_t)engine->whole.program.maps * sizeof *given);
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
  const int64_t tasks = engine->whole.plan.tasks, next = atomic_load(&engine->next);
  *share = next < tasks ? (double)next / (double)tasks : 1.0;
  return ended;
}

void esrgan_stop(esrgan_engine *engine) { atomic_store(&engine->stopping, 1); }
