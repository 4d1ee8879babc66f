import { averagePool, convolution, maxPool } from '../ops/convolution.js';
import type { Example, Operation, Shape } from './operation.js';
import { Values } from './values.js';

function convolutionExample(x: Shape, w: Shape, stride: number, padding: number): Example {
  const [batch, channels] = x as [number, number];
  const size = x.slice(2).map((extent, i) => Math.floor((extent + 2 * padding - w[2 + i]!) / stride) + 1);
  return {
    shapes: [x, w, [w[0]!]],
    forward: ([a, b, c]) => convolution(a!, b!, { bias: c!, stride, padding }),
    reference: ([a, b, c]) =>
      Values.build([batch, w[0]!, ...size], ([n, o, ...at]) => {
        let sum = c!.data[o!]!;
        for (const [channel, ...step] of Values.build([channels, ...w.slice(2)], () => 0).places()) {
          const place = step.map((offset, i) => at[i]! * stride + offset - padding);
          if (place.every((index, i) => index >= 0 && index < x[2 + i]!))
            sum += a!.at([n!, channel!, ...place]) * b!.at([o!, channel!, ...step]);
        }
        return sum;
      }),
  };
}

function pooling(
  name: string,
  forward: typeof maxPool,
  pooled: (elements: number[]) => number,
  outside: number,
  summary: string,
): Operation {
  const example = (size: number, stride: number, padding: number): Example => ({
    shapes: [[2, 3, 5, 7]],
    forward: ([x]) => forward(x!, { size: [size, size], stride, padding }),
    reference: ([x]) => {
      const count = (extent: number) => Math.floor((extent + 2 * padding - size) / stride) + 1;
      return Values.build([2, 3, count(5), count(7)], ([b, c, i, j]) =>
        pooled(
          [...Values.build([size, size], () => 0).places()].map(([u, v]) => {
            const [y, z] = [i! * stride + u! - padding, j! * stride + v! - padding];
            return y >= 0 && y < 5 && z >= 0 && z < 7 ? x!.at([b!, c!, y, z]) : outside;
          }),
        ),
      );
    },
  });
  return { name, summary, examples: () => [example(2, 2, 0), example(3, 2, 1)] };
}

/** Convolutions and pooling. */
export const convolutionOperations: readonly Operation[] = [
  {
    name: 'convolution',
    summary: 'cross-correlation along one, two or more axes',
    lacks: 'no groups',
    examples: () => [
      convolutionExample([2, 3, 9], [4, 3, 3], 2, 1),
      convolutionExample([2, 2, 4, 5], [3, 2, 3, 2], 1, 1),
    ],
    timed: convolutionExample([8, 64, 40, 40], [64, 64, 3, 3], 1, 1),
  },
  pooling('maxPool', maxPool, (elements) => Math.max(...elements), -Infinity, 'largest of each window'),
  pooling(
    'averagePool',
    averagePool,
    (all) => all.reduce((a, b) => a + b, 0) / all.length,
    0,
    'mean of each window',
  ),
];
