#include "plan.h"

#include <stdlib.h>
#include <string.h>

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t parts(int64_t whole, int64_t part) { return (whole + part - 1) / part; }
static int64_t aligned(int64_t floats) { return parts(floats, STEP) * STEP; }

/* The last group of `producer` that the group of `reader` sees, with a pixel around its tiles. */
static int64_t needed(const operation_plan *reader, int64_t group, const operation_plan *producer, int64_t enlarge,
                      int64_t tiles) {
  const int64_t last = least((group + 1) * tiles, reader->tiles) - 1;
  const int64_t y = last / reader->across, x = last % reader->across;
  const int64_t side = TILE * enlarge; /* what a tile of the producer makes */
  const int64_t lower = reader->shift - producer->shift;
  const int64_t below = most(least((y + 1) * TILE, reader->height - 1) - lower, 0) / side;
  const int64_t beside = least((x + 1) * TILE, reader->width - 1) / side;
  int64_t tile = below * producer->across + beside;
  if (y > 0) /* the end of the row of tiles before, which sees into this one */
    tile = most(tile, most(least(y * TILE, reader->height - 1) - lower, 0) / side * producer->across +
                          producer->across - 1);
  return tile / tiles;
}

static int64_t enlargement(const esrgan_operation *operation) {
  return operation->kind == ESRGAN_CONVOLVE ? operation->enlarge : 1;
}

static int64_t operation_scale(const esrgan_program *program, const esrgan_operation *operation) {
  return program->map[operation->kind == ESRGAN_LOAD ? operation->target : operation->source[0]].scale;
}

/* How much lower than the picture its tiles lie: a convolution's by a row more than what it reads. */
static int64_t find_shift(const phase_plan *phase, const esrgan_operation *operation) {
  int64_t shift = 0;
  for (int w = 0; w < 2; w++)
    if (operation->waits[w] >= 0)
      shift = most(shift, phase->operation[operation->waits[w]].shift + (operation->kind == ESRGAN_CONVOLVE));
  return shift;
}

static void plan_operation(operation_plan *planned, const plan *whole, int64_t scale, int64_t a_step) {
  planned->height = whole->height * scale + planned->shift;
  planned->width = whole->width * scale;
  planned->across = parts(planned->width, TILE);
  planned->tiles = planned->across * parts(planned->height, TILE);
  planned->groups = parts(planned->tiles, whole->group);
  planned->a_step = a_step * scale * scale;
}

/* Groups after which the rest is as far ahead and behind as they are, by rows: all maps have as many tiles in a row
 * then. A picture has millions of groups, which need not all be looked at. */
static int64_t different_groups(const plan *whole, const operation_plan *planned) {
  return whole->band ? least(planned->groups, planned->across * (planned->a_step + 1)) : planned->groups;
}

/* As far behind those that it waits for as their order within a step needs. */
static void find_lag(const plan *whole, const phase_plan *phase, const esrgan_operation *operations, int number) {
  operation_plan *planned = &phase->operation[number];
  const int64_t tiles = whole->group, groups = different_groups(whole, planned);
  for (int w = 0; w < 2; w++) {
    const int producer = operations[number].waits[w];
    if (producer < 0 || producer >= number)
      continue;
    const operation_plan *made = &phase->operation[producer];
    for (int64_t group = 0; group < groups; group++) {
      const int64_t seen = needed(planned, group, made, enlargement(&operations[producer]), tiles);
      const int64_t step = (seen + made->lag) / made->a_step;
      planned->lag = most(planned->lag, step * planned->a_step - group);
    }
  }
}

/* Groups from one repetition to the next, so that each operation finds what it waits for. */
static int64_t find_period(const phase_plan *phase, const esrgan_operation *operations, int length, int64_t tiles) {
  const int64_t a_step = phase->operation[0].a_step;
  int64_t period = parts(phase->operation[0].groups, a_step);
  for (int number = 0; number < length; number++) {
    const operation_plan *planned = &phase->operation[number];
    for (int w = 0; w < 2; w++) {
      const int producer = operations[number].waits[w];
      if (producer < number)
        continue;
      const operation_plan *made = &phase->operation[producer];
      for (int64_t group = 0; group < planned->groups; group++) {
        const int64_t seen = needed(planned, group, made, enlargement(&operations[producer]), tiles);
        /* it comes later in a step, so it must have computed in the step before */
        period = most(period, (seen + made->lag) / a_step + 1 - (group + planned->lag) / a_step);
      }
    }
  }
  return period * a_step;
}

