/* Carries out one task of a plan. It knows nothing of threads. */
#ifndef ESRGAN_OPERATIONS_H
#define ESRGAN_OPERATIONS_H

#include "plan.h"

typedef struct {
  esrgan_program program;
  const level *level;
  plan plan;
  float *memory; /* as much as the plan says */
  float **given; /* a pointer for each map */
} computation;

/* `scratch`: of the thread, `plan.thread_scratch` floats. */
void carry_out(const computation *, const task *, float *scratch);
/* By rows, before the first task: the rows above the picture that the first tiles see, in work memory. */
void clear_above_picture(const computation *, float *memory);

#endif
