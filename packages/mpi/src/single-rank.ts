import type { Communicator, Numbers } from './communicator.js';

/** A process of its own: no library is needed to speak with nobody. */
export class SingleRank implements Communicator {
  readonly rank = 0;
  readonly size = 1;
  readonly localRank = 0;
  readonly localSize = 1;
  readonly description = 'one rank';

  async barrier(): Promise<void> {}
  async broadcast(): Promise<void> {}
  async sum(values: Numbers, result: Numbers = values): Promise<void> {
    if (result !== values) result.set(values);
  }
  async max(): Promise<void> {}
  async gather<T>(value: T): Promise<T[]> {
    return [value];
  }
  async close(): Promise<void> {}
}