static int plan_phase(plan *whole, const esrgan_program *program, int index, int threads) {
  const esrgan_phase *given = &program->phase[index];
  const esrgan_operation *operations = program->operation + given->first;
  phase_plan *phase = &whole->phase[index];
  phase->operation = calloc((size_t)given->length, sizeof *phase->operation);
  if (phase->operation == NULL)
    return -1;
  /* two groups a thread in a step, that nobody waits for another, of the operation with the largest map */
  int64_t largest = 1, steps = 0;
  for (int number = 0; number < given->length; number++)
    largest = most(largest, operation_scale(program, &operations[number]));
  int64_t a_step = parts(2 * threads, largest * largest);
  if (whole->band) /* more where the picture is wide: all weights of the network are read again with every step */
    a_step = most(a_step, least(8 * threads, parts(whole->width, TILE) / (3 * whole->group)));
  for (int number = 0; number < given->length; number++) {
    operation_plan *planned = &phase->operation[number];
    planned->shift = whole->band ? find_shift(phase, &operations[number]) : 0;
    plan_operation(planned, whole, operation_scale(program, &operations[number]), a_step);
    planned->before = phase->step_tasks;
    phase->step_tasks += planned->a_step;
    find_lag(whole, phase, operations, number);
  }
  phase->period = given->repeats == 1 ? INT64_MAX : find_period(phase, operations, given->length, whole->group);
  for (int number = 0; number < given->length; number++) {
    const operation_plan *planned = &phase->operation[number];
    const int64_t before = given->repeats == 1 ? 0 : (given->repeats - 1) * phase->period;
    steps = most(steps, parts(before + planned->groups + planned->lag, planned->a_step));
  }
  phase->first_task = whole->tasks;
  phase->tasks = steps * phase->step_tasks;
  whole->tasks += phase->tasks;
  return 0;
}

static int reads(const esrgan_operation *operation, int map) {
  for (int s = 0; operation->kind != ESRGAN_LOAD && s < operation->sources; s++)
    if (operation->source[s] == map)
      return 1;
  return operation->residual[0] == map || operation->residual[1] == map;
}

/* Rows that a ring must keep for one reader. A task waits for all steps but the one before its own: so what is
 * written in a step must leave alone what is read from the step before on. */
static int64_t ring_rows(const plan *whole, const operation_plan *writer, int64_t enlarge, const operation_plan *reader,
                         int repeated) {
  const int64_t tiles = whole->group, groups = different_groups(whole, reader), side = TILE * enlarge;
  int64_t rows = 1;
  for (int64_t group = 0; group < groups; group++) {
    const int64_t step = (group + reader->lag) / reader->a_step;
    const int64_t first = group * tiles, last = least(first + tiles, reader->tiles) - 1;
    const int64_t oldest = first / reader->across * TILE - 1 - (reader->shift - writer->shift);
    int64_t written = (step + 2) * writer->a_step - 1 - writer->lag; /* rows go on in the next repetition */
    if (!repeated)
      written = least(written, writer->groups - 1);
    const int64_t newest_tile = (written + 1) * tiles - 1;
    int64_t newest = (newest_tile / writer->across + 1) * side - 1;
    if (last / reader->across > first / reader->across) /* what is read further down, from the left border on */
      rows = most(rows, newest - oldest - TILE + 1);
    /* that row of tiles has not come to the columns that are read further up */
    if ((newest_tile % writer->across + 1) * side < first % reader->across * TILE)
      newest -= side;
    rows = most(rows, newest - oldest + 1);
  }
  return rows;
}

/* By rows: those of the picture between the operation that reads it first and the one that reads it last. */
static int64_t picture_rows(const plan *whole, const esrgan_program *program, int map) {
  const phase_plan *phase = &whole->phase[0];
  const operation_plan *first = NULL;
  int64_t rows = 0;
  for (int n = 0; n < program->phase[0].length; n++) {
    const esrgan_operation *operation = &program->operation[program->phase[0].first + n];
    if (operation->kind != ESRGAN_LOAD || operation->source[0] != map)
      continue;
    if (first == NULL)
      first = &phase->operation[n];
    rows = most(rows, ring_rows(whole, first, 1, &phase->operation[n], 0));
  }
  return rows;
}

