import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // TF.js has one current backend for a whole process: files run in processes of their own, one after the other
    pool: "forks",
    fileParallelism: false,
    projects: [
      { test: { name: "unit", include: ["test/unit/*.test.ts"], testTimeout: 60_000, hookTimeout: 60_000 } },
      {
        test: {
          name: "browser",
          include: ["test/browser/*.test.ts"],
          testTimeout: 40_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "projects",
          include: ["test/projects/*.test.ts"],
          execArgv: ["--experimental-websocket"], // of Node 20, for Firefox
          // a tool is installed and builds
          testTimeout: 300_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
