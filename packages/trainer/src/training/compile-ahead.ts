import type { Runtime } from '@tubelet/kernels';

const NOTE_INTERVAL_MS = 2000;

/**
 * Compiles the kernels of a training before its first step, side by side.
 *
 * @param paper on which its steps were taken
 * @param note is told now and then how far it is
 */
export async function compileAhead(
  runtime: Runtime,
  paper: Runtime,
  note: (message: string) => void,
): Promise<void> {
  let notedMs = Date.now();
  await runtime.compileLike(paper, (done, total) => {
    if (done < total && Date.now() - notedMs < NOTE_INTERVAL_MS) return;
    notedMs = Date.now();
    note(`compiling kernels ${done}/${total}`);
  });
}
