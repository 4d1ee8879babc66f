/** Data sets of video files, and of single images. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder, wasmFfmpeg, writeNumberedVideo } from '../../testing/videos.js';
import { openDataset } from '../open.js';
import { checkDataset, type DatasetCheck } from './check-dataset.js';

const folder = temporaryFolder();
afterAll(folder.remove);
const at = (name: string) => join(folder.path, name);

const ROWS = [
  'path,label,fold',
  'sound.mp4,happy,1',
  'wide.mp4,sad,1',
  'copy.mp4,happy,2',
  'cut.mp4,sad,2',
  'empty.mp4,happy,1',
  'text.mp4,sad,2',
  'face.png,happy,1',
];

/** Findings by the line that lists the clip. */
const atLine = ({ findings }: DatasetCheck, line: number) =>
  findings
    .filter(({ where }) => where.startsWith(`videos.csv:${line}, `))
    .map(({ kind, problem }) => [kind, problem]);

beforeAll(async () => {
  await writeNumberedVideo(at('sound.mp4'), 70, { width: 160, height: 160 });
  await writeNumberedVideo(at('wide.mp4'), 30, { width: 64, height: 48 });
  copyFileSync(at('sound.mp4'), at('copy.mp4'));
  const whole = readFileSync(at('sound.mp4'));
  writeFileSync(at('cut.mp4'), whole.subarray(0, whole.length / 2));
  writeFileSync(at('empty.mp4'), '');
  writeFileSync(at('text.mp4'), 'no video\n');
  const background = { r: 90, g: 90, b: 90 };
  await sharp({ create: { width: 200, height: 200, channels: 3, background } }).toFile(at('face.png'));
  await writeNumberedVideo(at('unlisted.mp4'), 3);
  writeFileSync(at('classes.txt'), 'happy\nsad\n');
  writeFileSync(at('videos.csv'), `${ROWS.join('\n')}\n`);
});

async function check(quick: boolean): Promise<DatasetCheck> {
  const dataset = await openDataset({ name: 'csv', root: at('videos.csv') });
  return checkDataset(dataset, { quick, ffmpeg: await wasmFfmpeg() });
}

describe('a data set of video files', () => {
  it('is opened file by file', async () => {
    const result = await check(false);
    expect(atLine(result, 4)).toEqual([
      [
        'same-content-in-train-and-test',
        expect.stringMatching(/train of fold 1 and .* as videos\.csv:2, sound\.mp4 in test$/),
      ],
    ]);
    expect(atLine(result, 3)).toEqual([
      ['not-square', 'its frames are 64×48'],
      ['small-frames', 'its frames are 64×48, and the model takes 160×160'],
      ['short-clip', 'it has 30 frames, and a clip spans 64'],
    ]);
    expect(atLine(result, 5)).toEqual([
      ['unreadable', expect.stringContaining('cut.mp4 cannot be decoded: ')],
    ]);
    expect(atLine(result, 6)).toEqual([['empty-clip', expect.stringContaining('empty.mp4 has 0 bytes')]]);
    expect(atLine(result, 7)).toEqual([
      ['unreadable', expect.stringContaining('text.mp4 cannot be decoded: ')],
    ]);
    expect(atLine(result, 8)).toEqual([['single-frame', 'it has 1 frame']]);
    expect(result.findings.filter(({ kind }) => kind === 'unlisted-clip')).toMatchObject([
      { where: 'unlisted.mp4' },
    ]);
    expect(result.frameSizes).toEqual([
      { width: 160, height: 160, clips: 2, example: 'copy.mp4' },
      { width: 64, height: 48, clips: 1, example: 'wide.mp4' },
      { width: 200, height: 200, clips: 1, example: 'face.png' },
    ]);
    expect(result.frameCounts).toEqual({ least: 1, median: 70, most: 70 });
  });

  it('is not opened by a quick check', async () => {
    const { findings, frameCounts } = await check(true);
    expect(new Set(findings.map(({ kind }) => kind))).toEqual(
      new Set(['empty-clip', 'single-frame', 'unlisted-clip']),
    );
    expect(frameCounts).toEqual({ least: 1, median: 1, most: 1 });
  });

  it('may lie outside the folder of its file', async () => {
    const list = temporaryFolder();
    try {
      writeFileSync(join(list.path, 'classes.txt'), 'happy\nsad\n');
      writeFileSync(
        join(list.path, 'list.csv'),
        `path,label\n${at('sound.mp4')},happy\n${at('wide.mp4')},sad\n`,
      );
      const dataset = await openDataset({ name: 'csv', root: join(list.path, 'list.csv') });
      const { findings } = await checkDataset(dataset, { quick: true });
      expect(findings).toMatchObject([{ kind: 'not-searched', severity: 'info', where: folder.path }]);
    } finally {
      list.remove();
    }
  });
});
