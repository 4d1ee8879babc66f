import { countForward, type ForwardCount } from './count-flops.js';
import type { PaperRow } from './paper-rows.js';
import type { Runtime } from '@tubelet/kernels';

/** A row of the paper with what the ledger says. */
export interface FlopsRow extends PaperRow {
  readonly count: ForwardCount;
  /** To one decimal, as the paper prints. */
  readonly computedParametersM: number;
  readonly computedGigaflops: number;
  readonly equal: boolean;
}

const oneDecimal = (value: number) => Number(value.toFixed(1));

/** Runs one forward pass for every distinct configuration; rows that share one share its count. */
export async function flopsReport(
  runtime: Runtime,
  rows: readonly PaperRow[],
  onRow: (name: string) => void = () => undefined,
): Promise<FlopsRow[]> {
  const counts = new Map<string, ForwardCount>();
  const report: FlopsRow[] = [];
  for (const row of rows) {
    const key = JSON.stringify(Object.entries(row.encoder).sort());
    let count = counts.get(key);
    if (!count) {
      onRow(`${row.table}, ${row.name}`);
      counts.set(key, (count = await countForward(runtime, row.encoder)));
    }
    report.push(compareRow(row, count));
  }
  return report;
}

/** Whether a count agrees with the paper at the decimal that it prints. */
export function compareRow(row: PaperRow, count: ForwardCount): FlopsRow {
  const computedParametersM = oneDecimal(count.parameters / 1e6);
  const computedGigaflops = oneDecimal(count.flops / 1e9);
  return {
    ...row,
    count,
    computedParametersM,
    computedGigaflops,
    equal: computedParametersM === row.parametersM && computedGigaflops === row.gigaflops,
  };
}

/** The table that `bench:flops` prints. */
export function formatFlops(rows: readonly FlopsRow[]): string {
  const lines = [
    `${''.padEnd(42)}#Params (M)                FLOPs (G)`,
    `${'row of the paper'.padEnd(42)}ledger  | paper | equal    ledger  | paper | equal`,
  ];
  for (const row of rows) {
    const { count } = row;
    lines.push(
      `${row.table}, ${row.name}`.padEnd(42) +
        cells(count.parameters / 1e6, row.computedParametersM, row.parametersM) +
        '    ' +
        cells(count.flops / 1e9, row.computedGigaflops, row.gigaflops),
    );
  }
  const equal = rows.filter((row) => row.equal).length;
  lines.push('', `${equal} of ${rows.length} rows equal the paper at the printed decimal.`);
  return lines.join('\n');
}

function cells(exact: number, computed: number, paper: number): string {
  const same = computed === paper ? 'yes' : `NO (${exact.toFixed(3)})`;
  return `${computed.toFixed(1).padStart(6)}  | ${paper.toFixed(1).padStart(5)} | ${same.padEnd(5)}`;
}
