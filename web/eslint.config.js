import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

export default defineConfig(
  // test/types is compiled against the installed package
  globalIgnores(["**/dist/", "dist-demo/", "test/types/", "test/projects/*/", "src/models/model.ts"]),
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ["*.js", "bin/*.js", "demo/*.js", "bench/*.js"] },
      },
    },
  },
  {
    rules: {
      // indices that are known to be within an array; noUncheckedIndexedAccess makes each one a statement
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
    },
  },
  { files: ["**/*.js"], extends: [tseslint.configs.disableTypeChecked] },
  // what runs in a page is typed there, and a test may look into what is private
  {
    files: ["test/**"],
    rules: {
      "@typescript-eslint/unbound-method": "off",
      "@typescript-eslint/use-unknown-in-catch-callback-variable": "off",
      "@typescript-eslint/no-unnecessary-condition": "off",
    },
  },
);
