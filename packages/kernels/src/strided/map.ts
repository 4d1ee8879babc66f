import type { GpuArray } from '../runtime/gpu-array.js';
import type { Cost } from '../runtime/ledger.js';
import type { Runtime } from '../runtime/runtime.js';
import type { Variant } from '../runtime/variants.js';
import { broadcastTo, mergeAxes } from './axes.js';
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
import mapWgsl from './map.wgsl';

export const stridedMapVariants: readonly Variant[] = [{ name: 'strided', needs: [], prefers: 'any' }];

/** An expression at every place of an output. */
export interface StridedMapCall extends StridedExpression {
  readonly kernel: string;
  /** f32, i32 or u32, with any strides; no element is there twice. */
  readonly out: GpuArray;
  /** Adds to the output instead of overwriting it. */
  readonly accumulate?: boolean;
}

/** The call of `stridedMap` that copies an array, but for its output. */
export function copyOf(array: GpuArray): StridedExpression & { readonly kernel: string } {
  return { kernel: 'copy', inputs: { a: { array } }, value: 'a' };
}

function stridedMapCost(call: Pick<StridedMapCall, 'inputs' | 'out' | 'accumulate'>): Cost {
  const { inputs, out, accumulate = false } = call;
  return {
    macs: 0,
    flops: 0,
    bytesRead: inputBytes(inputs, out.size) + (accumulate ? 4 * out.size : 0),
    bytesWritten: 4 * out.size,
  };
}

/**
 * out = value, or out += value, at every place of `out`. Inputs have the shape of `out` or one that broadcasts to it,
 * and any strides; one that lies in the buffer of `out` is copied first. The value may use `place`, which counts the
 * places of `out` row by row.
 *
 * @throws ShapeError for shapes that do not fit, and for more than six axes that do not merge
 */
export function stridedMap(runtime: Runtime, call: StridedMapCall): void {
  const { kernel, out } = call;
  const copy = (array: GpuArray, to: GpuArray) => stridedMap(runtime, { ...copyOf(array), out: to });
  withSeparateInputs(runtime, kernel, call.inputs, out, copy, (inputs) => run(runtime, { ...call, inputs }));
}

function run(runtime: Runtime, call: StridedMapCall): void {
  const { kernel, inputs, out, accumulate = false, functions = [] } = call;
  const views = Object.entries(inputs).map(
    ([name, { array }]) => [name, broadcastTo(array, out.shape)] as const,
  );
  const axes = mergeAxes(kernel, out.shape, [out.strides, ...views.map(([, { strides }]) => strides)]);
  const grid = runtime.linearGrid(Math.ceil(out.size / 64));
  const data: Record<string, number> = {
    COUNT: out.size,
    AXES: axes.extents.length,
    GRID_X: grid[0],
    ADD_TO_OUT: Number(accumulate),
    ...extentData('', axes.extents),
    OUT_OFFSET: out.offset,
    ...strideData('OUT_', axes.strides[0]!),
  };
  const arrays: Record<string, GpuArray> = { out };
  views.forEach(([name, view], i) => {
    const prefix = name.toUpperCase();
    arrays[name] = view;
    data[`${prefix}_OFFSET`] = view.offset;
    Object.assign(data, strideData(`${prefix}_`, axes.strides[i + 1]!));
  });
  runtime.run({
    kernel,
    wgsl: [...mathFunctions, ...functions, mapText(call)],
    data: { ...data, ...call.data },
    arrays,
    workgroups: grid,
    cost: stridedMapCost(call),
  });
}

const texts = new Map<string, string>();

function mapText({ kernel, inputs, out, value }: StridedMapCall): string {
  const type = elementType(kernel, 'out', out);
  const declared = declarations(kernel, inputs);
  const loaded = elements(inputs);
  const key = `${type}|${declared}|${loaded}|${value}`;
  let text = texts.get(key);
  if (text === undefined) {
    const names = ['out', ...Object.keys(inputs)];
    const each = (line: (name: string, prefix: string) => string) =>
      names.map((name) => line(name, name.toUpperCase())).join(' ');
    text = mapWgsl
      .replace('//! DECLARATIONS', `alias OutElement = ${type};\n${declared}`)
      .replace(
        '//! STARTS',
        each((name, prefix) => `var ${name}_at = ${prefix}_OFFSET;`),
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
      .replace('OutElement(VALUE)', `OutElement(${value})`);
    texts.set(key, text);
  }
  return text;
}
