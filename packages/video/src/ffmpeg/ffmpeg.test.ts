import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FfmpegNotFoundError, VideoDecodeError } from '../errors.js';
import { resolveFfmpeg } from './ffmpeg.js';
import { DecoderPool } from '../loader/pool.js';
import { clipFrameIndices } from '../sampling/sampling.js';
import { temporaryFolder, wasmFfmpeg, writeNumberedVideo } from '../testing/videos.js';

const folder = temporaryFolder();
const program = join(folder.path, 'ffmpeg');
const video = join(folder.path, 'a:b.mp4');

/**
 * A program that takes the arguments of ffmpeg and answers as ffmpeg does, by way of the WebAssembly build: child
 * processes can be tested where no ffmpeg is installed.
 */
async function writeStandIn(): Promise<void> {
  const { scriptPath, wasmPath } = await wasmFfmpeg();
  writeFileSync(
    program,
    `#!${process.execPath}
const fs = require('node:fs');
const args = process.argv.slice(2);
if (args.includes('-version')) {
  console.log('ffmpeg version 4.4.2-standin Copyright (c) the FFmpeg developers');
  process.exit(0);
}
globalThis.self = globalThis;
globalThis.location = { href: 'file:///' };
const at = args.indexOf('-i') + 1;
const input = args[at].replace(/^file:/, '');
args[at] = '/input.mp4';
args[args.length - 1] = '/output';
require(${JSON.stringify(scriptPath)})({ wasmBinary: fs.readFileSync(${JSON.stringify(wasmPath)}) }).then((core) => {
  core.setLogger(({ message }) => fs.writeSync(2, message + '\\n'));
  core.FS.writeFile('/input.mp4', fs.readFileSync(input));
  const exitCode = core.exec(...args);
  if (exitCode === 0) fs.writeFileSync(1, core.FS.readFile('/output'));
  process.exitCode = exitCode;
});
`,
  );
  chmodSync(program, 0o755);
}

beforeAll(async () => {
  await writeStandIn();
  await writeNumberedVideo(video, 60);
});
afterAll(() => folder.remove());

describe('resolveFfmpeg', () => {
  it('takes FFMPEG_PATH first', async () => {
    expect(await resolveFfmpeg({ FFMPEG_PATH: program })).toEqual({
      kind: 'native',
      path: program,
      version: '4.4.2-standin',
      source: 'FFMPEG_PATH',
      reason: `FFMPEG_PATH=${program}`,
    });
  });

  it('does not pass over an FFMPEG_PATH that does not run', async () => {
    await expect(resolveFfmpeg({ FFMPEG_PATH: join(folder.path, 'none') })).rejects.toThrow(
      FfmpegNotFoundError,
    );
    await expect(resolveFfmpeg({ FFMPEG_PATH: join(folder.path, 'none') })).rejects.toThrow(
      /none.*is not there/,
    );
    await expect(resolveFfmpeg({ FFMPEG_PATH: video })).rejects.toThrow(/does not run/);
    await expect(resolveFfmpeg({ FFMPEG_PATH: process.execPath })).rejects.toThrow(FfmpegNotFoundError);
  });

  it('always finds one where the optional packages are installed', async () => {
    const ffmpeg = await resolveFfmpeg({});
    expect(ffmpeg.version).toMatch(/\d/);
    expect(ffmpeg.reason).toMatch(/ffmpeg/);
  });
});

describe('an ffmpeg program', () => {
  it('gives the same bytes as the WebAssembly build', async () => {
    const answers = [];
    for (const ffmpeg of [await resolveFfmpeg({ FFMPEG_PATH: program }), await wasmFfmpeg()]) {
      const pool = await DecoderPool.open({ workers: 1, ffmpeg, decoder: 'ffmpeg' });
      const info = await pool.probe(video);
      const shape = { size: 20, crop: 'centre' } as const;
      const clip = await pool.readClip(info, clipFrameIndices(60, 13, { frames: 8, step: 4 }), shape);
      answers.push({ info, clip, range: await pool.readRange(info, shape, 50, 60) });
      await pool.close();
    }
    expect(answers[0]?.info).toEqual(answers[1]?.info);
    expect(answers[0]?.clip).toEqual(answers[1]?.clip);
    expect(answers[0]?.range).toEqual(answers[1]?.range);
    expect(answers[0]?.clip.frames).toHaveLength(8);
  });

  it('names the file that it cannot read', async () => {
    const text = join(folder.path, 'text.mp4');
    writeFileSync(text, readFileSync(program));
    const pool = await DecoderPool.open({
      workers: 1,
      ffmpeg: await resolveFfmpeg({ FFMPEG_PATH: program }),
    });
    await expect(pool.probe(text)).rejects.toThrow(VideoDecodeError);
    await expect(pool.probe(text)).rejects.toThrow(/text\.mp4 cannot be decoded: .*Invalid data/);
    await pool.close();
  });
});