static void plan_map(plan *whole, const esrgan_program *program, int number) {
  const esrgan_map *map = &program->map[number];
  map_plan *planned = &whole->map[number];
  const int64_t height = whole->height * map->scale, width = whole->width * map->scale;
  planned->rows = height;
  planned->row = width * map->channels;
  if (map->kind == ESRGAN_GIVEN) {
    if (whole->band) {
      /* a group of tiles begins before the rows above are complete, and its first may lie above the picture */
      const int64_t group = (whole->group / parts(width, TILE) + 2) * TILE;
      planned->rows = least(height + TILE, picture_rows(whole, program, number) + whole->band + group);
    }
    return;
  }
  planned->row += STEP; /* rows a power of two apart would share few sets of a cache */
  for (int p = 0; p < program->phases && map->kind == ESRGAN_RING; p++) {
    const esrgan_phase *phase = &program->phase[p];
    const esrgan_operation *operations = program->operation + phase->first;
    const operation_plan *writer = NULL;
    int64_t rows = 1, enlarge = 1;
    for (int n = 0; n < phase->length; n++) {
      if (operations[n].kind != ESRGAN_STORE && operations[n].target == number) {
        writer = &whole->phase[p].operation[n];
        enlarge = enlargement(&operations[n]);
      } else if (writer != NULL && reads(&operations[n], number))
        rows = most(rows, ring_rows(whole, writer, enlarge, &whole->phase[p].operation[n], phase->repeats > 1));
    }
    if (writer == NULL)
      continue;
    planned->shift = writer->shift;
    /* by rows, those above the picture count too: they are read as zeros */
    planned->rows = phase->repeats > 1 || whole->band ? rows : least(rows, height);
  }
  planned->at = whole->floats;
  whole->floats += aligned(planned->rows * planned->row);
}

/* The most channels, padded, that one product of the operation sums over. */
static int64_t widest(const esrgan_operation *operation) {
  int64_t channels = 0, found = 0;
  for (int s = 0; s < operation->sources; s++) {
    channels = (s > 0 && operation->begins >> s & 1 ? 0 : channels) + aligned(operation->channels[s]);
    found = most(found, channels);
  }
  return found;
}

static void plan_scratch(plan *whole, const esrgan_program *program, int threads) {
  int64_t domain = 0, products = 0, patch = 0;
  for (int n = 0; n < program->operations; n++) {
    const esrgan_operation *operation = &program->operation[n];
    if (operation->kind == ESRGAN_POINTWISE) /* one row of pixels of a row of tiles at a time */
      products = most(products, whole->group * TILE * operation->outputs);
    if (operation->kind != ESRGAN_CONVOLVE)
      continue;
    domain = most(domain, FREQUENCIES * (whole->group * widest(operation) + STEP));
    products = most(products, FREQUENCIES * (whole->group * operation->outputs + STEP));
    patch = most(patch, PATCH * PATCH * widest(operation));
  }
  whole->scratch = whole->floats;
  whole->scratch_domain = products;
  whole->scratch_patch = products + domain;
  whole->thread_scratch = products + domain + patch;
  whole->floats += threads * whole->thread_scratch;
}

static int make(plan *whole, const esrgan_program *program, int64_t height, int64_t width, int threads, int tiles,
                int64_t band) {
  memset(whole, 0, sizeof *whole);
  whole->height = height;
  whole->width = width;
  whole->band = band;
  const int64_t all = parts(height, TILE) * parts(width, TILE);
  int64_t groups = parts(all, tiles);
  if (groups < 8 * threads) /* as many for each thread, but not less than a fraction of a group */
    groups = parts(groups, threads) * threads;
  whole->group = parts(all, groups);
  whole->phase = calloc((size_t)program->phases, sizeof *whole->phase);
  whole->map = calloc((size_t)program->maps, sizeof *whole->map);
  if (whole->phase == NULL || whole->map == NULL)
    return -1;
  for (int p = 0; p < program->phases; p++)
    if (plan_phase(whole, program, p, threads) != 0)
      return -1;
  for (int m = 0; m < program->maps; m++)
    plan_map(whole, program, m);
  plan_scratch(whole, program, threads);
  return 0;
}

int plan_make(plan *whole, const esrgan_program *program, int64_t height, int64_t width, int threads, int tiles) {
  return make(whole, program, height, width, threads, tiles, 0);
}

int plan_make_rows(plan *whole, const esrgan_program *program, int64_t height, int64_t width, int threads, int tiles,
                   int64_t band) {
  memset(whole, 0, sizeof *whole);
  if (program->phases != 1 || program->phase[0].repeats != 1 || band < 1)
    return -1;
  for (int m = 0; m < program->maps; m++)
    if (program->map[m].scale != 1 || program->map[m].kind == ESRGAN_PLANE)
      return -1;
  for (int n = 0; n < program->operations; n++)
    if (program->operation[n].kind == ESRGAN_STORE ||
        (program->operation[n].kind == ESRGAN_CONVOLVE && program->operation[n].enlarge != 1))
      return -1;
  return make(whole, program, height, width, threads, tiles, band);
}

