import { GpuArray, product } from '../runtime/gpu-array.js';
import { ShapeError } from '../runtime/errors.js';
import type { Cost } from '../runtime/ledger.js';
import type { Runtime } from '../runtime/runtime.js';
import type { Variant } from '../runtime/variants.js';
import { broadcastShape, broadcastTo, mergeAxes } from './axes.js';
import {
  declarations,
  elements,
  elementType,
  extentData,
  inputBytes,
  mathFunctions,
  strideData,
  withSeparateInputs,
  type StridedExpression,
} from './inputs.js';
import { copyOf, stridedMap } from './map.js';
import reduceWgsl from './reduce.wgsl';

export const stridedReduceVariants: readonly Variant[] = [{ name: 'strided', needs: [], prefers: 'any' }];

/** How values are put together. */
export type Combination = 'sum' | 'largest' | 'smallest';

// The first value whatever it is, be it infinite; then what lies beyond, where a value that is not a number stays.
const extreme = (sign: '<' | '>') =>
  `select(total, value, element == part || (!is_not_a_number(total) && (value ${sign} total || is_not_a_number(value))))`;

/** WGSL of a total with one value more. It begins with 0, and every part has at least one element. */
const COMBINATIONS: Readonly<Record<Combination, string>> = {
  sum: 'total + value',
  largest: extreme('>'),
  smallest: extreme('<'),
};

// So many elements one after the other: short enough for small rounding errors and for a GPU to have enough to do.
const ELEMENTS_PER_PART = 64;

/** An expression reduced over some axes of its inputs. */
export interface StridedReduceCall extends StridedExpression {
  readonly kernel: string;
  readonly combination: Combination;
  /** f32; the common shape of the inputs, with extents of 1 for the reduced axes. Any strides. */
  readonly out: GpuArray;
  /** Adds to the output instead of overwriting it. */
  readonly accumulate?: boolean;
}

function stridedReduceCost(call: Pick<StridedReduceCall, 'inputs' | 'out' | 'accumulate'>): Cost {
  const { inputs, out, accumulate = false } = call;
  const count = product(shapeOf('reduce', inputs));
  return {
    macs: 0,
    flops: count,
    bytesRead: inputBytes(inputs, count) + (accumulate ? 4 * out.size : 0),
    bytesWritten: 4 * out.size,
  };
}

/**
 * out = Σ value, or the largest or smallest value, over the axes in which `out` has extent 1 and the common shape of
 * the inputs has more; inputs broadcast. The value may use `place` (of `out`, row by row) and `element` (of the reduced
 * axes, row by row). The order of additions depends on the shapes alone.
 *
 * @throws ShapeError for shapes that do not fit, and for more than six kept or reduced axes that do not merge
 */
export function stridedReduce(runtime: Runtime, call: StridedReduceCall): void {
  const copy = (array: GpuArray, to: GpuArray) => stridedMap(runtime, { ...copyOf(array), out: to });
  withSeparateInputs(runtime, call.kernel, call.inputs, call.out, copy, (inputs) =>
    run(runtime, { ...call, inputs }, stridedReduceCost(call)),
  );
}

const NO_COST: Cost = { macs: 0, flops: 0, bytesRead: 0, bytesWritten: 0 };

function run(runtime: Runtime, call: StridedReduceCall, cost: Cost): void {
  const { kernel, inputs, out } = call;
  const shape = shapeOf(kernel, inputs);
  if (
    out.shape.length !== shape.length ||
    out.shape.some((extent, axis) => extent !== 1 && extent !== shape[axis])
  ) {
    throw new ShapeError(
      `${kernel}: out ${out} must be [${shape.join(', ')}] with an extent of 1 for every axis that is reduced`,
    );
  }
  const isReduced = shape.map((extent, axis) => extent !== out.shape[axis]);
  const reduced = shape.filter((_, axis) => isReduced[axis]);
  const parts = Math.ceil(product(reduced) / ELEMENTS_PER_PART);
  if (parts === 1) {
    dispatch(runtime, call, { shape, isReduced, parts, out, partStride: 0, cost });
    return;
  }
  // The parts lie along the axis before all others.
  const partials = runtime.empty([parts, ...out.shape], 'f32', `parts of ${kernel}`);
  const first = new GpuArray(partials.storage, 'f32', out.shape, partials.strides.slice(1));
  const partStride = partials.strides[0]!;
  dispatch(
    runtime,
    { ...call, accumulate: false },
    { shape, isReduced, parts, out: first, partStride, cost },
  );
  run(
    runtime,
    {
      kernel: `${call.combination}-of-parts`,
      combination: call.combination,
      inputs: { a: { array: partials } },
      value: 'a',
      out: new GpuArray(out.storage, 'f32', [1, ...out.shape], [0, ...out.strides], out.offset),
      accumulate: call.accumulate ?? false,
    },
    NO_COST,
  );
  runtime.release(partials);
}

