import { DatasetError, type DatasetProblem } from '../dataset.js';

/** The problems of the DatasetError that an action throws. */
export async function problemsOf(action: () => unknown): Promise<readonly DatasetProblem[]> {
  try {
    await action();
  } catch (error) {
    if (error instanceof DatasetError) return error.problems;
    throw error;
  }
  throw new Error('no DatasetError was thrown');
}
