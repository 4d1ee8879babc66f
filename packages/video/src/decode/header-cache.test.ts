import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { HeaderCache } from './header-cache.js';
import { temporaryFolder } from '../testing/videos.js';
import { describeTimes, type VideoInfo } from './video-info.js';

const folder = temporaryFolder();
afterAll(() => folder.remove());
let folders = 0;
const newCache = () => {
  const path = join(folder.path, `cache ${folders++}`);
  return { path, cache: new HeaderCache(path, 'webcodecs 1') };
};
const video = join(folder.path, 'a "quoted"\tvideo.mp4');
writeFileSync(video, 'x');
const stats = () => statSync(video);

function infoOf(times: readonly number[], path = video): VideoInfo {
  return {
    ...{ path, kind: 'video', width: 32, height: 24, seekable: true },
    colour: { matrix: 'bt709', fullRange: false },
    container: { startSeconds: 0.04, rotation: 90 },
    ...describeTimes(times, 30),
  };
}
const onlyFile = (path: string) => join(path, readdirSync(path)[0] as string);

describe('HeaderCache', () => {
  it.each([
    ['even', Array.from({ length: 200 }, (_, i) => (i * 1001) / 30_000)],
    ['in milliseconds', Array.from({ length: 50 }, (_, i) => Math.round((i * 1000) / 30) / 1000)],
    ['uneven', Array.from({ length: 50 }, (_, i) => i / 90_000 + (i * i) / 17)],
    ['of one frame', [0]],
  ])('remembers times that are %s', (_, times) => {
    const { cache } = newCache();
    expect(cache.find(video, stats())).toBeUndefined();
    const told = cache.remember(infoOf(times), stats());
    told.timesSeconds.forEach((time, i) => expect(Math.abs(time - (times[i] as number))).toBeLessThan(2e-7));
    const found = cache.find(video, stats());
    expect(found).toEqual(told);
    const { timesSeconds: _times, framesPerSecond, durationSeconds, ...rest } = infoOf(times);
    expect(found).toMatchObject(rest);
    expect(found?.framesPerSecond).toBeCloseTo(framesPerSecond, 4);
    expect(found?.durationSeconds).toBeCloseTo(durationSeconds, 4);
  });

  it('forgets a file that has changed, and what another decoder saw', () => {
    const { path, cache } = newCache();
    cache.remember(infoOf([0, 1]), stats());
    expect(cache.find(video, stats())).toBeDefined();
    expect(new HeaderCache(path, 'ffmpeg').find(video, stats())).toBeUndefined();
    utimesSync(video, 5, 5);
    expect(cache.find(video, stats())).toBeUndefined();
  });

  it('passes over damaged lines and writes them anew', () => {
    const { path, cache } = newCache();
    cache.remember(infoOf([0, 1, 3]), stats());
    const file = onlyFile(path);
    const whole = readFileSync(file, 'utf8');
    for (const damaged of [whole.slice(0, -20), whole.replace('"width":32', '"width":33'), '\0\0\0']) {
      writeFileSync(file, damaged);
      expect(cache.find(video, stats())).toBeUndefined();
      cache.remember(infoOf([0, 1, 3]), stats());
      expect(cache.find(video, stats())).toMatchObject({ width: 32, frameCount: 3 });
    }
  });

  it('keeps the newer half of a file that has grown too long', () => {
    const { path, cache } = newCache();
    cache.remember(infoOf([0, 1]), stats());
    const file = onlyFile(path);
    writeFileSync(file, `${'\nold line'.repeat(40_000)}${readFileSync(file, 'utf8')}`);
    cache.remember(infoOf([0, 2]), stats());
    expect(statSync(file).size).toBeLessThanOrEqual(128 * 1024);
    expect(cache.find(video, stats())?.timesSeconds).toEqual(infoOf([0, 2]).timesSeconds);
    expect(readdirSync(path)).toHaveLength(1);
  });

  it('does without a folder that cannot be written', () => {
    const cache = new HeaderCache(join(video, 'below a file'), 'webcodecs 1');
    expect(cache.remember(infoOf([0, 1]), stats())).toMatchObject({ frameCount: 2 });
    expect(cache.find(video, stats())).toBeUndefined();
  });
});
