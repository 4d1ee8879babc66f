/**
 * Work done per second over the last few steps. The first one counts only until there is a second: what it warms up says
 * nothing of the others.
 */
export class RateMeter {
  readonly #times: { readonly atMs: number; readonly amount: number }[] = [];
  #isWarm = false;

  /**
   * @param nowMs the present, in milliseconds; work is counted from here on
   * @param windowSteps over how many steps the rate is taken
   */
  constructor(
    nowMs: number,
    private readonly windowSteps = 20,
  ) {
    this.#times.push({ atMs: nowMs, amount: 0 });
  }

  add(amount: number, nowMs: number): void {
    this.#times.push({ atMs: nowMs, amount });
    const isSecond = !this.#isWarm && this.#times.length === 3;
    if (isSecond || this.#times.length > this.windowSteps + 1) this.#times.shift();
    if (isSecond) this.#isWarm = true;
  }

  /** Counts the last `durationMs` as no work. */
  pause(durationMs: number): void {
    for (const [i, entry] of this.#times.entries()) {
      this.#times[i] = { ...entry, atMs: entry.atMs + durationMs };
    }
  }

  /** 0 until there has been work. */
  get perSecond(): number {
    const first = this.#times[0];
    const last = this.#times.at(-1);
    if (!first || !last || last.atMs <= first.atMs) return 0;
    const amount = this.#times.slice(1).reduce((sum, entry) => sum + entry.amount, 0);
    return (amount * 1000) / (last.atMs - first.atMs);
  }
}

/** Named numbers of a step, such as `loss`, `loss/motion`, `lr`. */
export type Metrics = Readonly<Record<string, number>>;

/** The metric of how many steps so far a loss scale has skipped: reports tell its last value. */
export const SKIPPED_STEPS = 'skipped steps';
