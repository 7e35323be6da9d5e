/** The Python side of this project, for tests with official weights and of `esrgan demo`. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const VENV = fileURLToPath(new URL("../../../.venv/bin/python", import.meta.url));

/** The interpreter: $PYTHON, or that of `make test`. */
export const python = process.env["PYTHON"] ?? VENV;

export const hasPython = existsSync(python);
if (!hasPython) {
  const line = `NO PYTHON AT ${python}: tests with official weights do not run (make test, or PYTHON=/path/to/it)`;
  if (process.env["CI"]) throw new Error(line);
  console.error(`\n${"!".repeat(line.length)}\n${line}\n${"!".repeat(line.length)}\n`);
}
