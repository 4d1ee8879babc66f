import { likeRuntime, paperRuntime, type Runtime } from '@tubelet/kernels';
import type { BeginTraining } from './dry-step.js';

// The first step of a shape is taken as it comes, the second is recorded: between them they use every kernel.
const STEPS = 2;
const NOTE_INTERVAL_MS = 2000;

/**
 * Compiles the kernels of a training before its first step, side by side. Which they are is found out by taking steps on
 * paper.
 *
 * @param note is told now and then how far it is
 */
export async function compileAhead(
  runtime: Runtime,
  begin: BeginTraining,
  batchSize: number,
  note: (message: string) => void,
): Promise<void> {
  const paper = paperRuntime({ ...likeRuntime(runtime), reads: 'zeros' });
  paper.tuning = runtime.tuning;
  const { step } = begin(paper, batchSize);
  for (let i = 0; i < STEPS; i++) await step({ step: i, epoch: 0, stepInEpoch: i });
  let notedMs = Date.now();
  await runtime.compileLike(paper, (done, total) => {
    if (done < total && Date.now() - notedMs < NOTE_INTERVAL_MS) return;
    notedMs = Date.now();
    note(`compiling kernels ${done}/${total}`);
  });
}
