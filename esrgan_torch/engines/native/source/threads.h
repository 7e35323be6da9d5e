/* Threads, a lock, a bell that those who hold it wait for, aligned memory: of POSIX or of Windows. */
#ifndef ESRGAN_THREADS_H
#define ESRGAN_THREADS_H

#include <stdint.h>
#include <stdlib.h>

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#include <malloc.h>
#include <windows.h>

typedef SRWLOCK lock;
typedef CONDITION_VARIABLE bell;
typedef HANDLE thread;
#define THREAD_FUNCTION(name, given) static DWORD WINAPI name(LPVOID given)
#define THREAD_END 0

static inline void lock_make(lock *made) { InitializeSRWLock(made); }
static inline void lock_end(lock *made) { (void)made; }
static inline void lock_take(lock *made) { AcquireSRWLockExclusive(made); }
static inline void lock_give(lock *made) { ReleaseSRWLockExclusive(made); }
static inline void bell_make(bell *made) { InitializeConditionVariable(made); }
static inline void bell_end(bell *made) { (void)made; }
static inline void bell_ring(bell *made) { WakeAllConditionVariable(made); }
static inline void bell_wait(bell *made, lock *held) { SleepConditionVariableSRW(made, held, INFINITE, 0); }

/* milliseconds from some moment on */
static inline int64_t clock_now(void) { return (int64_t)GetTickCount64(); }
/* 0 when it is later than `until` */
static inline int bell_wait_until(bell *made, lock *held, int64_t until) {
  const int64_t left = until - clock_now();
  return left > 0 && SleepConditionVariableSRW(made, held, (DWORD)left, 0);
}

static inline int thread_start(thread *made, LPTHREAD_START_ROUTINE function, void *given) {
  *made = CreateThread(NULL, 0, function, given, 0, NULL);
  return *made != NULL;
}
static inline void thread_join(thread made) {
  WaitForSingleObject(made, INFINITE);
  CloseHandle(made);
}
static inline void thread_yield(void) { SwitchToThread(); }
static inline void thread_nap(void) { Sleep(1); }

static inline void *aligned_memory(size_t alignment, size_t bytes) { return _aligned_malloc(bytes, alignment); }
static inline void aligned_free(void *memory) { _aligned_free(memory); }

#else
#include <pthread.h>
#include <sched.h>
#include <time.h>

typedef pthread_mutex_t lock;
typedef pthread_cond_t bell;
typedef pthread_t thread;
#define THREAD_FUNCTION(name, given) static void *name(void *given)
#define THREAD_END NULL

static inline void lock_make(lock *made) { pthread_mutex_init(made, NULL); }
static inline void lock_end(lock *made) { pthread_mutex_destroy(made); }
static inline void lock_take(lock *made) { pthread_mutex_lock(made); }
static inline void lock_give(lock *made) { pthread_mutex_unlock(made); }
static inline void bell_make(bell *made) { pthread_cond_init(made, NULL); }
static inline void bell_end(bell *made) { pthread_cond_destroy(made); }
static inline void bell_ring(bell *made) { pthread_cond_broadcast(made); }
static inline void bell_wait(bell *made, lock *held) { pthread_cond_wait(made, held); }

/* milliseconds from some moment on */
static inline int64_t clock_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now); /* the clock of pthread_cond_timedwait */
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
/* 0 when it is later than `until` */
static inline int bell_wait_until(bell *made, lock *held, int64_t until) {
  const struct timespec time = {.tv_sec = (time_t)(until / 1000), .tv_nsec = (long)(until % 1000) * 1000000};
  return pthread_cond_timedwait(made, held, &time) == 0;
}

static inline int thread_start(thread *made, void *(*function)(void *), void *given) {
  return pthread_create(made, NULL, function, given) == 0;
}
static inline void thread_join(thread made) { pthread_join(made, NULL); }
static inline void thread_yield(void) { sched_yield(); }
static inline void thread_nap(void) { nanosleep(&(struct timespec){0, 50000}, NULL); }

static inline void *aligned_memory(size_t alignment, size_t bytes) {
  void *memory = NULL;
  return posix_memalign(&memory, alignment, bytes) == 0 ? memory : NULL;
}
static inline void aligned_free(void *memory) { free(memory); }
#endif

#endif