void plan_free(plan *whole, const esrgan_program *program) {
  for (int p = 0; whole->phase != NULL && p < program->phases; p++)
    free(whole->phase[p].operation);
  free(whole->phase);
  free(whole->map);
  memset(whole, 0, sizeof *whole);
}

static int64_t task_number(const phase_plan *phase, int number, int64_t kept) {
  const operation_plan *planned = &phase->operation[number];
  const int64_t behind = kept + planned->lag;
  return phase->first_task + behind / planned->a_step * phase->step_tasks + planned->before + behind % planned->a_step;
}

/* Complete rows of tiles of an operation, in rows of the picture, when all tasks below `below` have ended. */
static int64_t rows_below(const plan *whole, int number, int64_t below) {
  const phase_plan *phase = &whole->phase[0];
  const operation_plan *planned = &phase->operation[number];
  const int64_t in_step = most(below % phase->step_tasks - planned->before, 0);
  const int64_t groups =
      below / phase->step_tasks * planned->a_step + least(in_step, planned->a_step) - planned->lag;
  if (groups >= planned->groups)
    return whole->height;
  return most(most(groups, 0) * whole->group / planned->across * TILE - planned->shift, 0);
}

int64_t plan_below(const plan *whole, const esrgan_program *program, int64_t given, int64_t room, int64_t *done,
                   int64_t *kept) {
  const esrgan_operation *operations = program->operation + program->phase[0].first;
  const int length = program->phase[0].length;
  int64_t below = whole->tasks;
  for (int n = 0; n < length; n++) {
    const operation_plan *planned = &whole->phase[0].operation[n];
    const int loads = operations[n].kind == ESRGAN_LOAD;
    if (!loads && program->map[operations[n].target].kind != ESRGAN_GIVEN)
      continue;
    const int64_t row = loads ? given : room;
    if (row < whole->height) /* the first group with a tile that has this row */
      below = least(below, task_number(&whole->phase[0], n,
                                       (row + planned->shift) / TILE * planned->across / whole->group));
  }
  *done = *kept = whole->height;
  for (int n = 0; n < length; n++) {
    if (operations[n].kind == ESRGAN_LOAD)
      *kept = least(*kept, rows_below(whole, n, below));
    else if (program->map[operations[n].target].kind == ESRGAN_GIVEN)
      *done = least(*done, rows_below(whole, n, below));
  }
  return below;
}

task plan_task(const plan *whole, const esrgan_program *program, int64_t number) {
  task found = {0};
  int p = 0;
  while (number >= whole->phase[p].first_task + whole->phase[p].tasks)
    p++;
  const phase_plan *phase = &whole->phase[p];
  const esrgan_phase *given = &program->phase[p];
  const int64_t step = (number - phase->first_task) / phase->step_tasks;
  const int64_t within = (number - phase->first_task) % phase->step_tasks;
  int n = given->length - 1;
  while (phase->operation[n].before > within)
    n--;
  const operation_plan *planned = &phase->operation[n];
  const int64_t kept = step * planned->a_step + within - planned->before - planned->lag;
  if (kept < 0)
    return found;
  found.repetition = kept / phase->period;
  found.group = kept % phase->period;
  if (found.repetition >= given->repeats || found.group >= planned->groups)
    return found;
  const esrgan_operation *operations = program->operation + given->first;
  found.operation = &operations[found.repetition * given->length + n];
  found.planned = planned;
  found.first = found.group * whole->group;
  found.count = least(whole->group, planned->tiles - found.first);
  const int64_t above = planned->shift / TILE * planned->across - found.first; /* tiles wholly above the picture */
  if (above > 0) {
    found.first += above;
    found.count = most(found.count - above, 0);
  }
  found.after = phase->first_task + most(step - 1, 0) * phase->step_tasks;
  for (int w = 0; w < 2; w++) {
    const int producer = operations[n].waits[w];
    const int64_t repetition = producer < n ? found.repetition : found.repetition - 1;
    if (producer < 0 || repetition < 0)
      continue;
    const int64_t seen = needed(planned, found.group, &phase->operation[producer],
                                enlargement(&operations[producer]), whole->group);
    const int64_t before = given->repeats == 1 ? 0 : repetition * phase->period;
    found.after = most(found.after, task_number(phase, producer, before + seen) + 1);
  }
  return found;
}
