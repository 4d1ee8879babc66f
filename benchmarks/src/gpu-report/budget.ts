import { OutOfMemoryError } from '@tubelet/kernels';

/** The machine cannot do what was asked; the message says why. That is no failure of the report. */
export class CannotError extends Error {}

/** The time that a report may take, dealt out to its parts; what does not fit is named. */
export class Budget {
  /** What there was no time for, or the machine cannot do; and what failed. */
  readonly leftOut: string[] = [];
  readonly failed: string[] = [];
  private readonly begin: number;

  constructor(
    private readonly seconds: number,
    private readonly nowMs: () => number = () => performance.now(),
  ) {
    this.begin = nowMs();
  }

  /** Seconds since the report was begun. */
  get spent(): number {
    return (this.nowMs() - this.begin) / 1000;
  }

  get left(): number {
    return this.seconds - this.spent;
  }

  /** Begins a part that is to take no more than this share of all the time, nor more than is left. */
  part(name: string, share: number): Part {
    return new Part(this, name, Math.min(share * this.seconds, this.left) + this.spent);
  }
}

/** A part of a report, which takes its items in turn until its time is over. */
export class Part {
  constructor(
    private readonly budget: Budget,
    private readonly name: string,
    private readonly end: number,
  ) {}

  /** Seconds that are left of it. */
  get left(): number {
    return this.end - this.budget.spent;
  }

  /** Whether there is time for an item that takes about so long; it is noted if not. */
  allows(item: string, seconds = 0): boolean {
    if (this.left > seconds) return true;
    this.leaveOut(item, 'no time was left');
    return false;
  }

  /** What an item gives; undefined, and noted, where it fails: a GPU is rarely at hand, and the others go on. */
  async attempt<T>(item: string, measure: () => Promise<T>): Promise<T | undefined> {
    try {
      return await measure();
    } catch (error) {
      const { message } = error as Error;
      const isExpected = error instanceof CannotError || error instanceof OutOfMemoryError;
      if (isExpected) this.leaveOut(item, message);
      else {
        console.error(process.env['TUBELET_DEBUG'] === '1' ? error : `failed: ${item}: ${message}`);
        this.budget.failed.push(`${this.name}: ${item}: ${message}`);
      }
      return undefined;
    }
  }

  leaveOut(item: string, reason: string): void {
    const line = `${this.name}: ${item}: ${reason}`;
    console.error(`left out: ${line}`);
    this.budget.leftOut.push(line);
  }
}
