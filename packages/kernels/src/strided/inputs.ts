import geluWgsl from '../gelu/gelu-function.wgsl';
import activationsWgsl from '../math/activations.wgsl';
import exponentialWgsl from '../math/exponential.wgsl';
import logarithmWgsl from '../math/logarithm.wgsl';
import notANumberWgsl from '../math/not-a-number.wgsl';
import { ShapeError } from '../runtime/errors.js';
import type { GpuArray } from '../runtime/gpu-array.js';
import type { Runtime } from '../runtime/runtime.js';
import type { KernelData } from '../runtime/wgsl.js';
import { MOST_AXES } from './axes.js';

/** An input of a kernel on strided arrays, which the expression calls by its name. */
export interface StridedInput {
  readonly array: GpuArray;
  /**
   * What the name stands for: the `element` at the place (the default), or the whole `array`, of which the expression
   * takes elements by itself, from the position `NAME_at` of the place.
   */
  readonly as?: 'element' | 'array';
}

/** What `map` and `reduce` compute at one place. */
export interface StridedExpression {
  /** By the names that the expression uses. Elements of i32 and u32 arrays are what they are. */
  readonly inputs: Readonly<Record<string, StridedInput>>;
  /**
   * WGSL of the value, of the type of the output, made of inputs, data, `place` and the functions of `src/math`; in a map
   * `out[out_at]` is what the output held.
   */
  readonly value: string;
  /** Files of WGSL that define what else the expression calls. */
  readonly functions?: readonly string[];
  /** Numbers that the expression names. */
  readonly data?: KernelData;
}

/** What every expression may call; what it does not call costs next to nothing. */
export const mathFunctions: readonly string[] = [
  exponentialWgsl,
  logarithmWgsl,
  geluWgsl,
  activationsWgsl,
  notANumberWgsl,
];

const WGSL_TYPES: Readonly<Partial<Record<GpuArray['dtype'], string>>> = {
  f32: 'f32',
  i32: 'i32',
  u32: 'u32',
};

/**
 * The WGSL type of the elements of an array.
 *
 * @throws ShapeError for those that these kernels do not take
 */
export function elementType(kernel: string, name: string, array: GpuArray): string {
  const type = WGSL_TYPES[array.dtype];
  if (type === undefined) throw new ShapeError(`${kernel}: ${name} must be f32, i32 or u32, got ${array}`);
  return type;
}

/** Lines that declare the inputs. */
export function declarations(kernel: string, inputs: Readonly<Record<string, StridedInput>>): string {
  return Object.entries(inputs)
    .map(([name, { array }]) => `var<storage, read> ${name}: array<${elementType(kernel, name, array)}>;`)
    .join('\n');
}

/** Lines that load the elements of the inputs. */
export function elements(inputs: Readonly<Record<string, StridedInput>>): string {
  return Object.entries(inputs)
    .map(([name, { as }]) => (as === 'array' ? '' : `let ${name} = ${name}[${name}_at];`))
    .join(' ');
}

/** Extents as data, e.g. `EXTENT_0` … `EXTENT_4`: the first axis needs none. */
export function extentData(prefix: string, extents: readonly number[]): Record<string, number> {
  const data: Record<string, number> = {};
  for (let axis = 0; axis < MOST_AXES - 1; axis++) data[`${prefix}EXTENT_${axis}`] = extents[axis] ?? 1;
  return data;
}

/** Strides of one array as data, e.g. `X_STRIDE_0` … `X_STRIDE_4` and `X_TOP`, the stride of the first axis. */
export function strideData(prefix: string, strides: readonly number[]): Record<string, number> {
  const data: Record<string, number> = {};
  // Positions are u32 and wrap around, so that a stride below zero is a large one.
  for (let axis = 0; axis < MOST_AXES - 1; axis++)
    data[`${prefix}STRIDE_${axis}`] = (strides[axis] ?? 0) >>> 0;
  data[`${prefix}TOP`] = (strides[strides.length - 1] ?? 0) >>> 0;
  return data;
}

/** How many bytes a kernel must read of its inputs: each element once, repeated ones included only once. */
export function inputBytes(inputs: Readonly<Record<string, StridedInput>>, places: number): number {
  let bytes = 0;
  for (const { array, as } of Object.values(inputs)) bytes += 4 * (as === 'array' ? places : array.size);
  return bytes;
}

/**
 * Runs `body` with inputs of which none lies in the buffer of `out`, which one dispatch cannot both read and write:
 * those that do are copied first by `copy`.
 *
 * @throws ShapeError for a whole array among them
 */
export function withSeparateInputs(
  runtime: Runtime,
  kernel: string,
  inputs: Readonly<Record<string, StridedInput>>,
  out: GpuArray,
  copy: (from: GpuArray, to: GpuArray) => void,
  body: (inputs: Readonly<Record<string, StridedInput>>) => void,
): void {
  const copies: GpuArray[] = [];
  const separate = Object.entries(inputs).map(([name, input]): [string, StridedInput] => {
    const { array, as } = input;
    if (array.storage.buffer !== out.storage.buffer) return [name, input];
    if (as === 'array')
      throw new ShapeError(`${kernel}: ${name} lies in the buffer of out; copy one of them`);
    const scratch = runtime.empty(array.shape, array.dtype, `copy of ${name}`);
    copies.push(scratch);
    copy(array, scratch);
    return [name, { ...input, array: scratch }];
  });
  body(Object.fromEntries(separate));
  for (const array of copies) runtime.release(array);
}
