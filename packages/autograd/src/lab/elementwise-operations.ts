import {
  clamp,
  abs,
  add,
  div,
  exp,
  log,
  maximum,
  minimum,
  mul,
  neg,
  pow,
  sqrt,
  sub,
} from '../ops/arithmetic.js';
import { erf, relu, sigmoid, silu, softplus, tanh } from '../ops/activations.js';
import { equal, greater, greaterOrEqual, less, lessOrEqual, where } from '../ops/comparisons.js';
import { gelu } from '../ops/gelu.js';
import type { Operand } from '../ops/pointwise.js';
import type { Tensor } from '../engine/tensor.js';
import { plainErf, plainGelu } from '../testing/plain.js';
import type { Example, Operation } from './operation.js';
import { broadcasting, extents, several, whole } from './shapes.js';
import { Values, zip } from './values.js';

const POSITIVE: Example['fill'] = (random) => 0.2 + 3 * random.uniform();
const WIDE: Example['fill'] = (random) => 4 * random.normal();
// Equal numbers must happen where they are compared.
const WHOLE: Example['fill'] = (random) => random.integer(3);

type Settings = Pick<Example, 'fill'> & Pick<Operation, 'isConstant'>;

function unary(
  name: string,
  forward: (x: Tensor) => Tensor,
  reference: (x: number) => number,
  summary: string,
  { fill, ...settings }: Settings = {},
): Operation {
  const example = (shape: readonly number[]): Example => ({
    shapes: [shape],
    ...(fill ? { fill } : {}),
    forward: ([x]) => forward(x!),
    reference: ([x]) => x!.map(reference),
  });
  return {
    name,
    summary,
    ...settings,
    examples: (random) => several(2, () => example(extents(random, whole(random, 1, 3)))),
    timed: example([8, 808, 512]),
  };
}

function binary(
  name: string,
  forward: (a: Operand, b: Operand) => Tensor,
  reference: (a: number, b: number) => number,
  summary: string,
  { fill, ...settings }: Settings = {},
): Operation {
  const own = fill ? { fill } : {};
  const example = (shapes: readonly (readonly number[])[]): Example => ({
    shapes,
    ...own,
    forward: ([a, b]) => forward(a!, b!),
    reference: (inputs) => zip(inputs, reference),
  });
  const withNumber: Example = {
    shapes: [[3, 4]],
    ...own,
    forward: ([a]) => forward(a!, 1.5),
    reference: ([a]) => a!.map((value) => reference(value, 1.5)),
  };
  return {
    name,
    summary: `${summary}, with broadcasting`,
    ...settings,
    examples: (random) => [...several(4, () => example(broadcasting(random, 2))), withNumber],
    timed: example([
      [8, 808, 512],
      [8, 808, 512],
    ]),
  };
}

const where2: Operation = {
  name: 'where',
  summary: 'a where a mask is not 0, else b, with broadcasting',
  examples: (random) =>
    several(3, () => {
      const shapes = broadcasting(random, 3);
      const mask = Values.build(shapes[2]!, () => random.integer(2));
      return {
        shapes: shapes.slice(0, 2),
        forward: ([a, b], engine) => where(engine.tensor(Float32Array.from(mask.data), mask.shape), a!, b!),
        reference: ([a, b]) => zip([mask, a!, b!], (c, x, y) => (c !== 0 ? x : y)),
      };
    }),
};

const limited: Operation = {
  name: 'clamp',
  summary: 'x between two limits',
  examples: (random) =>
    several(2, () => ({
      shapes: [extents(random, 2)],
      forward: ([x]) => clamp(x!, -0.5, 0.7),
      reference: ([x]) => x!.map((value) => Math.max(-0.5, Math.min(0.7, value))),
    })),
};

const logistic = (x: number) => 1 / (1 + Math.exp(-x));
const mask = (holds: boolean) => Number(holds);
const compared: Settings = { fill: WHOLE, isConstant: true };

/** Operations on elements. */
export const elementwiseOperations: readonly Operation[] = [
  binary('add', add, (a, b) => a + b, 'a + b'),
  binary('sub', sub, (a, b) => a - b, 'a − b'),
  binary('mul', mul, (a, b) => a * b, 'a · b'),
  binary('div', div, (a, b) => a / b, 'a / b', { fill: POSITIVE }),
  binary('pow', pow, (a, b) => a ** b, 'aᵇ', { fill: POSITIVE }),
  binary('maximum', maximum, Math.max, 'the larger of a and b'),
  binary('minimum', minimum, Math.min, 'the smaller of a and b'),
  unary('neg', neg, (x) => -x, '−x'),
  unary('abs', abs, Math.abs, '|x|'),
  unary('exp', exp, Math.exp, 'eˣ'),
  unary('log', log, Math.log, 'natural logarithm', { fill: POSITIVE }),
  unary('sqrt', sqrt, Math.sqrt, 'square root', { fill: POSITIVE }),
  limited,
  where2,
  binary('equal', equal, (a, b) => mask(a === b), 'a = b as 1 or 0', compared),
  binary('less', less, (a, b) => mask(a < b), 'a < b as 1 or 0', compared),
  binary('lessOrEqual', lessOrEqual, (a, b) => mask(a <= b), 'a ≤ b as 1 or 0', compared),
  binary('greater', greater, (a, b) => mask(a > b), 'a > b as 1 or 0', compared),
  binary('greaterOrEqual', greaterOrEqual, (a, b) => mask(a >= b), 'a ≥ b as 1 or 0', compared),
  unary('relu', relu, (x) => Math.max(x, 0), 'max(x, 0)'),
  unary('gelu', gelu, (x) => plainGelu(Float64Array.of(x))[0]!, 'GELU, exact form'),
  unary('silu', silu, (x) => x * logistic(x), 'x · sigmoid(x)', { fill: WIDE }),
  unary('sigmoid', sigmoid, logistic, '1 / (1 + e⁻ˣ)', { fill: WIDE }),
  unary('tanh', tanh, Math.tanh, 'hyperbolic tangent'),
  unary('softplus', softplus, (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), 'log(1 + eˣ)', {
    fill: WIDE,
  }),
  unary('erf', erf, plainErf, 'error function'),
];
