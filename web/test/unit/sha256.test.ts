import { createHash } from "node:crypto";
import { describe, expect, test, vi } from "vitest";
import { sha256 } from "../../src/models/sha256.js";

describe("sha256", () => {
  test.each([0, 1, 55, 56, 64, 1000])("of %d bytes", async (length) => {
    const data = Uint8Array.from({ length }, (_, i) => (i * 31) & 255);
    const expected = createHash("sha256").update(data).digest("hex");
    expect(await sha256(data)).toBe(expected);
    vi.stubGlobal("crypto", {}); // as in a page that is not served securely
    expect(await sha256(data)).toBe(expected);
    vi.unstubAllGlobals();
  });
});
