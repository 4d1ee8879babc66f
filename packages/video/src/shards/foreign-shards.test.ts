/** Indices and descriptions that `tubelet prepare` would not write. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { VideoDecodeError, VideoSourceError } from '../errors.js';
import { temporaryFolder } from '../testing/videos.js';
import { readMemberInfo } from './member.js';
import { listShards } from './shard-index.js';

const folder = temporaryFolder();
afterAll(folder.remove);
const index = join(folder.path, 'index.jsonl');
const shard = join(folder.path, 'shard-000000.tar');
writeFileSync(shard, Buffer.alloc(8192));

const HEADER = { format: 'tubelet shards 1', settings: {} };
const FIRST = { key: '0', shard: 0, at: [512, 100, 1024, 1000] };
const SECOND = { key: '1', shard: 0, at: [2560, 100, 3072, 1000] };

const list = (...lines: unknown[]) => {
  writeFileSync(index, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return listShards(index);
};

describe('an index', () => {
  it('lists clips that follow one another', () => {
    expect(list(HEADER, FIRST, SECOND, { complete: true }).entries).toHaveLength(2);
  });

  it.each([
    ['no object', 5],
    ['nothing', null],
    ['settings that are none', { ...HEADER, settings: null }],
    ['no places', { ...FIRST, at: {} }],
    ['a place before the file', { ...FIRST, at: [-1, 100, 1024, 1000] }],
    ['a description that reaches into the video', { ...FIRST, at: [512, 2 ** 40, 1024, 1000] }],
    ['a clip over another', { ...SECOND, at: [512, 100, 1024, 1000] }],
    ['a shard that none leads to', { ...SECOND, shard: 1e9 }],
    ['a reason that is none', { rejected: 'a', reason: {} }],
  ])('is damaged with %s', (_, line) => {
    expect(() => list(HEADER, FIRST, line, SECOND, { complete: true })).toThrow(
      /index\.jsonl is damaged after byte/,
    );
  });

  it('is damaged with a line that does not end', () => {
    writeFileSync(index, `${JSON.stringify(HEADER)}\n${'x'.repeat(2 ** 23)}`);
    expect(() => listShards(index)).toThrow(VideoSourceError);
  });
});

describe('the description of a clip', () => {
  const header = {
    ...{ width: 160, height: 160, seekable: true, times: { count: 3, first: 0, last: 0.08 } },
    container: { startSeconds: 0, rotation: 0 },
  };
  const read = (changes: object) => {
    const text = JSON.stringify({ header: { ...header, ...changes } });
    writeFileSync(shard, text);
    const place = { begin: 0, length: Buffer.byteLength(text) };
    return readMemberInfo('a.mp4', { shard, description: place, video: { begin: 512, length: 1000 } });
  };

  it('says what the loader needs', async () => {
    expect(await read({})).toMatchObject({ frameCount: 3, width: 160 });
    expect(await read({ times: { unit: 0.04, ticks: [0, 1, 1] } })).toMatchObject({ frameCount: 3 });
  });

  it.each([
    ['more frames than bytes', { times: { count: 1001, first: 0, last: 1 } }, /the times/],
    [
      'as many frames as would fill the memory',
      { times: { count: 2 ** 40, first: 0, last: 1 } },
      /the times/,
    ],
    ['times that are none', { times: { unit: 1, ticks: ['x'] } }, /the times/],
    ['frames as large as no memory', { width: 2 ** 30, height: 2 ** 30 }, /the size/],
    ['a rotation in between', { container: { startSeconds: 0, rotation: 45 } }, /the container/],
    ['no container', { container: null }, /the container/],
    ['colours that are none', { colour: 'red' }, /the colour/],
  ])('is refused with %s', async (_, changes, message) => {
    const reading = read(changes);
    await expect(reading).rejects.toThrow(VideoDecodeError);
    await expect(reading).rejects.toThrow(message);
  });
});
