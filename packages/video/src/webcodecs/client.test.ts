import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { VideoDecodeError } from '../errors.js';
import { temporaryFolder } from '../testing/videos.js';
import { scriptFile } from '../loader/worker-file.js';
import { DecoderProcess, WebCodecsNotFoundError, type DecoderProcessOptions } from './client.js';
import { findWebCodecs } from './find.js';
import { RefusedVideoError } from './refused.js';

/** The decoder is an optional package: not every machine has it. */
const missing = await findWebCodecs().then(
  () => false,
  () => true,
);
const folder = temporaryFolder();
const file = (name: string) => join(folder.path, name);
afterAll(() => folder.remove());

/** A process that does what the path of a request says, and otherwise answers with it. */
const script = file('stand-in.mjs');
writeFileSync(
  script,
  `process.on('message', ({ path }) => {
  if (path === 'crash') process.kill(process.pid, 'SIGSEGV');
  else if (path === 'refuse') process.send({ kind: 'refused', reason: 'not mine' });
  else if (path !== 'hang') process.send({ kind: 'done', value: { path, pid: process.pid } });
});
process.on('disconnect', () => process.exit());
process.send({ kind: 'ready' });
`,
);

const alive = new Set<number>();
const processes: DecoderProcess[] = [];
function start(options: DecoderProcessOptions = {}, path = script): DecoderProcess {
  const decoder = new DecoderProcess(path, {
    onProcess: (pid, isAlive) => void (isAlive ? alive.add(pid) : alive.delete(pid)),
    ...options,
  });
  processes.push(decoder);
  return decoder;
}
const probe = (decoder: DecoderProcess, path: string) => decoder.ask({ kind: 'probe', path });
const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

afterEach(async () => {
  await Promise.all(processes.splice(0).map((decoder) => decoder.close()));
});

const exists = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
async function untilGone(pid: number): Promise<void> {
  while (exists(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe('DecoderProcess', () => {
  it('lives on from one request to the next, and is gone once it is closed', async () => {
    const decoder = start();
    const first = await probe(decoder, 'a.mp4');
    expect(await probe(decoder, 'a.mp4')).toEqual(first);
    expect(alive.size).toBe(1);
    const [pid] = [...alive] as [number];
    await decoder.close();
    expect(exists(pid)).toBe(false);
    expect(alive.size).toBe(0);
  });

  it('blames the file that brings it down, and starts again', async () => {
    const decoder = start();
    const error = await failureOf(probe(decoder, 'crash'));
    expect(error).toBeInstanceOf(VideoDecodeError);
    expect(error).toMatchObject({ path: 'crash', reason: 'the decoder process ended with SIGSEGV' });
    expect(await probe(decoder, 'b.mp4')).toMatchObject({ path: 'b.mp4' });
  });

  it('ends a process that hangs over a file', async () => {
    const decoder = start({ limitMs: 300 });
    const error = await failureOf(probe(decoder, 'hang'));
    expect(error).toMatchObject({ path: 'hang', reason: 'the decoder process gave no answer for 0.3 s' });
    expect(await probe(decoder, 'b.mp4')).toMatchObject({ path: 'b.mp4' });
    expect(alive.size).toBe(1);
  });

  it('starts again after a death in idleness', async () => {
    const decoder = start();
    await probe(decoder, 'a.mp4');
    const [pid] = [...alive] as [number];
    process.kill(pid, 'SIGKILL');
    while (alive.size > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(await probe(decoder, 'b.mp4')).toMatchObject({ path: 'b.mp4' });
  });

  it.skipIf(missing || process.platform === 'win32')('outlives signals', async () => {
    const decoder = start({}, fileURLToPath(await scriptFile('decoder-process')));
    await decoder.ready();
    const [pid] = [...alive] as [number];
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1']) process.kill(pid, signal);
    expect(await failureOf(probe(decoder, file('nowhere.mp4')))).toBeInstanceOf(RefusedVideoError);
    expect([...alive]).toEqual([pid]);
  });

  it('passes on what is left to ffmpeg', async () => {
    const error = await failureOf(probe(start(), 'refuse'));
    expect(error).toBeInstanceOf(RefusedVideoError);
    expect((error as Error).message).toBe('not mine');
  });

  it('says why a process cannot start', async () => {
    writeFileSync(file('broken.mjs'), `process.send({ kind: 'ready', failure: 'no such library' });`);
    const error = await failureOf(start({}, file('broken.mjs')).ready());
    expect(error).toBeInstanceOf(WebCodecsNotFoundError);
    expect((error as Error).message).toBe('no such library');
  });

  it('ends with its parent, however that ends', async () => {
    const decoderProcess = fileURLToPath(await scriptFile('decoder-process'));
    writeFileSync(
      file('parent.mjs'),
      `import { fork } from 'node:child_process';
const child = fork(${JSON.stringify(decoderProcess)}, { serialization: 'advanced', detached: true });
child.once('message', () => console.log(child.pid));
setInterval(() => {}, 1000);
`,
    );
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
      const parent = spawn(process.execPath, [file('parent.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] });
      const [line] = (await once(parent.stdout, 'data')) as [Buffer];
      const pid = Number(line.toString());
      expect(exists(pid)).toBe(true);
      parent.kill(signal);
      await untilGone(pid);
    }
  });
});
