/** A time limit for starts that may never end: because of a policy, a blocked file, a driver. */
import { BackendError } from "../errors.js";
import { blocked, violations } from "./policy.js";

const LIMIT = 60_000; // ms: a WebGPU device may compile shaders for half a minute
const AFTER_VIOLATION = 10_000; // ms, once a policy has forbidden something meanwhile: another way may still be found
const LOOK = 100; // ms between two looks

/**
 * @param late what becomes of a result that nobody waits for any more
 * @param afterViolation ms of patience once a policy has forbidden something meanwhile
 * @throws BackendError it takes too long; the message says what is in the way, where that is known
 */
export function inTime<T>(
  work: Promise<T>,
  late: (result: T) => void = () => undefined,
  afterViolation = AFTER_VIOLATION,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const started = performance.now();
    const before = violations();
    let forbidden: number | undefined;
    let over = false;
    const timer = setInterval(() => {
      const now = performance.now();
      if (violations() > before) forbidden ??= now;
      const waited = now - started;
      if (waited < LIMIT && (forbidden === undefined || now - forbidden < afterViolation)) return;
      over = true;
      clearInterval(timer);
      reject(new BackendError(`it did not start within ${Math.round(waited / 1000)} s${blocked()}`));
    }, LOOK);
    work
      .then((result) => {
        if (over) late(result);
        else resolve(result);
      })
      .catch(reject)
      .finally(() => {
        clearInterval(timer);
      });
  });
}
