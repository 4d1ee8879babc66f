import type { KernelSpan } from '@tubelet/kernels';
import { existsSync } from 'node:fs';
import { format, parse } from 'node:path';
import { AppendFile } from '../formats/append-file.js';

/** The present in milliseconds, with fractions, since 1970. */
export const nowMs = (): number => performance.timeOrigin + performance.now();

const TRACKS = [
  'steps',
  'waiting for data',
  'waiting for the GPU',
  'waiting for ranks',
  'kernels',
  'writing',
] as const;
export type Track = (typeof TRACKS)[number];

/** Where a run that goes on writes its trace: `trace.2.json` where `trace.json` tells of what was before, and so on. */
export function nextTracePath(path: string): string {
  const { base: _, name, ...place } = parse(path);
  let next = path;
  for (let part = 2; existsSync(next); part++) next = format({ ...place, name: `${name}.${part}` });
  return next;
}

/**
 * What a training does when, as a file that ui.perfetto.dev and Chrome's tracing show: an array of trace events, one a
 * line, with times in microseconds. A run that is killed leaves it without its last bracket, which both put up with.
 */
export class Trace {
  private readonly file: AppendFile;
  private readonly beganMs = nowMs();
  private isEmpty = true;
  private isClosed = false;
  /** From the GPU's clock to this process's. */
  private gpuOffsetMs = Number.NEGATIVE_INFINITY;

  /**
   * Writes over a file that is there.
   *
   * @throws FileWriteError where it cannot be written
   */
  constructor(path: string) {
    this.file = new AppendFile(path, 0);
    this.write(TRACKS.map((name, tid) => ({ name: 'thread_name', ph: 'M', pid: 1, tid, args: { name } })));
  }

  /** One thing that took its time; times as `nowMs` tells them. */
  span(track: Track, name: string, startMs: number, endMs: number, args: object = {}): void {
    this.write([this.event(track, name, startMs, endMs, args)]);
  }

  /**
   * Kernels that were handed to the GPU together. The GPU has a clock of its own: it is set so that no kernel begins
   * before it was handed over, which is off by the least time that this takes.
   */
  kernels = (spans: readonly KernelSpan[], submittedMs: number): void => {
    const [first] = spans;
    if (!first) return;
    const handedOverMs = performance.timeOrigin + submittedMs;
    this.gpuOffsetMs = Math.max(this.gpuOffsetMs, handedOverMs - first.startMs);
    const offset = this.gpuOffsetMs;
    this.write(
      spans.map(({ kernel, startMs, endMs }) =>
        this.event('kernels', kernel, startMs + offset, endMs + offset, {}),
      ),
    );
  };

  /** What is told later, such as kernels of a run that failed, is left out. */
  close(): void {
    this.isClosed = true;
    this.file.append(new TextEncoder().encode('\n]\n'));
    this.file.close();
  }

  private event(track: Track, name: string, startMs: number, endMs: number, args: object): object {
    const ts = Math.round(1000 * (startMs - this.beganMs));
    const dur = Math.max(0, Math.round(1000 * (endMs - startMs)));
    return { name, ph: 'X', pid: 1, tid: TRACKS.indexOf(track), ts, dur, args };
  }

  private write(events: readonly object[]): void {
    if (this.isClosed) return;
    const lines = events.map((event) => JSON.stringify(event)).join(',\n');
    this.file.append(new TextEncoder().encode((this.isEmpty ? '[\n' : ',\n') + lines));
    this.isEmpty = false;
  }
}
