import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { OptionError } from '@tubelet/trainer';
import { DecoderPool, encodeVideo, FaceDetectorError, NoReadableVideoError } from '@tubelet/video';
// Test code of a neighbour, which is not part of what its package offers.
import {
  detectorOf,
  discDetector,
  discFrames,
} from '../../../../packages/video/src/faces/testing/planted-faces.js';
import type { EmbedOptions } from '../embed/embed-options.js';
import type { PredictOptions } from './predict-options.js';
import { embed } from '../embed/embed.js';
import { predict } from './predict.js';
import { collectingTerminal } from '../testing/collecting-terminal.js';
import { writeTinyClassifier } from '../testing/tiny-classifier.js';

const folder = mkdtempSync(join(tmpdir(), 'tubelet-cut-people-'));
const at = (...names: string[]) => join(folder, ...names);
afterEach(() => vi.restoreAllMocks());
afterAll(() => rmSync(folder, { recursive: true }));

const red = { x: 24, y: 24, radius: 14, channel: 0 };
const blue = { x: 70, y: 30, radius: 8, channel: 2 };

beforeAll(async () => {
  const shape = { width: 96, height: 48, framesPerSecond: 25 };
  await encodeVideo(
    at('two.mp4'),
    discFrames(16, 96, 48, () => [blue, red]),
    shape,
  );
  await encodeVideo(
    at('none.mp4'),
    discFrames(16, 96, 48, () => []),
    shape,
  );
  writeFileSync(at('broken.mp4'), 'no video');
  await writeTinyClassifier(at('tiny.safetensors'), { classNames: ['frown', 'neutral', 'smile'] });
});

const discs = () => Promise.resolve(discDetector());
const defaults = { checkpoint: at('tiny.safetensors'), batchSize: 2, workers: 1, crop: 'face' } as const;

async function runPredict(names: string[], options: Partial<PredictOptions> = {}, open = discs) {
  const io = collectingTerminal();
  const sources = names.map((name) => at(name));
  await predict(sources, { ...defaults, format: 'jsonl', ...options }, io, open);
  return { text: io.written.join(''), notes: io.notes };
}
const leftovers = () => readdirSync(tmpdir()).filter((name) => name.startsWith('tubelet-people-'));

describe('--crop face', () => {
  it('answers for each person of each video, and names videos without faces', async () => {
    const before = leftovers();
    const { text, notes } = await runPredict(['two.mp4', 'none.mp4', 'broken.mp4']);
    const records = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { path: string; person: number });
    expect(records.map(({ path, person }) => [path, person])).toEqual([
      [at('two.mp4'), 1],
      [at('two.mp4'), 2],
    ]);
    expect(notes.join('\n')).toMatch(/cannot use .*none.mp4: no face was found in it/);
    expect(notes.join('\n')).toMatch(/cannot use .*broken.mp4: /);
    expect(notes.at(-1)).toBe('warning: 2 of 3 files were left out, as told above');
    expect(leftovers()).toEqual(before);
  });

  it('leaves no face behind when a signal ends the program', async () => {
    const before = leftovers();
    const kill = vi.spyOn(process, 'kill').mockReturnValue(true);
    const open = () => {
      expect(leftovers()).toHaveLength(before.length + 1);
      process.emit('SIGTERM', 'SIGTERM');
      expect(leftovers()).toEqual(before);
      return Promise.reject(new FaceDetectorError('the program would have ended'));
    };
    await expect(runPredict(['two.mp4'], {}, open)).rejects.toThrow('the program would have ended');
    expect(kill).toHaveBeenCalledExactlyOnceWith(process.pid, 'SIGTERM');
  });

  it('draws frames and answers into a video of as many frames', async () => {
    const facesOut = at('drawn.mp4');
    const { notes } = await runPredict(['two.mp4'], { facesOut });
    expect(notes.at(-1)).toBe(`drew ${facesOut}`);
    const pool = await DecoderPool.open({ workers: 1 });
    try {
      expect(await pool.probe(facesOut)).toMatchObject({ frameCount: 16, width: 96, height: 48 });
    } finally {
      await pool.close();
    }
  });

  it('writes the features of each person', async () => {
    const options: EmbedOptions = { ...defaults, clips: 1, out: at('people.csv'), fold: undefined };
    const io = collectingTerminal();
    await embed([at('two.mp4')], options, io, discs);
    const ids = readFileSync(at('people.csv'), 'utf8')
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => line.split(',')[0]);
    expect(ids).toEqual([`${at('two.mp4')}#1`, `${at('two.mp4')}#2`]);
    expect(io.notes.join('\n')).toContain('faces cut: 2 people');
  });

  it.each<[string, () => Promise<unknown>, new (...args: never[]) => Error, string]>([
    [
      'videos without a face',
      () => runPredict(['two.mp4'], {}, () => Promise.resolve(detectorOf(() => []))),
      NoReadableVideoError,
      'No face was found in any of the 1 videos',
    ],
    [
      'a detector that cannot be used',
      () => runPredict(['two.mp4'], {}, () => Promise.reject(new FaceDetectorError('weights are missing'))),
      FaceDetectorError,
      'weights are missing',
    ],
    ['windows', () => runPredict(['two.mp4'], { window: 1 }), OptionError, '`tubelet data faces` first'],
    [
      '--faces-out without it',
      () => runPredict(['two.mp4'], { crop: 'none', facesOut: at('a.mp4') }),
      OptionError,
      '--crop face',
    ],
    [
      'a picture for --faces-out',
      () => runPredict(['two.mp4'], { facesOut: at('a.png') }),
      OptionError,
      '.mp4',
    ],
    [
      '--faces-out of several videos',
      () => runPredict(['two.mp4', 'none.mp4'], { facesOut: at('a.mp4') }),
      OptionError,
      'one video',
    ],
  ])('refuses %s', async (_, running, kind, message) => {
    const error = await running().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(kind);
    expect((error as Error).message).toContain(message);
  });
});
