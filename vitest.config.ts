import { defineConfig } from 'vitest/config';

// unit: no root, no kernel objects. kernel: real root tests, one file at a time (they share the machine's uid slots and tables).
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          testTimeout: 30_000, // a hang guard: two cores may be busy
          include: ['{engine,apps,lessons,prisma}/**/*.test.{ts,tsx}'],
          exclude: ['**/node_modules/**', '**/.next/**', 'build/**', '**/*.{kernel,guest,api}.test.ts'],
        },
      },
      {
        test: {
          name: 'kernel',
          include: ['{engine,apps}/**/*.kernel.test.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'api',
          include: ['{engine,apps}/**/*.api.test.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
