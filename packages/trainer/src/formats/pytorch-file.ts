import { readFile } from 'node:fs/promises';
import {
  CheckpointFormatError,
  HostilePickleError,
  readPytorchCheckpoint,
  requireHarmless,
  type PytorchCheckpoint,
} from '@tubelet/autograd/formats';
import { CheckpointReadError } from './checkpoint-errors.js';
import { UserError } from '../errors.js';

/**
 * Reads a checkpoint that PyTorch wrote (`.pth`). Nothing in it is run.
 *
 * @throws UserError when it cannot be read, is damaged or of something else, or its pickle is hostile
 */
export async function readPytorchFile(path: string): Promise<PytorchCheckpoint> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new CheckpointReadError(path, (error as Error).message, { cause: error });
  }
  try {
    const checkpoint = readPytorchCheckpoint(bytes);
    requireHarmless(checkpoint);
    return checkpoint;
  } catch (error) {
    if (error instanceof HostilePickleError) {
      throw new UserError(`${path} is refused: ${error.message}`, { cause: error });
    }
    if (!(error instanceof CheckpointFormatError)) throw error;
    throw new UserError(`${path} cannot be used: ${error.message}`, { cause: error });
  }
}
