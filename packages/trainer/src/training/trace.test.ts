import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../testing/temporary-folder.js';
import { nextTracePath, nowMs, Trace } from './trace.js';

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly tid: number;
  readonly ts: number;
  readonly dur: number;
  readonly args: Record<string, unknown>;
}

it('is an array of events that begin and last as they did, each on the track of its kind', async () => {
  const path = join(await temporaryFolder(), 'trace.json');
  const trace = new Trace(path);
  const start = nowMs();
  trace.span('steps', 'step 1', start, start + 2.5, { loss: 0.5 });
  // A GPU whose clock began elsewhere: the kernels began when they were handed over, or later.
  const submittedMs = performance.now();
  trace.kernels([{ kernel: 'matmul', startMs: 5000, endMs: 5001 }], submittedMs);
  trace.kernels([{ kernel: 'gelu', startMs: 5010, endMs: 5010.25 }], submittedMs + 4);
  trace.close();
  const events = JSON.parse(await readFile(path, 'utf8')) as TraceEvent[];
  const tracks = new Map(
    events.filter(({ ph }) => ph === 'M').map(({ tid, args }) => [args.name, tid] as const),
  );
  const [step, matmul, gelu] = events.filter(({ ph }) => ph === 'X') as [TraceEvent, TraceEvent, TraceEvent];
  expect(step).toMatchObject({ name: 'step 1', tid: tracks.get('steps'), dur: 2500, args: { loss: 0.5 } });
  expect(matmul).toMatchObject({ name: 'matmul', tid: tracks.get('kernels'), dur: 1000 });
  expect(gelu).toMatchObject({ name: 'gelu', dur: 250 });
  expect(gelu.ts - matmul.ts).toBe(10_000);
  expect(matmul.ts).toBeGreaterThanOrEqual(step.ts);
});

it('has a next part for a run that goes on', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'look.json');
  expect(nextTracePath(path)).toBe(path);
  await writeFile(path, '[');
  expect(nextTracePath(path)).toBe(join(folder, 'look.2.json'));
  await writeFile(join(folder, 'look.2.json'), '[');
  expect(nextTracePath(path)).toBe(join(folder, 'look.3.json'));
});
