/** Makes the data set. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { UserError } from '@tubelet/trainer';
import { resolveFfmpeg, type Ffmpeg } from '@tubelet/video';
import { aboutDataSet, labelFiles, planClips, type FaceDataSettings } from './data-set.js';
import { fillFolder, holdsDataSet } from './output-folder.js';
import type { ClipRequest, ClipResponse, WorkerSetup } from './worker-protocol.js';

export interface MakeOptions {
  readonly folder: string;
  readonly settings: FaceDataSettings;
  /** Drawing threads. */
  readonly workers: number;
  /** Called after each clip. */
  readonly onClip?: (done: number, total: number) => void;
}

export interface MakeResult {
  /** Whether the folder held this data set already: then nothing was written. */
  readonly wasThere: boolean;
  readonly clips: number;
}

/** Lets threads work off all requests. Rejects with the first failure, and ends the threads either way. */
async function drawAll(
  requests: readonly ClipRequest[],
  setup: WorkerSetup,
  workers: number,
  onClip: () => void,
): Promise<void> {
  const threads = Array.from(
    { length: Math.min(workers, requests.length) },
    () => new Worker(new URL('./worker.js', import.meta.url), { workerData: setup, name: 'tubelet-faces' }),
  );
  let next = 0;
  const workOff = (thread: Worker): Promise<void> =>
    new Promise((resolve, reject) => {
      const ask = () => {
        const request = requests[next++];
        if (request === undefined) resolve();
        else thread.postMessage(request);
      };
      thread.on('message', (response: ClipResponse) => {
        if (response.ok) {
          onClip();
          ask();
          return;
        }
        const error = response.expected ? new UserError(response.message) : new Error(response.message);
        if (response.stack !== undefined) error.stack = response.stack;
        reject(error);
      });
      thread.on('error', reject);
      thread.on('exit', (code) => reject(new Error(`A drawing thread ended with code ${code}.`)));
      ask();
    });
  try {
    await Promise.all(threads.map(workOff));
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
}

const describe = ({ version, kind }: Ffmpeg): string => `${version} (${kind})`;

/**
 * Makes a data set, unless the folder holds it already.
 *
 * @throws UserError when the folder holds something else, or a file cannot be written; FfmpegNotFoundError
 */
export async function makeFaces({ folder, settings, workers, onClip }: MakeOptions): Promise<MakeResult> {
  const clips = planClips(settings);
  const files = labelFiles(settings, clips);
  const names = [...Object.keys(files), ...clips.map(({ path }) => path)];
  if (holdsDataSet(folder, settings, names)) return { wasThere: true, clips: clips.length };

  const ffmpeg = await resolveFfmpeg();
  const { seed, size, frames, framesPerSecond, variety, hold } = settings;
  await fillFolder(folder, aboutDataSet(settings, clips.length, describe(ffmpeg)), async (partial) => {
    for (const [name, text] of Object.entries(files)) await writeFile(join(partial, name), text);
    for (const path of new Set(clips.map((clip) => dirname(clip.path)))) {
      await mkdir(join(partial, path), { recursive: true });
    }
    const requests = clips.map(({ path, subjectIndex, clip, expression }) => ({
      key: { seed, subject: subjectIndex, clip, expression, variety, hold },
      path: join(partial, path),
    }));
    let done = 0;
    const setup = { ffmpeg, size, frames, framesPerSecond };
    await drawAll(requests, setup, workers, () => onClip?.(++done, clips.length));
  });
  return { wasThere: false, clips: clips.length };
}
