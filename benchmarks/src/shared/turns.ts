import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

const TAKES_TURNS = 'TUBELET_BENCHMARK_TURNS';

/** Does some work at once or, in a program that `runInTurns` has begun, when it is that program's turn. */
export async function takeTurn<T>(work: () => Promise<T>): Promise<T> {
  if (process.env[TAKES_TURNS] !== undefined) {
    const turn = once(process, 'message');
    process.send!('waits for its turn');
    // Who gave the turns may be killed: none would come then, and an open GPU keeps a program alive.
    process.once('disconnect', endAlone);
    await turn;
    process.off('disconnect', endAlone);
  }
  return work();
}

function endAlone(): never {
  console.error('The program that gives turns has ended.');
  process.exit(1);
}

/** A program of another process: a JavaScript file and what it is given. */
export interface TurnTaker {
  readonly file: string;
  readonly args: readonly string[];
}

/**
 * Runs programs side by side whose `takeTurn` calls are worked off one at a time, a call of each program after the
 * other: whatever else the machine does then slows all of them down alike. What they do besides runs at once. Their
 * errors are printed, their output is not.
 *
 * @throws Error when one of them fails, with the last lines that it wrote to standard error, or ends without having
 *   taken a turn
 */
export async function runInTurns(programs: readonly TurnTaker[]): Promise<void> {
  const takers = programs.map((program) => new Taker(program));
  try {
    for (let next = 0; ; next = (next + 1) % takers.length) {
      await Promise.all(takers.map((taker) => taker.pause()));
      if (takers.every(({ ended }) => ended)) return;
      takers[next]!.proceed();
    }
  } finally {
    for (const taker of takers) taker.stop();
  }
}

/** Lines of a program that failed which its error repeats: it may not have been the last one that printed some. */
const LAST_LINES = 5;

class Taker {
  ended = false;
  private readonly process: ChildProcess;
  private paused: Promise<void>;
  private turns = 0;
  private lastLines = '';

  constructor(private readonly program: TurnTaker) {
    this.process = fork(program.file, program.args, {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...process.env, [TAKES_TURNS]: '1' },
    });
    this.process.stderr!.setEncoding('utf8').on('data', (text: string) => {
      process.stderr.write(text);
      this.lastLines = (this.lastLines + text)
        .split('\n')
        .slice(-LAST_LINES - 1)
        .join('\n');
    });
    this.paused = this.nextPause();
  }

  /** Waits until the program waits for its turn or has ended. */
  pause(): Promise<void> {
    return this.paused;
  }

  proceed(): void {
    if (this.ended) return;
    this.turns++;
    this.paused = this.nextPause();
    this.process.send('go on');
  }

  stop(): void {
    this.process.kill();
  }

  private nextPause(): Promise<void> {
    return new Promise((resolve, reject) => {
      const forget = () => {
        this.process.off('message', wait).off('close', end).off('error', fail);
      };
      const wait = () => {
        forget();
        resolve();
      };
      const fail = (error: Error) => {
        forget();
        reject(error);
      };
      const end = (code: number | null, signal: string | null) => {
        forget();
        this.ended = true;
        const { file } = this.program;
        if (code !== 0)
          reject(
            new Error(
              [`${file} ended with ${signal ?? `exit code ${code}`}`, this.lastLines].join('\n').trim(),
            ),
          );
        else if (this.turns === 0)
          reject(new Error(`${file} takes no turns: it is older than that, or has nothing to measure`));
        else resolve();
      };
      this.process.on('message', wait).on('close', end).on('error', fail);
    });
  }
}
