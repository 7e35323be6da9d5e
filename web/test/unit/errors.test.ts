import { expect, test } from "vitest";
import { EsrganError, fromPlain, IntegrityError, toPlain } from "../../src/errors.js";

test("errors keep their class on the way from a worker", () => {
  const error = fromPlain(toPlain(new IntegrityError("damaged")));
  expect(error).toBeInstanceOf(IntegrityError);
  expect(error).toBeInstanceOf(EsrganError);
  expect(error.message).toBe("damaged");
  expect(fromPlain(toPlain(new RangeError("far"))).name).toBe("RangeError");
});
