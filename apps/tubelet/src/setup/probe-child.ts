/**
 * The script of a child process: opens the GPU and prints what it is as one line of JSON. A driver that crashes or hangs
 * takes this process with it and not the program that asks.
 */
import { NoAdapterError } from '@tubelet/kernels';
import { probeGpu } from '@tubelet/kernels/node';

try {
  // As trainings in f16 open it: Dawn hides matrix units otherwise, and f16 on NVIDIA.
  const report = await probeGpu({ matrixUnits: true });
  process.stdout.write(`${JSON.stringify({ report })}\n`, () => process.exit(0));
} catch (error) {
  const reasons = error instanceof NoAdapterError ? error.tried : [(error as Error).message];
  process.stdout.write(`${JSON.stringify({ reasons })}\n`, () => process.exit(1));
}
