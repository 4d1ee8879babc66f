import type { Float64Tape, Value } from './float64-tape.js';
import type { GptShape } from './gpt.js';

/**
 * Mean cross-entropy of the GPT in double precision, and what the tape needs for its backward pass.
 *
 * @param values parameters by name, and letters as numbers: `x` [batch, context] and `target`, the letter after each
 */
export function gptReference(tape: Float64Tape, shape: GptShape, values: Readonly<Record<string, Value>>) {
  const { batch, context, letters, width, heads, depth } = shape;
  const rows = batch * context;
  const at = (name: string): Value => {
    const value = values[name];
    if (!value) throw new RangeError(`the GPT has no array "${name}"`);
    return value;
  };
  const norm = (name: string, x: Value) =>
    tape.apply(
      'layer-norm',
      { batch: 1, regions: 1, tokens: rows, columns: width, view: 'all' },
      { x, weight: at(`${name}.weight`), bias: at(`${name}.bias`) },
    );
  const linear = (name: string, x: Value) => {
    const bias = at(`${name}.bias`);
    return tape.product(x, at(`${name}.weight`), { n: bias.data.length, bias });
  };
  /** Rows of `table` [.., width]. */
  const lookUp = (table: Value, row: (i: number) => number) =>
    tape.gather(
      table,
      Uint32Array.from({ length: rows * width }, (_, i) => row(Math.floor(i / width)) * width + (i % width)),
    );
  // A query that sees the places up to its own is attention to that many keys.
  const selfAttention = (qkv: Value) => {
    const part = (index: number, from: number, to: number) => {
      const places = to - from;
      return tape.gather(
        qkv,
        Uint32Array.from({ length: batch * places * width }, (_, i) => {
          const row = Math.floor(i / width);
          const place = Math.floor(row / places) * context + from + (row % places);
          return (3 * place + index) * width + (i % width);
        }),
      );
    };
    const attended = Array.from({ length: context }, (_, place) =>
      tape.apply(
        'attention',
        { groups: batch, queries: 1, keys: place + 1, heads, headDimension: width / heads },
        { q: part(0, place, place + 1), k: part(1, 0, place + 1), v: part(2, 0, place + 1) },
      ),
    );
    // [context, batch, width] → [batch, context, width]
    return lookUp(tape.concatenate(attended), (row) => (row % context) * batch + Math.floor(row / context));
  };

  let x = tape.add(
    lookUp(at('embed.weight'), (row) => at('x').data[row]!),
    lookUp(at('places'), (row) => row % context),
  );
  for (let i = 0; i < depth; i++) {
    const name = `blocks.${i}`;
    const qkv = linear(`${name}.attention.qkv`, norm(`${name}.norm1`, x));
    x = tape.add(x, linear(`${name}.attention.proj`, selfAttention(qkv)));
    const hidden = tape.gelu(linear(`${name}.feedForward.fc1`, norm(`${name}.norm2`, x)));
    x = tape.add(x, linear(`${name}.feedForward.fc2`, hidden));
  }
  const logits = linear('head', norm('norm', x));

  let loss = 0;
  const gradient = new Float64Array(logits.data.length);
  for (let row = 0; row < rows; row++) {
    const scores = logits.data.subarray(row * letters, (row + 1) * letters);
    const largest = Math.max(...scores);
    const sum = scores.reduce((total, score) => total + Math.exp(score - largest), 0);
    const next = at('target').data[row]!;
    loss += (Math.log(sum) + largest - scores[next]!) / rows;
    for (let letter = 0; letter < letters; letter++) {
      const probability = Math.exp(scores[letter]! - largest) / sum;
      gradient[row * letters + letter] = (probability - (letter === next ? 1 : 0)) / rows;
    }
  }
  return { loss, logits, gradient };
}
