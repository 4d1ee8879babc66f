import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const namedExport = { selector: 'ExportDefaultDeclaration', message: 'Use a named export.' };
const fileEnding = {
  // \u002F is a slash, which would end the expression.
  selector:
    ':matches(ImportDeclaration, ExportNamedDeclaration, ExportAllDeclaration)[source.value=/^[.]+\\u002F(?!.*([.](js|json|mjs|wgsl)|[?]raw)$)/]',
  message: 'Name the file with its ending, `.js` for TypeScript.',
};

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', '**/.turbo/**', '**/.cache/**', '**/runs/**'] },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  {
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-restricted-syntax': ['error', namedExport, fileEnding],
      eqeqeq: ['error', 'smart'],
    },
  },
  {
    // A promise that nobody waits for loses its error. These two need types.
    files: [
      'packages/*/src/**/*.ts',
      'apps/*/src/**/*.ts',
      'examples/src/**/*.ts',
      'benchmarks/src/**/*.ts',
      'scripts/**/*.ts',
    ],
    // Its one handler answers its own errors.
    ignores: ['packages/video/src/loader/worker.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
    },
  },
  {
    // Tools read their settings from a default export.
    files: ['**/*.config.ts', '**/*.config.js', 'docs/.vitepress/config.ts', 'types/**'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    files: ['scripts/**/*.mjs', 'apps/*/bin/*.mjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
      },
    },
  },
  {
    // These also run in a browser: what needs Node sits behind `src/node`.
    files: [
      'packages/kernels/src/**',
      'packages/autograd/src/**',
      'packages/mae-dfer/src/**',
      'packages/video/src/pixels/**',
    ],
    ignores: ['**/src/node/**', '**/*.test.ts', '**/testing/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ group: ['node:*'], message: 'Keep Node behind the ./node entry point.' }] },
      ],
    },
  },
  {
    files: ['packages/kernels/src/**', 'packages/autograd/src/**', 'packages/mae-dfer/src/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        namedExport,
        fileEnding,
        {
          selector: 'PrivateIdentifier',
          message: 'Write `private` before a member that is no part of the face.',
        },
      ],
    },
  },
);
