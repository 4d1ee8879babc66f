import { DatasetError, type DatasetProblem } from './dataset.js';

/** Collects what is wrong, so that all of it can be told at once. */
export class Problems {
  private readonly list: DatasetProblem[] = [];

  add(where: string, problem: string, remedy: string): void {
    this.list.push({ where, problem, remedy });
  }

  get count(): number {
    return this.list.length;
  }

  /** @throws DatasetError with all of them, unless there are none */
  throwIfAny(): void {
    if (this.list.length > 0) throw new DatasetError([...this.list]);
  }
}
