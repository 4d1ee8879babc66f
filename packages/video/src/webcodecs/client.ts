/** A decoder process as its owner sees it: started when it is first needed, and again after it died. */
import { fork, type ChildProcess } from 'node:child_process';
import { VideoDecodeError } from '../errors.js';
import type { ProcessRequest, ProcessResponse, ProcessResult } from './protocol.js';
import { RefusedVideoError } from './refused.js';

/** The library cannot be loaded on this machine. */
export class WebCodecsNotFoundError extends Error {
  override readonly name = 'WebCodecsNotFoundError';
}

const START_LIMIT_MS = 60_000;
const REQUEST_LIMIT_MS = 60_000;
/** What each frame of a request may take beyond that. */
const FRAME_LIMIT_MS = 100;

export interface DecoderProcessOptions {
  /** Told of each process that starts and ends. */
  onProcess?: (pid: number, alive: boolean) => void;
  /** How long a request may take, apart from 0.1 s for each frame; default a minute. */
  limitMs?: number | undefined;
}

/** Answers one request at a time. */
export class DecoderProcess {
  private child: Promise<ChildProcess> | undefined;
  private current: ChildProcess | undefined;

  constructor(
    private readonly script: string,
    private readonly options: DecoderProcessOptions = {},
  ) {}

  /**
   * Sends a request and waits for the answer.
   *
   * @throws RefusedVideoError where ffmpeg is to try; VideoDecodeError when the process dies or hangs over the file;
   *   WebCodecsNotFoundError.
   */
  async ask<R extends ProcessRequest>(request: R): Promise<ProcessResult[R['kind']]> {
    const child = await (this.child ??= this.start());
    const frames = 'times' in request ? request.times.length : 0;
    const limitMs = (this.options.limitMs ?? REQUEST_LIMIT_MS) + frames * FRAME_LIMIT_MS;
    try {
      const answer = await receive(child, limitMs, () => child.send(request satisfies ProcessRequest));
      if (answer.kind === 'refused') throw new RefusedVideoError(answer.reason);
      if (answer.kind === 'done') return answer.value as ProcessResult[R['kind']];
      throw new Error('A decoder process said twice that it is ready.');
    } catch (error) {
      if (error instanceof ProcessEndedError) {
        this.child = undefined;
        child.kill('SIGKILL');
        throw new VideoDecodeError(request.path, `the decoder process ${error.message}`);
      }
      throw error;
    }
  }

  /**
   * Starts the process, if it does not run yet.
   *
   * @throws WebCodecsNotFoundError where the library is missing
   */
  async ready(): Promise<void> {
    await (this.child ??= this.start());
  }

  /** Ends the process and waits until it is gone. */
  async close(): Promise<void> {
    const child = await this.child?.catch(() => undefined);
    this.child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.ref();
    child.kill('SIGKILL');
    await gone;
  }

  private async start(): Promise<ChildProcess> {
    const child = fork(this.script, {
      serialization: 'advanced',
      execArgv: [],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      // In a process group of its own: Ctrl-C on the terminal is for the program to answer.
      detached: true,
    });
    this.current = child;
    const { pid } = child;
    if (pid !== undefined) this.options.onProcess?.(pid, true);
    child.once('exit', () => {
      if (pid !== undefined) this.options.onProcess?.(pid, false);
      // One that died in idleness: the next request starts another.
      if (this.current === child) this.child = undefined;
    });
    try {
      const answer = await receive(child, START_LIMIT_MS);
      if (answer.kind === 'ready' && answer.failure !== undefined) throw new Error(answer.failure);
      // An idle process does not keep its owner alive.
      child.unref();
      child.channel?.unref();
      return child;
    } catch (error) {
      child.kill('SIGKILL');
      this.child = undefined;
      throw new WebCodecsNotFoundError((error as Error).message, { cause: error });
    }
  }
}

class ProcessEndedError extends Error {}

/**
 * The next message of a process.
 *
 * @throws ProcessEndedError when it ends, or is silent for too long
 */
function receive(child: ChildProcess, limitMs: number, ask?: () => void): Promise<ProcessResponse> {
  return new Promise((resolve, reject) => {
    const finish = (then: () => void) => {
      clearTimeout(timer);
      child.off('message', onMessage).off('exit', onExit).off('error', onError);
      then();
    };
    const onMessage = (message: ProcessResponse) => finish(() => resolve(message));
    const onError = (error: Error) => finish(() => reject(new ProcessEndedError(`failed: ${error.message}`)));
    const onExit = (code: number | null, signal: string | null) =>
      finish(() => reject(new ProcessEndedError(`ended with ${signal ?? `code ${code}`}`)));
    const timer = setTimeout(
      () => finish(() => reject(new ProcessEndedError(`gave no answer for ${limitMs / 1000} s`))),
      limitMs,
    );
    child.on('message', onMessage).on('exit', onExit).on('error', onError);
    ask?.();
  });
}
