/** The face detector is not a dependency: it is installed into the cache folder when a command first needs it. */
import { cacheDirectory, makeStaging, whileFilling } from '@tubelet/kernels/node';
import { execFile } from 'node:child_process';
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { FaceDetectorError } from '../errors.js';

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
  const staging = makeStaging(folder);
  try {
    writeFileSync(join(staging, 'package.json'), '{ "private": true }\n');
    const tell = (megabytes: number) => say(`  ${megabytes} MB so far`);
    const words = ['install', '--save-exact', '--ignore-scripts', '--no-audit', '--no-fund', ...specs];
    await whileFilling(staging, tell, () => npm(words, staging));
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
