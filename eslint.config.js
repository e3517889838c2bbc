import pulumi from "@pulumi/eslint-plugin";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

// Rules that find bugs; prettier sees to the format and tsc to what is unused.
export default defineConfig(globalIgnores([".lab/", "client/"]), {
  files: ["**/*.ts"],
  extends: [tseslint.configs.recommendedTypeChecked],
  languageOptions: { parserOptions: { projectService: true } },
  linterOptions: { reportUnusedDisableDirectives: "error" },
  plugins: { "@pulumi": pulumi },
  rules: {
    "array-callback-return": "error",
    eqeqeq: "error",
    "no-constant-binary-expression": "error",
    "no-self-compare": "error",
    "no-unreachable-loop": "error",
    "@pulumi/no-output-in-template-literal": "error",
    "@pulumi/no-output-instance-in-template-literal": "error",
    "@typescript-eslint/no-deprecated": "error",
    "@typescript-eslint/prefer-promise-reject-errors": ["error", { allowThrowingUnknown: true }],
    "@typescript-eslint/return-await": ["error", "error-handling-correctness-only"],
    "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
    // A method of an interface may be asynchronous for another that implements it.
    "@typescript-eslint/require-await": "off",
    // Methods are taken off an object to be wrapped, and called with it.
    "@typescript-eslint/unbound-method": "off",
    // What comes from the SDKs, from JSON and from OpenStack is `any`, and checked where it matters.
    "@typescript-eslint/no-explicit-any": "off",
    "@typescript-eslint/no-unsafe-argument": "off",
    "@typescript-eslint/no-unsafe-assignment": "off",
    "@typescript-eslint/no-unsafe-call": "off",
    "@typescript-eslint/no-unsafe-member-access": "off",
    "@typescript-eslint/no-unsafe-return": "off",
    "@typescript-eslint/no-empty-object-type": "off",
    "@typescript-eslint/no-unused-vars": "off",
  },
});
