import type { GpuArray } from '../runtime/gpu-array.js';
import type { Cost } from '../runtime/ledger.js';
import { elementAlias, elementWidth, requireWritableRows, rowData, rowKey } from '../runtime/rows.js';
import type { Runtime } from '../runtime/runtime.js';
import type { Variant } from '../runtime/variants.js';
import { constantHeader, f32 } from '../runtime/wgsl.js';
import fillWgsl from './fill.wgsl';

export const fillVariants: readonly Variant[] = [{ name: 'elementwise', needs: [], prefers: 'any' }];

export function fillCost(count: number): Cost {
  return { macs: 0, flops: 0, bytesRead: 0, bytesWritten: 4 * count };
}

export interface FillArrays {
  /** Any rows; what lies between them stays as it is. */
  readonly out: GpuArray;
  /** Part of the compiled kernel, so meant for constants. */
  readonly value: number;
}

/** out = value everywhere. For zeros in contiguous arrays `Runtime.clear` is cheaper. */
export function fill(runtime: Runtime, { out, value }: FillArrays): void {
  const kernel = 'fill';
  const layout = requireWritableRows(kernel, 'out', out);
  const width = elementWidth([layout]);
  const count = out.size / width;
  const grid = runtime.linearGrid(Math.ceil(count / 256));
  const program = runtime.program(`${kernel} ${rowKey(layout)} ${value}`, () => ({
    kernel,
    detail: `${layout.rows} × ${layout.columns}`,
    wgsl:
      elementAlias(width) +
      constantHeader({
        COUNT: count,
        COLUMNS: layout.columns / width,
        GRID_X: grid[0],
        VALUE: f32(value),
        ...rowData('OUT', layout, width),
      }) +
      fillWgsl,
    access: ['read_write'],
  }));
  runtime.dispatch(program, [out], grid, fillCost(out.size));
}
