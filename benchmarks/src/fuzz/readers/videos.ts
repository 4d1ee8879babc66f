/** Shards, frames and videos. */
import { mkdirSync, readFileSync, statSync, writeFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { listVideos, readFrame, resolveFfmpeg } from '@tubelet/video';
import fc from 'fast-check';
import sharp from 'sharp';
import {
  createRunner,
  DecoderProcess,
  HeaderCache,
  parseFrameList,
  parseInputHeader,
  probeVideo,
  readMemberInfo,
  scriptFile,
} from '../../../../packages/video/src/testing/internals.js';
import { writeNumberedVideo } from '../../../../packages/video/src/testing/videos.js';
import { encodeWithWebCodecs } from '../../../../packages/video/src/testing/webcodecs-videos.js';
import { changed, damaged } from '../mutate.js';
import type { Reader } from '../reader.js';

const lines = (values: readonly unknown[]) =>
  Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(''));

const SHARD_BYTES = 8192;
const INDEX = [
  { format: 'tubelet shards 1', settings: { sources: 'a', count: 3, size: 160, crop: 'none', encoder: 'x' } },
  { key: '000000', shard: 0, at: [512, 200, 1536, 1000], label: 'smile' },
  { rejected: '/videos/b.mp4', reason: 'cut short' },
  { key: '000002', shard: 0, at: [3072, 200, 4096, 1000] },
  { complete: true },
];
const DESCRIPTION = {
  ...{ source: '/videos/a.mp4', label: 'smile', frames: 3, framesPerSecond: 25 },
  header: {
    ...{ width: 160, height: 160, seekable: true, colour: { matrix: 'bt601', fullRange: false } },
    container: { startSeconds: 0, rotation: 0 },
    times: { count: 3, first: 0, last: 0.08 },
  },
};
const UNEVEN = {
  ...DESCRIPTION,
  header: { ...DESCRIPTION.header, times: { unit: 0.001, ticks: [0, 40, 80] } },
};

const FFMPEG_LOG = [
  "Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'file:a.mp4':",
  '  Duration: 00:00:02.00, start: 0.080000, bitrate: 40 kb/s',
  '  Stream #0:0[0x1](und): Video: h264 (High) (avc1 / 0x31637661), yuv420p(tv, bt709), 320x240 [SAR 1:1], 25 fps, 25 tbr',
  '      displaymatrix: rotation of -90.00 degrees',
  'Output #0, framecrc, to pipe:1',
].join('\n');
const FRAME_LIST = '#tb 0: 1/12800\n0, 0, 0, 512, 100, 0xab\n0, 512, 1024, 512, 90, 0xcd\n';

/** How long a decoder process may take, in milliseconds; a video of 12 frames takes a few. */
const DECODER_LIMIT_MS = 5000;

export async function videoReaders(folder: string): Promise<Reader[]> {
  mkdirSync(folder, { recursive: true });
  const [h264, vp8] = [join(folder, 'h264.mp4'), join(folder, 'vp8.webm')];
  await writeNumberedVideo(h264, 12);
  await encodeWithWebCodecs(vp8, 'vp8', { width: 32, height: 32, count: 6 });
  const videos = [h264, vp8].map((path) => readFileSync(path));

  const pixels = Buffer.from(Array.from({ length: 24 * 20 * 3 }, (_, i) => (i * 7) % 256));
  const image = sharp(pixels, { raw: { width: 24, height: 20, channels: 3 } });
  const images = await Promise.all([image.clone().jpeg().toBuffer(), image.clone().png().toBuffer()]);

  const shards = join(folder, 'shards');
  mkdirSync(shards, { recursive: true });
  const index = join(shards, 'index.jsonl');
  writeFileSync(join(shards, 'shard-000000.tar'), Buffer.alloc(SHARD_BYTES));
  const member = join(folder, 'member.tar');
  const name = `${member}/000000.mp4`;
  const frame = join(folder, 'frame.jpg');
  const video = join(folder, 'damaged.mp4');
  const writeVideo = (bytes: Uint8Array) => writeFileSync(video, bytes);
  const decoder = new DecoderProcess(fileURLToPath(await scriptFile('decoder-process')), {
    limitMs: DECODER_LIMIT_MS,
  });
  const runner = await createRunner(await resolveFfmpeg());

  const cached = join(folder, 'cache');
  const cache = new HeaderCache(cached, 'decoder 1');
  const known = {
    ...DESCRIPTION.header,
    path: h264,
    kind: 'video' as const,
    timesSeconds: Float64Array.of(0, 0.04, 0.1),
  };
  cache.remember(
    { ...known, frameCount: 3, framesPerSecond: 25, durationSeconds: 0.12 } as never,
    statSync(h264),
  );
  const cacheFile = join(cached, readdirSync(cached)[0]!);

  return [
    {
      name: 'index of shards',
      inputs: fc.oneof(
        damaged([lines(INDEX)]),
        changed([INDEX]).map((value) => lines(Array.isArray(value) ? value : [value])),
      ),
      ...{ share: 8_000, refusals: ['VideoSourceError', 'NoReadableVideoError'], names: shards },
      read: (bytes) => {
        writeFileSync(index, bytes);
        return listVideos(index);
      },
    },
    {
      name: 'description in a shard',
      inputs: fc.oneof(
        damaged([DESCRIPTION, UNEVEN].map((value) => Buffer.from(JSON.stringify(value)))),
        changed([DESCRIPTION, UNEVEN]).map((value) => Buffer.from(JSON.stringify(value) ?? '')),
      ),
      ...{ share: 5_000, refusals: ['VideoDecodeError'], names: name },
      read: (bytes) => {
        writeFileSync(member, bytes);
        const place = { begin: 0, length: bytes.length };
        return readMemberInfo(name, { shard: member, description: place, video: { begin: 0, length: 2000 } });
      },
    },
    {
      ...{ name: 'cache of headers', inputs: damaged([readFileSync(cacheFile)]), share: 2_000, refusals: [] },
      read: (bytes) => {
        writeFileSync(cacheFile, bytes);
        return cache.find(h264, statSync(h264));
      },
    },
    {
      ...{
        name: 'jpg and png',
        inputs: damaged(images),
        share: 4_000,
        refusals: ['VideoDecodeError'],
        names: frame,
      },
      read: (bytes) => {
        writeFileSync(frame, bytes);
        return readFrame(frame);
      },
    },
    {
      name: 'what ffmpeg says',
      inputs: damaged([Buffer.from(FFMPEG_LOG), Buffer.from(FRAME_LIST)]),
      ...{ share: 5_000, refusals: [] },
      read: (bytes) => {
        const text = Buffer.from(bytes).toString('latin1');
        return [parseInputHeader(text), parseFrameList(text)];
      },
    },
    {
      // What it refuses is ffmpeg's to try. A file over which it hangs or dies costs a process.
      name: 'mp4 and webm, by a decoder process',
      inputs: damaged(videos),
      ...{ share: 3_000, refusals: ['RefusedVideoError', 'VideoDecodeError'] },
      read: (bytes) => {
        writeVideo(bytes);
        return decoder.ask({ kind: 'probe', path: video });
      },
    },
    {
      name: 'mp4 and webm, by ffmpeg',
      inputs: damaged(videos),
      ...{ share: 100, refusals: ['VideoDecodeError'], names: video },
      read: (bytes) => {
        writeVideo(bytes);
        return probeVideo(runner, { path: video });
      },
    },
  ];
}
