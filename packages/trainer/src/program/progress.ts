import cliProgress from 'cli-progress';
import type { Metrics } from './meters.js';

/** Where a run stands after a step. */
export interface ProgressUpdate {
  readonly completedSteps: number;
  readonly totalSteps: number;
  /** Counted from 0. */
  readonly epoch: number;
  readonly metrics: Metrics;
  readonly clipsPerSecond: number;
  /** How long the step waited for batches. */
  readonly dataWaitMs: number;
  /** How long it waited for the GPU. */
  readonly gpuWaitMs: number;
  readonly remainingMs: number;
}

export interface Progress {
  update(update: ProgressUpdate): void;
  /** Prints a line without disturbing the bar. */
  note(message: string): void;
  stop(): void;
}

/** Seconds, minutes and hours, such as `41s`, `3m05s`, `12h40m`, `3d04h`. */
export function formatDuration(durationMs: number): string {
  if (!Number.isFinite(durationMs)) return '?';
  const seconds = Math.round(durationMs / 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)}h${two(minutes % 60)}m`;
  const hours = Math.floor(minutes / 60);
  return `${Math.floor(hours / 24)}d${two(hours % 24)}h`;
}

function formatMetric(value: number): string {
  // A count, or a power of two.
  if (Number.isSafeInteger(value)) return String(value);
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(2) : value.toFixed(4);
}

/** One line about a step: metrics in the order given, speed, what it waited for, and the time left. */
export function formatUpdate(update: ProgressUpdate): string {
  const { metrics, clipsPerSecond, dataWaitMs, gpuWaitMs, remainingMs, epoch } = update;
  const values = Object.entries(metrics).map(([name, value]) => `${name} ${formatMetric(value)}`);
  const speed = `${clipsPerSecond.toFixed(clipsPerSecond < 10 ? 2 : 0)} clips/s`;
  const waits = `waited ${dataWaitMs} ms for data, ${gpuWaitMs} for the GPU`;
  return [`epoch ${epoch + 1}`, ...values, speed, waits, `ETA ${formatDuration(remainingMs)}`].join('  ');
}

/** Between two plain lines passes at least so long: a log file does not want one for every step. */
const PLAIN_INTERVAL_MS = 10_000;

/** Where a count and a text about it are shown. */
interface Display {
  show(done: number, total: number, text: string): void;
  /** Prints a line. */
  note(message: string): void;
  stop(): void;
}

class PlainDisplay implements Display {
  constructor(
    private readonly stream: NodeJS.WritableStream,
    private readonly nowMs: () => number,
    /** Stands in front of the count. */
    private readonly prefix: string,
    private lastMs: number,
  ) {}

  show(done: number, total: number, text: string): void {
    const nowMs = this.nowMs();
    if (done < total && nowMs - this.lastMs < PLAIN_INTERVAL_MS) return;
    this.lastMs = nowMs;
    this.note(`${this.prefix}${done}/${total}  ${text}`);
  }

  note(message: string): void {
    this.stream.write(`${message}\n`);
  }

  stop(): void {
    // Every line is already out.
  }
}

class BarDisplay implements Display {
  #bars: cliProgress.MultiBar;
  #bar: cliProgress.SingleBar | null = null;

  constructor(private readonly stream: NodeJS.WritableStream) {
    this.#bars = this.#create();
  }

  #create(): cliProgress.MultiBar {
    // `gracefulExit` would answer SIGINT in place of the training loop.
    return new cliProgress.MultiBar({
      stream: this.stream,
      format: '{bar} {value}/{total}  {text}',
      barsize: 20,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      hideCursor: true,
      clearOnComplete: false,
      gracefulExit: false,
    });
  }

  show(done: number, total: number, text: string): void {
    this.#bar ??= this.#bars.create(total, done, { text });
    this.#bar.update(done, { text });
  }

  note(message: string): void {
    if (!this.#bar) {
      this.stream.write(`${message}\n`);
      return;
    }
    this.#bars.log(`${message}\n`);
    // Drawn at once: what waits for the next drawing would be lost when the bar stops before it.
    this.#bars.update();
  }

  stop(): void {
    if (!this.#bar) return;
    this.#bars.stop();
    // There may be more to show: a stopped one would draw its old bar again.
    this.#bars = this.#create();
    this.#bar = null;
  }
}

type ProgressStream = NodeJS.WritableStream & { readonly isTTY?: boolean };

/** Of a training: a bar on a terminal; elsewhere plain lines, one every ten seconds and the last. */
export function createProgress(
  stream: ProgressStream = process.stderr,
  nowMs: () => number = Date.now,
): Progress {
  const display =
    stream.isTTY === true
      ? new BarDisplay(stream)
      : new PlainDisplay(stream, nowMs, 'step ', Number.NEGATIVE_INFINITY);
  return {
    update: (update) => display.show(update.completedSteps, update.totalSteps, formatUpdate(update)),
    note: (message) => display.note(message),
    stop: () => display.stop(),
  };
}

/** Shows how many of many things are done. */
export interface Counter {
  update(done: number, total: number): void;
  /** Prints a line without disturbing the bar. */
  note(message: string): void;
  stop(): void;
}

/**
 * Of a count, with its speed and the time left: a bar on a terminal; elsewhere plain lines, one every ten seconds and
 * the last.
 *
 * @param things what is counted, in the plural
 */
export function createCounter(
  things: string,
  stream: ProgressStream = process.stderr,
  nowMs: () => number = Date.now,
): Counter {
  const startMs = nowMs();
  const display =
    stream.isTTY === true ? new BarDisplay(stream) : new PlainDisplay(stream, nowMs, '', startMs);
  return {
    update(done, total) {
      const msEach = (nowMs() - startMs) / done;
      const perSecond = 1000 / msEach;
      const speed = Number.isFinite(perSecond) ? `${perSecond.toFixed(perSecond < 10 ? 2 : 0)}/s` : '?/s';
      display.show(done, total, `${things}  ${speed}  ETA ${formatDuration(msEach * (total - done))}`);
    },
    note: (message) => display.note(message),
    stop: () => display.stop(),
  };
}
