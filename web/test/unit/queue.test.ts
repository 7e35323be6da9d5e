import { describe, expect, test } from "vitest";
import { inTurn } from "../../src/threads/queue.js";

describe("queue", () => {
  test("work is done in turn, after a failure too", async () => {
    const done: number[] = [];
    const first = inTurn(async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      done.push(1);
      throw new Error("first");
    });
    const second = inTurn(() => Promise.resolve(done.push(2)));
    await expect(first).rejects.toThrow("first");
    await second;
    expect(done).toEqual([1, 2]);
  });
  test("who waits can leave at once", async () => {
    let release: () => void = () => undefined;
    const first = inTurn(() => new Promise<void>((resolve) => (release = resolve)));
    const abort = new AbortController();
    const second = inTurn(() => Promise.resolve("ran"), abort.signal);
    abort.abort(new Error("left"));
    await expect(second).rejects.toThrow("left");
    release();
    await first;
  });
});
