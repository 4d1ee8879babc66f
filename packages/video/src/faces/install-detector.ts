/** The face detector is not a dependency: it is installed into the cache folder when a command first needs it. */
import { cacheDirectory } from '@tubelet/kernels/node';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { FaceDetectorError } from '../errors';

/** Its packages: the detector with its weights (MIT), and what computes it on processors (Apache-2.0). */
const PACKAGES = {
  '@vladmandic/face-api': '1.7.15',
  '@tensorflow/tfjs': '4.22.0',
  '@tensorflow/tfjs-backend-wasm': '4.22.0',
} as const;

/** Weights that are loaded, in the folder of the detector. */
const WEIGHTS = ['tiny_face_detector_model.bin', 'face_landmark_68_model.bin'] as const;

const INSTALL_LIMIT_MS = 1_800_000;

/** Runs npm in a folder; rejects with a message when it fails. */
export type RunNpm = (args: readonly string[], folder: string) => Promise<void>;

const runNpm: RunNpm = async (args, cwd) => {
  const options = { cwd, timeout: INSTALL_LIMIT_MS, maxBuffer: 2 ** 24 };
  // Under Windows npm is a command script, which only a shell runs.
  const [file, all] = process.platform === 'win32' ? ['cmd', ['/c', 'npm', ...args]] : ['npm', [...args]];
  await promisify(execFile)(file, all, options);
};

/** The folder of the weights in an installation. */
export const weightsFolder = (folder: string) => join(folder, 'node_modules/@vladmandic/face-api/model');

/** The folder in which the detector is, or will be, installed. */
export const detectorFolder = (cache = cacheDirectory()) =>
  join(cache, `face-detector-${PACKAGES['@vladmandic/face-api']}`);

/**
 * Installs the detector unless it is there. The folder appears whole or not at all.
 *
 * @returns the folder
 * @throws FaceDetectorError when npm fails, or weights are missing from an installation
 */
export async function installDetector(
  say: (line: string) => void,
  { folder = detectorFolder(), npm = runNpm }: { folder?: string; npm?: RunNpm } = {},
): Promise<string> {
  if (!existsSync(folder)) await install(folder, say, npm);
  for (const name of WEIGHTS) {
    const file = join(weightsFolder(folder), name);
    if (!existsSync(file))
      throw new FaceDetectorError(
        `The face detector lacks its weights: ${file} is missing. Delete ${folder}, and the next use installs it anew.`,
      );
  }
  return folder;
}

async function install(folder: string, say: (line: string) => void, npm: RunNpm): Promise<void> {
  const specs = Object.entries(PACKAGES).map(([name, version]) => `${name}@${version}`);
  say(`installing the face detector ${specs[0]} into ${folder} (npm, about 330 MB, this once) …`);
  removeAbandoned(folder);
  const staging = `${stagingPrefix(folder)}${process.pid}`;
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });
  try {
    writeFileSync(join(staging, 'package.json'), '{ "private": true }\n');
    await npm(['install', '--save-exact', '--ignore-scripts', '--no-audit', '--no-fund', ...specs], staging);
    // Another program may have been quicker.
    if (!existsSync(folder)) renameSync(staging, folder);
  } catch (error) {
    const reason = (error as Error).message.trim().split('\n').slice(0, 3).join(' ');
    throw new FaceDetectorError(
      `The face detector cannot be installed: ${reason}. It needs npm and its registry once. Without network, run ` +
        `\`npm install --prefix face-detector ${specs.join(' ')}\` elsewhere and copy that folder to ${folder}.`,
      { cause: error },
    );
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** Machines that share a cache do not know of each other's processes. */
const stagingPrefix = (folder: string) => `${folder}.${hostname()}.`;

/** Removes what installations that were killed have left behind. */
function removeAbandoned(folder: string): void {
  const parent = dirname(folder);
  if (!existsSync(parent)) return;
  const prefix = basename(stagingPrefix(folder));
  for (const name of readdirSync(parent)) {
    const pid = name.startsWith(prefix) ? name.slice(prefix.length) : '';
    if (/^\d+$/.test(pid) && hasEnded(Number(pid)))
      rmSync(join(parent, name), { recursive: true, force: true });
  }
}

function hasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    // Anything else, such as a lack of permission, is said of a process that there is.
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
