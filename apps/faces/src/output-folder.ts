/** The folder of a data set: made beside its place and moved there when it is whole. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UserError } from '@tubelet/trainer';
import { GENERATOR_VERSION, type About, type FaceDataSettings } from './data-set.js';

const ABOUT = 'about.json';
/** In a folder that is being filled, and nowhere else. */
const UNFINISHED = 'unfinished.txt';
const OWN_NAMES = /^(clips|about\.json|faces\.csv|classes\.txt|train-fold-\d+\.txt|unfinished\.txt)$/;

/** What a folder says about the data set in it; undefined when it is none of this program. */
function readAbout(folder: string): About | undefined {
  try {
    const about = JSON.parse(readFileSync(join(folder, ABOUT), 'utf8')) as Partial<About> | null;
    return about?.format === 'tubelet-faces' ? (about as About) : undefined;
  } catch {
    return undefined;
  }
}

const isFolder = (path: string): boolean => statSync(path).isDirectory();

/** Whether everything in a folder was written by this program, whole or in parts. */
function isOwn(folder: string): boolean {
  const names = readdirSync(folder);
  if (names.length === 0) return true;
  const marked = names.includes(UNFINISHED) || readAbout(folder) !== undefined;
  return marked && names.every((name) => OWN_NAMES.test(name));
}

/** Whether the folder already holds a data set of these settings, its files all there. */
export function holdsDataSet(folder: string, settings: FaceDataSettings, files: readonly string[]): boolean {
  if (!existsSync(folder) || !isFolder(folder)) return false;
  const about = readAbout(folder);
  return (
    about?.generatorVersion === GENERATOR_VERSION &&
    JSON.stringify(about.settings) === JSON.stringify(settings) &&
    files.every((file) => existsSync(join(folder, file)))
  );
}

/**
 * Refuses a folder that holds anything but an earlier data set of this program.
 *
 * @throws UserError naming the folder
 */
export function requireReplaceable(folder: string): void {
  if (!existsSync(folder)) return;
  if (!isFolder(folder)) {
    throw new UserError(`${folder} is a file. Choose another place for the data set.`);
  }
  if (!isOwn(folder)) {
    throw new UserError(
      `${folder} holds something other than a data set of drawn faces. Choose another folder, or move it away.`,
    );
  }
}

/** What the system says when something cannot be written, as an error that the user can do something about. */
export function writeFailure(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('syscall' in error)) return error;
  return new UserError(
    `${path} cannot be written: ${error.message}. Choose another place, or free some space.`,
    {
      cause: error,
    },
  );
}

/**
 * Makes `folder` in one step: `fill` writes into a folder beside it, which takes its place once it is whole, with
 * `about.json` as its last file. What an interrupted run left there is removed first. On failure `folder` stays as it
 * was.
 *
 * @throws UserError when either folder holds what this program did not write, or cannot be written; what `fill`
 *   throws
 */
export async function fillFolder(
  folder: string,
  about: About,
  fill: (partial: string) => Promise<void>,
): Promise<void> {
  const partial = `${folder}.partial`;
  requireReplaceable(folder);
  requireReplaceable(partial);
  try {
    await mkdir(dirname(folder), { recursive: true });
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial);
    await writeFile(
      join(partial, UNFINISHED),
      'This folder is being filled, or its making was interrupted.\n',
    );
    await fill(partial);
    await writeFile(join(partial, ABOUT), `${JSON.stringify(about, null, 2)}\n`);
    await rm(join(partial, UNFINISHED));
    await rm(folder, { recursive: true, force: true });
    await rename(partial, folder);
  } catch (error) {
    await rm(partial, { recursive: true, force: true }).catch(() => undefined);
    throw writeFailure(folder, error);
  }
}
