import { existsSync, readdirSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@tubelet/trainer';
import { checkpointDirectory, latestCheckpoint, listCheckpoints } from '@tubelet/trainer/formats';
import { bestCheckpointPath } from './best-epoch.js';

/**
 * The file that a `--checkpoint` or `--from` means: itself, or the newest sound checkpoint of the run in a folder.
 *
 * @param warn is told of damaged checkpoints that were passed over
 * @throws UserError when there is nothing there, or a folder without checkpoints
 * @throws CheckpointCorruptError when none of a run's checkpoints is sound
 */
export async function resolveCheckpoint(
  place: string,
  warn: (message: string) => void = (message) => console.error(`warning: ${message}`),
): Promise<string> {
  const found = await stat(place).catch(() => null);
  if (!found) {
    throw new UserError(
      `there is no ${place}. Give the file of a checkpoint, or the folder of a run (the one with config.json).`,
    );
  }
  if (!found.isDirectory()) return place;
  const newest = await latestCheckpoint(place, warn);
  if (newest) return newest.path;
  const best = bestCheckpointPath(place);
  if (existsSync(best)) return best;
  throw new UserError(`${place} has no checkpoints: ${await whatIsThere(place)}`);
}

async function whatIsThere(folder: string): Promise<string> {
  const entries = readdirSync(folder, { withFileTypes: true });
  const runs: string[] = [];
  for (const entry of entries) {
    if (!entry.isDirectory()) continue;
    const inner = join(folder, entry.name);
    if ((await listCheckpoints(inner)).length > 0) runs.push(inner);
  }
  if (runs.length > 0) {
    const shown = runs.slice(0, 5).join(', ');
    if (runs.length === 1) return `it holds a run, ${shown}. Give that folder.`;
    return `it holds ${runs.length} runs (${shown}${runs.length > 5 ? ', …' : ''}). Give one of them.`;
  }
  const files = entries.filter((entry) => /\.(safetensors|pth|pt)$/.test(entry.name)).map(({ name }) => name);
  if (files.length > 0) {
    return `it is not a run, but it holds ${files.slice(0, 5).join(', ')}${files.length > 5 ? ', …' : ''}. Give one of these files.`;
  }
  return `there is no step-*.safetensors in ${checkpointDirectory(folder)}. Give the folder of a run that has saved one, or a file.`;
}
