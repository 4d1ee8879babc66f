import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { DecoderClosedError, VideoDecodeError, VideoSourceError } from '../errors.js';
import type { Ffmpeg } from '../ffmpeg/ffmpeg.js';
import { DecoderPool, type DecoderPoolOptions } from './pool.js';
import { temporaryFolder, wasmFfmpeg, writeNumberedVideo } from '../testing/videos.js';

const folder = temporaryFolder();
const file = (name: string) => join(folder.path, name);
const pools: DecoderPool[] = [];
async function open(options: DecoderPoolOptions): Promise<DecoderPool> {
  const pool = await DecoderPool.open({ decoder: 'ffmpeg', ...options });
  pools.push(pool);
  return pool;
}

beforeAll(() => writeNumberedVideo(file('video.mp4'), 20));
// Each test finds nothing that an earlier one remembered.
let caches = 0;
beforeEach(() => vi.stubEnv('TUBELET_CACHE_DIR', file(`cache ${caches++}`)));
afterAll(() => vi.unstubAllEnvs());
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});
afterAll(() => folder.remove());

describe('DecoderPool', () => {
  it('answers more requests than it has threads', async () => {
    const pool = await open({ workers: 2, ffmpeg: await wasmFfmpeg() });
    const answers = await Promise.all(Array.from({ length: 7 }, () => pool.probe(file('video.mp4'))));
    expect(answers.map(({ frameCount }) => frameCount)).toEqual(new Array(7).fill(20));
  });

  it.skipIf(process.platform !== 'linux')('does not blame a file for a disk that fails', async () => {
    mkdirSync(file('frames'));
    // Linux answers with an error of the device where this is read at its beginning.
    symlinkSync('/proc/self/mem', file('frames/1.png'));
    const pool = await open({ workers: 1, ffmpeg: await wasmFfmpeg() });
    const probing = pool.probe(file('frames'));
    await expect(probing).rejects.toThrow(VideoSourceError);
    await expect(probing).rejects.toThrow(/frames cannot be read: EIO.*--resume/);
  });

  it('goes on when a thread hangs over a file', async () => {
    const ffmpeg = await wasmFfmpeg();
    const scriptPath = file('stuck.cjs');
    writeFileSync(
      scriptPath,
      `const create = require(${JSON.stringify(ffmpeg.scriptPath)});
module.exports = async (overrides) => {
  const core = await create(overrides);
  return { ...core, exec: (...args) => { while (args.includes('/input.endless')); return core.exec(...args); } };
};
`,
    );
    writeFileSync(file('a.endless'), 'x');
    const pool = await open({ workers: 1, ffmpeg: { ...ffmpeg, scriptPath }, limitMs: 4000 });
    const endless = pool.probe(file('a.endless'));
    const after = pool.probe(file('video.mp4'));
    await expect(endless).rejects.toThrow(/a\.endless.*the decoding thread took too long and was ended/);
    expect((await after).frameCount).toBe(20);
  });

  it('goes on when a file takes its thread down', async () => {
    // An ffmpeg that ends the thread on files of one kind, and works on all others.
    const ffmpeg = await wasmFfmpeg();
    const scriptPath = file('fragile.cjs');
    writeFileSync(
      scriptPath,
      `const create = require(${JSON.stringify(ffmpeg.scriptPath)});
module.exports = async (overrides) => {
  const core = await create(overrides);
  return { ...core, exec: (...args) => (args.includes('/input.deadly') ? process.exit(3) : core.exec(...args)) };
};
`,
    );
    writeFileSync(file('a.deadly'), 'x');
    const pool = await open({ workers: 1, ffmpeg: { ...ffmpeg, scriptPath } });
    const before = pool.probe(file('video.mp4'));
    const deadly = pool.probe(file('a.deadly'));
    const after = pool.probe(file('video.mp4'));
    await expect(deadly).rejects.toThrow(VideoDecodeError);
    await expect(deadly).rejects.toThrow(/a\.deadly.*the decoding thread ended with code 3/);
    expect((await before).frameCount).toBe(20);
    expect((await after).frameCount).toBe(20);
  });

  /** An ffmpeg program of the kind that is installed, which ends as `ending` says in its first `count` runs. */
  function interruptedFfmpeg(name: string, ending: string, count: number): Ffmpeg {
    const path = file(name);
    const lists = ['#tb 0: 1/25', ...[0, 1, 2].map((i) => `0, ${i}, ${i}, 1, 100, 0x0`)].join('\\n');
    writeFileSync(
      path,
      `#!/bin/sh
echo run >> ${path}.runs
[ $(wc -l < ${path}.runs) -le ${count} ] && ${ending}
printf "Input #0, mov,mp4, from 'a':\\n  Stream #0:0: Video: h264, yuv420p, 32x24, 25 fps\\n" >&2
printf '${lists}\\n'
`,
      { mode: 0o755 },
    );
    return { kind: 'native', path, version: '7.1', source: 'PATH', reason: 'for tests' };
  }

  it.each([
    ['by a signal', 'kill -TERM $$'],
    ['by the signal of a scheduler', 'kill -USR1 $$'],
    ['and says so', '{ echo "Exiting normally, received signal 15." >&2; exit 255; }'],
  ])('reads a file again when ffmpeg was stopped %s', async (how, ending) => {
    const pool = await open({
      workers: 1,
      ffmpeg: interruptedFfmpeg(`stopped ${how}`.replaceAll(' ', '-'), ending, 2),
    });
    expect((await pool.probe(file('video.mp4'))).frameCount).toBe(3);
  });

  it('looks at no file that an earlier run looked at', async () => {
    const first = await open({ workers: 1, ffmpeg: interruptedFfmpeg('works', 'exit 1', 0) });
    const info = await first.probe(file('video.mp4'));
    const second = await open({ workers: 1, ffmpeg: interruptedFfmpeg('fails', 'exit 1', 99) });
    expect(await second.probe(file('video.mp4'))).toEqual(info);
  });

  it('does not blame the file when ffmpeg is stopped again and again', async () => {
    const pool = await open({ workers: 1, ffmpeg: interruptedFfmpeg('stopped', 'kill -TERM $$', 99) });
    const error: unknown = await pool.probe(file('video.mp4')).catch((reason: unknown) => reason);
    expect(error).not.toBeInstanceOf(VideoDecodeError);
    expect((error as Error).message).toContain('ffmpeg was told to stop while it read');
  });

  it('says so when its threads cannot start, and does not blame the file', async () => {
    const pool = await open({
      workers: 2,
      ffmpeg: { ...(await wasmFfmpeg()), scriptPath: file('none.cjs') },
    });
    const error: unknown = await pool.probe(file('video.mp4')).catch((reason: unknown) => reason);
    expect(error).not.toBeInstanceOf(VideoDecodeError);
    expect((error as Error).message).toMatch(/could not start.*none\.cjs/s);
  });

  it('rejects what is under way when it is closed', async () => {
    const pool = await open({ workers: 1, ffmpeg: await wasmFfmpeg() });
    const answers = Promise.allSettled([pool.probe(file('video.mp4')), pool.probe(file('video.mp4'))]);
    await pool.close();
    for (const answer of await answers) {
      expect(answer).toMatchObject({ status: 'rejected', reason: expect.any(DecoderClosedError) as unknown });
    }
    await expect(pool.probe(file('video.mp4'))).rejects.toThrow(DecoderClosedError);
  });

  it('refuses a number of threads that makes no sense', async () => {
    await expect(DecoderPool.open({ workers: 0 })).rejects.toThrow('workers is 0');
  });
});
