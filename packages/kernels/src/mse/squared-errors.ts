import { selectVariant } from '../runtime/variants.js';
import type { Cost } from '../runtime/ledger.js';
import type { GpuArray, RowLayout } from '../runtime/gpu-array.js';
import { elementAlias, elementWidth, rowData } from '../runtime/rows.js';
import type { Runtime } from '../runtime/runtime.js';
import { shapeClass } from '../runtime/shape-class.js';
import rowStartWgsl from '../runtime/row-start.wgsl';
import { workgroupConstants, workgroupSumVariants } from '../reduce/workgroup-sum.js';
import workgroupSumWgsl from '../reduce/workgroup-sum.wgsl';
import squaredErrorsWgsl from './squared-errors.wgsl';

const PART_ELEMENTS = 4096;

/**
 * Sums of squared errors over parts of rows, [columnGroups, parts]: one row of them for each of so many equal runs of
 * columns. To be released by the caller. `kernel` and `cost`, which go into the ledger, are those of the loss as a whole. The columns must divide into the groups.
 */
export function squaredErrors(
  runtime: Runtime,
  kernel: string,
  { prediction, target }: { readonly prediction: GpuArray; readonly target: GpuArray },
  { columnGroups, cost }: { readonly columnGroups: number; readonly cost: Cost },
): GpuArray {
  const isPlain = columnGroups === 1 && prediction.isContiguous && target.isContiguous;
  const [predictionRows, targetRows] = [prediction, target].map((array) =>
    isPlain ? evenRows(array) : array.rows(),
  ) as [RowLayout, RowLayout];
  const { rows } = predictionRows;
  const groupColumns = predictionRows.columns / columnGroups;
  const count = prediction.size / columnGroups;
  const width = elementWidth([
    predictionRows,
    targetRows,
    { ...predictionRows, columns: groupColumns },
    evenEnd(predictionRows, count),
  ]);
  const partRows = Math.max(1, Math.floor(PART_ELEMENTS / groupColumns));
  const parts = Math.ceil(rows / partRows);
  const workgroups = parts * columnGroups;
  const variant = selectVariant(
    runtime,
    kernel,
    workgroupSumVariants,
    shapeClass(0, workgroups, PART_ELEMENTS),
  );
  const partials = runtime.empty([columnGroups, parts], 'f32', `${kernel} partial sums`);
  const grid = runtime.linearGrid(workgroups);
  runtime.run({
    kernel,
    variant: variant.name,
    wgsl: [workgroupSumWgsl, elementAlias(width), rowStartWgsl, squaredErrorsWgsl],
    constants: workgroupConstants(runtime, variant.invocations),
    data: {
      ROWS: rows,
      GROUP_COLUMNS: groupColumns / width,
      COUNT: count / width,
      PART_ROWS: partRows,
      PARTS: parts,
      GROUPS: columnGroups,
      GRID_X: grid[0],
      ...rowData('PREDICTION', predictionRows, width),
      ...rowData('TARGET', targetRows, width),
    },
    arrays: { prediction, goal: target, partials },
    workgroups: grid,
    cost,
  });
  return partials;
}

// A contiguous array as rows of one part each, the last of which may be short.
function evenRows({ size, offset }: GpuArray): RowLayout {
  const columns = Math.min(PART_ELEMENTS, size);
  const rows = Math.ceil(size / columns);
  return { rows, columns, offset, inner: rows, innerStride: columns, outerStride: 0 };
}

function evenEnd(rows: RowLayout, count: number): RowLayout {
  return { ...rows, columns: count };
}
