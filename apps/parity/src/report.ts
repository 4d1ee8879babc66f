import { relativeError } from '@tubelet/autograd';

/** Bounds on ‖out − ref‖/‖ref‖: f32 rounding through a whole model, by kind of value. */
export const BOUNDS = { forward: 5e-6, gradient: 1e-5, parameter: 1e-5, exact: 0 } as const;

export type ValueKind = keyof typeof BOUNDS;

export interface Comparison {
  readonly group: string;
  readonly tensor: string;
  readonly kind: ValueKind;
  readonly error: number;
  readonly bound: number;
}

// Tensors of these kinds are many: a summary has the worst of each family, named up to its colon.
const FAMILY = /^(gradient|parameter|undecided|frames|argument)[^:]*:/;
// The longest line of a summary fits.
const TENSOR_WIDTH = 78;

/** Collects comparisons of one run. */
export class Report {
  readonly comparisons: Comparison[] = [];
  /** Parts of the folder that were not compared, with the reason. */
  readonly omissions: string[] = [];

  compare(
    group: string,
    tensor: string,
    kind: ValueKind,
    actual: ArrayLike<number>,
    expected: ArrayLike<number>,
  ): void {
    this.add(group, tensor, kind, relativeError(actual, expected));
  }

  /** A scalar whose reference may be a rounded f32. */
  compareScalar(group: string, tensor: string, kind: ValueKind, actual: number, expected: number): void {
    this.add(group, tensor, kind, relativeError([actual], [expected]));
  }

  /** A difference that has a bound of its own. */
  compareDifference(group: string, tensor: string, kind: ValueKind, difference: number, bound: number): void {
    this.comparisons.push({ group, tensor, kind, error: difference, bound });
  }

  omit(what: string): void {
    this.omissions.push(what);
  }

  get failures(): Comparison[] {
    return this.comparisons.filter(({ error, bound }) => !(error <= bound));
  }

  /** A line a tensor, members of families summed up by their worst unless `all`. */
  format({ all = false } = {}): string {
    const lines = [
      `${'case'.padEnd(32)}${'tensor'.padEnd(TENSOR_WIDTH)}${'error'.padStart(10)}${'bound'.padStart(10)}`,
    ];
    const rows = all ? this.comparisons : this.summarised();
    for (const { group, tensor, error, bound } of rows) {
      const mark = error <= bound ? '' : '  FAILED';
      lines.push(
        group.padEnd(32) +
          tensor.padEnd(TENSOR_WIDTH) +
          error.toExponential(1).padStart(10) +
          `${Number(bound.toPrecision(2))}`.padStart(10) +
          mark,
      );
    }
    for (const what of this.omissions) lines.push(`not compared: ${what}`);
    const { failures } = this;
    lines.push(
      failures.length === 0
        ? `${this.comparisons.length} tensors compared, all within their bounds`
        : `${failures.length} of ${this.comparisons.length} tensors beyond their bounds: ` +
            failures.map(({ group, tensor }) => `${group} ${tensor}`).join(', '),
    );
    return lines.join('\n');
  }

  private summarised(): Comparison[] {
    const rows: Comparison[] = [];
    const families = new Map<string, Comparison[]>();
    for (const comparison of this.comparisons) {
      const family = FAMILY.exec(comparison.tensor)?.[0];
      if (!family || !(comparison.error <= comparison.bound)) {
        rows.push(comparison);
        continue;
      }
      const key = `${comparison.group} ${family}`;
      const members = families.get(key);
      if (members) members.push(comparison);
      else {
        families.set(key, [comparison]);
        rows.push(comparison);
      }
    }
    return rows.map((row) => {
      const family = FAMILY.exec(row.tensor)?.[0];
      const members = family ? families.get(`${row.group} ${family}`) : undefined;
      if (!members?.includes(row)) return row;
      const worst = members.reduce((a, b) => (b.error > a.error ? b : a));
      return {
        ...worst,
        tensor: `${family} worst of ${members.length}, ${worst.tensor.slice(family!.length + 1)}`,
      };
    });
  }

  private add(group: string, tensor: string, kind: ValueKind, error: number): void {
    this.comparisons.push({ group, tensor, kind, error, bound: BOUNDS[kind] });
  }
}
