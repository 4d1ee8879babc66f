// Run as a child process: opens the GPU and prints what it is as one line of JSON. A driver that
// crashes or hangs takes this process with it and not the program that asks.
import { importSource } from './source.mjs';

const { probeGpu } = await importSource('packages/kernels/src/node/index.ts');
try {
  // The flag shows features that are still experiments, matrix units among them.
  const report = await probeGpu(['enable-dawn-features=allow_unsafe_apis']);
  process.stdout.write(`${JSON.stringify({ report })}\n`, () => process.exit(0));
} catch (error) {
  process.stdout.write(`${JSON.stringify({ error: error.message, tried: error.tried })}\n`, () =>
    process.exit(1),
  );
}
