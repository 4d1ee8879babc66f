import { type DecoderConfig, type EncoderConfig } from '@tubelet/mae-dfer';
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Task } from '../model/workload.js';
import { CannotError } from './budget.js';
import { ROOT } from './machine.js';
import type { PytorchAbout } from './report.js';

/** What PyTorch is to take steps of. */
export interface PytorchStep {
  readonly encoder: EncoderConfig;
  readonly decoder: DecoderConfig;
  readonly task: Task;
  readonly clips: number;
  readonly maskRatio: number;
  readonly precision: 'tf32' | 'bf16';
  readonly compiled: boolean;
}

/**
 * `benchmarks/pytorch/steps.py` in a process of its own, which holds one model at a time. It is ended where an answer is
 * not there in time.
 */
export class Pytorch {
  about!: PytorchAbout;
  private readonly lines: AsyncIterator<string>;
  private readonly ended: Promise<string>;

  private constructor(
    private readonly child: ChildProcessByStdio<Writable, Readable, null>,
    private readonly secondsLeft: () => number,
  ) {
    this.lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    this.ended = new Promise((resolve) => {
      child.on('error', ({ message }) => resolve(message));
      child.on('exit', (code, signal) => resolve(`it ended with ${signal ?? code}`));
    });
    child.stdin.on('error', () => undefined); // That the process has ended is told by its answer.
  }

  /**
   * Starts the process, which holds its model to the reference numbers first.
   *
   * @param secondsLeft how long the next answer may take
   * @throws CannotError where this Python has no PyTorch, or there is none
   */
  static async open(python: string, secondsLeft: () => number): Promise<Pytorch> {
    const script = join(ROOT, 'benchmarks', 'pytorch', 'steps.py');
    const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1' };
    const opened = new Pytorch(
      spawn(python, [script], { env, stdio: ['pipe', 'pipe', 'inherit'] }),
      secondsLeft,
    );
    opened.about = await opened.answer<PytorchAbout>(`${python} with PyTorch`);
    return opened;
  }

  get isOnProcessor(): boolean {
    return this.about.device === 'processor';
  }

  /** Makes a model and takes a few steps, the first of which compiles. */
  async openModel(step: PytorchStep): Promise<{ readonly peakBytes: number | null }> {
    this.send({ open: step });
    return this.answer('its first steps');
  }

  /** Seconds of each of so many steps in a row. */
  async take(steps: number): Promise<number> {
    this.send({ take: steps });
    return (await this.answer<{ readonly seconds: number }>('its steps')).seconds;
  }

  async closeModel(): Promise<void> {
    this.send({ close: true });
    await this.answer('closing its model');
  }

  close(): void {
    this.child.stdin.end();
    this.child.kill();
  }

  private send(request: object): void {
    this.child.stdin.write(`${JSON.stringify(request)}\n`);
  }

  private async answer<T>(what: string): Promise<T> {
    const limit = Math.max(1, this.secondsLeft());
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.child.kill('SIGKILL');
    }, 1000 * limit);
    const { value, done } = await this.lines.next().finally(() => clearTimeout(timer));
    if (done)
      throw new CannotError(
        `${what}: ${isLate ? `no answer within ${limit.toFixed(0)} s` : await this.ended}`,
      );
    const answer = JSON.parse(value) as T & { readonly error?: string };
    if (answer.error !== undefined) throw new CannotError(`${what}: ${answer.error}`);
    return answer;
  }
}
