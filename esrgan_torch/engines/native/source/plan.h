/* When each operation computes which tiles, and what memory that takes. Arithmetic only. */
#ifndef ESRGAN_PLAN_H
#define ESRGAN_PLAN_H

#include "esrgan_native.h"
#include "kernels.h"

/* Tiles are cut into groups, in order of rows. A phase goes in steps; in a step, every operation computes as many
 * groups as make up the same part of the picture, from `lag` groups behind on. Repetitions follow one another without
 * a gap: group `repetition * period + group`. A task is one group of one operation, and numbered in this order. */
typedef struct {
  int64_t height, width; /* of the source */
  int64_t across, tiles, groups;
  int64_t a_step, lag;   /* groups */
  int64_t before;        /* tasks of the step that belong to earlier operations */
} operation_plan;

typedef struct {
  operation_plan *operation;
  int64_t period, step_tasks, first_task, tasks;
} phase_plan;

typedef struct {
  ptrdiff_t row;
  int64_t rows;
  int64_t at; /* floats into the work memory */
} map_plan;

typedef struct {
  int64_t height, width, group; /* the most tiles of a group */
  int64_t tasks;
  phase_plan *phase;
  map_plan *map;
  int64_t scratch, thread_scratch; /* of every thread: floats into the work memory, and of one thread */
  int64_t scratch_domain, scratch_patch; /* into a thread's part */
  int64_t floats;
} plan;

/* One task: nothing where `count` is 0. */
typedef struct {
  const esrgan_operation *operation;
  const operation_plan *planned;
  int64_t repetition, group;
  int64_t first, count;            /* tiles */
  int64_t after;                   /* every task below this number must have ended */
} task;

/* 0, or -1 where memory is short; `plan_free` undoes it in both cases. */
int plan_make(plan *, const esrgan_program *, int64_t height, int64_t width, int threads, int tiles);
void plan_free(plan *, const esrgan_program *);
task plan_task(const plan *, const esrgan_program *, int64_t number);

#endif
