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
  int64_t shift;         /* rows by which its tiles lie lower than the picture: plan_make_rows; `height` has them too */
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
  int64_t shift; /* its first row is the picture's row -shift */
  int64_t at;    /* floats into the work memory */
} map_plan;

typedef struct {
  int64_t height, width, group; /* the most tiles of a group */
  int64_t band;                 /* by rows: the caller gives and takes so many at once; else 0 */
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
/* The same for a picture that goes through by rows: given maps are rings too, whose rows the plan says, so that nothing
 * is as high as the picture. Every convolution's tiles lie a row lower than those of what it reads: then it needs of
 * them no tile of the row below, and rings have a third of the rows. -1 too where the program has more than one phase,
 * a repetition, a plane, or another scale than 1. */
int plan_make_rows(plan *, const esrgan_program *, int64_t height, int64_t width, int threads, int tiles, int64_t band);
void plan_free(plan *, const esrgan_program *);
/* By rows: every task below the result may be carried out while rows of the picture below `given` are there, and room
 * for rows of the result below `room`. Then the result's rows below `done` are ready, and of the picture those from
 * `kept` on will still be read. */
int64_t plan_below(const plan *, const esrgan_program *, int64_t given, int64_t room, int64_t *done, int64_t *kept);
task plan_task(const plan *, const esrgan_program *, int64_t number);

#endif
