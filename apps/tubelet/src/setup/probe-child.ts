/**
 * The script of a child process: opens the GPU and prints what it is as one line of JSON. A driver that crashes or hangs
 * takes this process with it and not the program that asks.
 */
import { NoAdapterError } from '@tubelet/kernels';
import { probeGpu } from '@tubelet/kernels/node';

try {
  // The flag shows features that are still experiments, matrix units among them.
  const report = await probeGpu(['enable-dawn-features=allow_unsafe_apis']);
  process.stdout.write(`${JSON.stringify({ report })}\n`, () => process.exit(0));
} catch (error) {
  const reasons = error instanceof NoAdapterError ? error.tried : [(error as Error).message];
  process.stdout.write(`${JSON.stringify({ reasons })}\n`, () => process.exit(1));
}
