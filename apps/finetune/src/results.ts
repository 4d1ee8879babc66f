import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError, writeTextFile, type Evaluation, type MergedEvaluation } from '@tubelet/trainer';

/** Where a run has the result of its test. */
export function testDirectory(runDirectory: string): string {
  return join(runDirectory, 'test');
}

/** The result of a run's test; undefined where it has not been tested. Throws `UserError` for a damaged file. */
export async function readEvaluation(runDirectory: string): Promise<Evaluation | undefined> {
  const path = join(testDirectory(runDirectory), 'evaluation.json');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new UserError(`cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
  try {
    return JSON.parse(text) as Evaluation;
  } catch (error) {
    throw new UserError(
      `${path} is damaged: ${(error as Error).message}. Remove it to test the fold again.`,
      {
        cause: error,
      },
    );
  }
}

/** Writes the merged result of a cross-validation. */
export async function writeCrossValidation(directory: string, merged: MergedEvaluation): Promise<void> {
  await writeTextFile(join(directory, 'evaluation.json'), `${JSON.stringify(merged)}\n`);
}