interface Pass {
  readonly shape: readonly number[];
  readonly isReduced: readonly boolean[];
  readonly parts: number;
  /** Where the first part of each place goes; the others follow at `partStride`. */
  readonly out: GpuArray;
  readonly partStride: number;
  readonly cost: Cost;
}

function dispatch(runtime: Runtime, call: StridedReduceCall, pass: Pass): void {
  const { kernel, inputs, accumulate = false, functions = [] } = call;
  const { shape, isReduced, parts, out, partStride, cost } = pass;
  const views = Object.entries(inputs).map(([name, { array }]) => [name, broadcastTo(array, shape)] as const);
  const along = (wanted: boolean) => {
    const choose = (values: readonly number[]) => values.filter((_, axis) => isReduced[axis] === wanted);
    const strides = views.map((view) => choose(view[1].strides));
    return mergeAxes(kernel, choose(shape), wanted ? strides : [choose(out.strides), ...strides]);
  };
  const kept = along(false);
  const reduced = along(true);
  const grid = runtime.linearGrid(Math.ceil((out.size * parts) / 64));
  const nearest = (strides: readonly number[] | undefined) => Math.abs(strides?.[0] ?? 0) || Infinity;
  const data: Record<string, number> = {
    COUNT: out.size,
    PARTS: parts,
    ELEMENTS: product(reduced.extents),
    PLACES_FIRST: Number(nearest(kept.strides[1]) < nearest(reduced.strides[0])),
    GRID_X: grid[0],
    ADD_TO_OUT: Number(accumulate),
    KEPT_AXES: kept.extents.length,
    ...extentData('KEPT_', kept.extents),
    AXES: reduced.extents.length,
    ...extentData('', reduced.extents),
    OUT_OFFSET: out.offset,
    OUT_PART: partStride,
    ...strideData('OUT_KEPT_', kept.strides[0]!),
  };
  const arrays: Record<string, GpuArray> = { out };
  views.forEach(([name, view], i) => {
    const prefix = name.toUpperCase();
    arrays[name] = view;
    data[`${prefix}_OFFSET`] = view.offset;
    Object.assign(data, strideData(`${prefix}_KEPT_`, kept.strides[i + 1]!));
    Object.assign(data, strideData(`${prefix}_`, reduced.strides[i]!));
  });
  runtime.run({
    kernel,
    wgsl: [...mathFunctions, ...functions, reduceText(call)],
    data: { ...data, ...call.data },
    arrays,
    workgroups: grid,
    cost,
  });
}

const texts = new Map<string, string>();

function reduceText({ kernel, combination, inputs, out, value }: StridedReduceCall): string {
  if (elementType(kernel, 'out', out) !== 'f32')
    throw new ShapeError(`${kernel}: out must be f32, got ${out}`);
  const declared = declarations(kernel, inputs);
  const loaded = elements(inputs);
  const key = `${combination}|${declared}|${loaded}|${value}`;
  let text = texts.get(key);
  if (text === undefined) {
    const names = Object.keys(inputs);
    const each = (line: (name: string, prefix: string) => string) =>
      names.map((name) => line(name, name.toUpperCase())).join(' ');
    text = reduceWgsl
      .replace('//! DECLARATIONS', declared)
      .replace(
        '//! STARTS',
        `var out_at = OUT_OFFSET + part * OUT_PART; ${each((name, prefix) => `var ${name}_kept_at = ${prefix}_OFFSET;`)}`,
      )
      .replace('//! KEPT_MOVES', keptMoves('step', 'KEPT_STRIDE_{I}', names))
      .replace('//! LAST_KEPT_MOVES', keptMoves('rest', 'KEPT_TOP', names))
      .replace(
        '//! COPIES',
        each((name) => `var ${name}_at = ${name}_kept_at;`),
      )
      .replace(
        '//! MOVES',
        each((name, prefix) => `${name}_at += step * ${prefix}_STRIDE_{I};`),
      )
      .replace(
        '//! LAST_MOVES',
        each((name, prefix) => `${name}_at += rest * ${prefix}_TOP;`),
      )
      .replace('//! ELEMENTS', loaded)
      .replace('f32(VALUE)', `f32(${value})`)
      .replace('= COMBINED', `= ${COMBINATIONS[combination]}`);
    texts.set(key, text);
  }
  return text;
}

function keptMoves(count: string, stride: string, names: readonly string[]): string {
  const moves = names.map((name) => `${name}_kept_at += ${count} * ${name.toUpperCase()}_${stride};`);
  return [`out_at += ${count} * OUT_${stride};`, ...moves].join(' ');
}

function shapeOf(kernel: string, inputs: StridedExpression['inputs']): number[] {
  return broadcastShape(
    kernel,
    Object.values(inputs).map(({ array }) => array.shape),
  );
}
