import { describe, expect, it } from 'vitest';
import { blockReference } from './block-reference.js';
import { caseInputs, type BlockCase, type GptCase } from './cases.js';
import { Float64Tape, type Value } from './float64-tape.js';
import { gptReference } from './gpt-reference.js';
import { expectedOutputs, relativeError, worstError } from './reference.js';

const block: BlockCase = { kind: 'block', part: 'forward', regions: 2, locals: 3, width: 8, heads: 2 };

/** Loss of the block with one element of one array moved. */
function lossWith(name: string, index: number, step: number): number {
  const inputs = caseInputs(block);
  const values = Object.fromEntries(
    Object.entries(inputs).map(([key, { data }]): [string, Value] => [
      key,
      { data: Float64Array.from(data) },
    ]),
  );
  values[name]!.data[index]! += step;
  const { data: y } = blockReference(new Float64Tape(), block, values);
  const target = values['target']!.data;
  return y.reduce((sum, value, i) => sum + (value - target[i]!) ** 2, 0) / y.length;
}

describe('the double-precision references', () => {
  it('differentiate the block as differences do', () => {
    const gradients = expectedOutputs({ ...block, part: 'forward+backward' });
    for (const [output, gradient] of Object.entries(gradients)) {
      const name = output.slice('d '.length);
      const scale = Math.max(...gradient.map(Math.abs));
      for (const index of [0, gradient.length - 1]) {
        const difference = (lossWith(name, index, 1e-5) - lossWith(name, index, -1e-5)) / 2e-5;
        expect(Math.abs(difference - gradient[index]!), output).toBeLessThan(1e-6 * scale + 1e-10);
      }
    }
  });

  it('differentiate the GPT as differences do', () => {
    const gpt: GptCase = { kind: 'gpt', batch: 2, context: 3, letters: 5, width: 8, heads: 2, depth: 1 };
    const lossOf = (name?: string, index = 0, step = 0) => {
      const values = Object.fromEntries(
        Object.entries(caseInputs(gpt)).map(([key, { data }]): [string, Value] => [
          key,
          { data: Float64Array.from(data) },
        ]),
      );
      if (name !== undefined) values[name]!.data[index]! += step;
      const tape = new Float64Tape();
      return { tape, values, ...gptReference(tape, gpt, values) };
    };
    const { tape, values, logits, gradient } = lossOf();
    tape.backward(logits, gradient);
    for (const [name, { data, gradient: found }] of Object.entries(values)) {
      if (name === 'x' || name === 'target') continue;
      const scale = Math.max(...found!.map(Math.abs));
      for (const index of [0, data.length - 1]) {
        const difference = (lossOf(name, index, 1e-5).loss - lossOf(name, index, -1e-5).loss) / 2e-5;
        expect(Math.abs(difference - found![index]!), name).toBeLessThan(1e-6 * scale + 1e-10);
      }
    }
  });

  it('give the update of the first AdamW step', () => {
    const gradients = expectedOutputs({ ...block, part: 'forward+backward' });
    const updates = expectedOutputs({ ...block, part: 'step' });
    expect(Object.keys(updates)).toHaveLength(Object.keys(gradients).length - 1);
    const [g] = gradients['d mlp.fc1.bias']!;
    const parameter = caseInputs(block)['mlp.fc1.bias']!.data[0]!;
    // m̂ = g and v̂ = g² after one step.
    expect(updates['Δ mlp.fc1.bias']![0]).toBeCloseTo(-0.05 * parameter - g! / (Math.abs(g!) + 1e-4), 12);
  });

  it('multiply, add and apply GELU', () => {
    const shape = { kind: 'linear-gelu', rows: 2, inputs: 3, outputs: 2 } as const;
    const { x, weight, bias } = caseInputs(shape);
    let sum = bias!.data[1]!;
    for (let l = 0; l < 3; l++) sum += x!.data[3 + l]! * weight!.data[2 * l + 1]!;
    const { y } = expectedOutputs(shape);
    const tanhForm = 0.5 * sum * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (sum + 0.044715 * sum ** 3)));
    expect(y![3]).toBeCloseTo(tanhForm, 2);
    expect(y).toHaveLength(4);
  });
});

describe('the error of a result', () => {
  it('is relative to the largest expected value', () => {
    expect(relativeError([1, 2.5], [1, 2])).toBe(0.25);
    expect(relativeError([0.5], [0])).toBe(0.5);
  });

  it('is infinite for results that are missing, of another size or not finite', () => {
    expect(relativeError(undefined, [1])).toBe(Infinity);
    expect(relativeError([1, 2], [1])).toBe(Infinity);
    expect(relativeError([NaN], [1])).toBe(Infinity);
  });

  it('names the output that is furthest off', () => {
    const expected = { a: Float64Array.of(1), b: Float64Array.of(1) };
    expect(worstError({ a: [1], b: [1.5] }, expected)).toEqual({ error: 0.5, output: 'b' });
    expect(worstError({ a: [1], b: [1] }, expected)).toEqual({ error: 0, output: 'a' });
  });
});
