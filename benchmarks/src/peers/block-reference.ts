import type { BlockShape } from './block.js';
import type { Float64Tape } from './float64-tape.js';
import { type Value } from './float64-tape.js';

/** The parameters and the input of a block by name. */
export type BlockValues = Readonly<Record<string, Value>>;

/** y [regions, 1 + locals, width] of one LGI block in double precision, from its steps as the paper has them. */
export function blockReference(tape: Float64Tape, shape: BlockShape, values: BlockValues): Value {
  const { regions, locals, width, heads } = shape;
  const window = 1 + locals;
  const at = (name: string): Value => {
    const value = values[name];
    if (!value) throw new RangeError(`the block has no array "${name}"`);
    return value;
  };
  const norm = (name: string, x: Value) =>
    tape.apply(
      'layer-norm',
      { batch: 1, regions: 1, tokens: x.data.length / width, columns: width, view: 'all' },
      { x, weight: at(`${name}.weight`), bias: at(`${name}.bias`) },
    );
  const product = (x: Value, weight: Value, bias: Value) =>
    tape.product(x, weight, { n: bias.data.length, bias });
  const linear = (name: string, x: Value) => product(x, at(`${name}.weight`), at(`${name}.bias`));
  const columns = (x: Value, of: number, index: number) => tape.gather(x, columnIndices(x, of, index, width));
  const noBias: Value = { data: new Float64Array(width) };
  const attend = (groups: number, q: Value, k: Value, v: Value) =>
    tape.apply(
      'attention',
      {
        groups,
        queries: q.data.length / width / groups,
        keys: k.data.length / width / groups,
        heads,
        headDimension: width / heads,
      },
      { q, k, v },
    );
  const selfAttention = (name: string, groups: number, x: Value) => {
    const bias = tape.concatenate([at(`${name}.qBias`), noBias, at(`${name}.vBias`)]);
    const qkv = product(norm(`${name}.Norm`, x), at(`${name}.qkv`), bias);
    const attended = attend(groups, columns(qkv, 3, 0), columns(qkv, 3, 1), columns(qkv, 3, 2));
    return tape.add(linear(`${name}.projection`, attended), x);
  };

  const windows = selfAttention('local', regions, at('x'));
  const order = tokenOrder(shape);
  const representatives = tape.gather(windows, order.representatives);
  const tokens = tape.gather(windows, order.locals);
  const mixed = selfAttention('interRegion', 1, representatives);
  const q = product(norm('localGlobal.Norm', tokens), at('localGlobal.q'), at('localGlobal.qBias'));
  const kv = product(
    norm('localGlobal.contextNorm', mixed),
    at('localGlobal.kv'),
    tape.concatenate([noBias, at('localGlobal.vBias')]),
  );
  const attended = attend(1, q, columns(kv, 2, 0), columns(kv, 2, 1));
  const informed = tape.add(linear('localGlobal.projection', attended), tokens);
  const joined = tape.gather(tape.concatenate([mixed, informed]), order.joined(window));
  const hidden = tape.gelu(linear('mlp.fc1', norm('mlp.Norm', joined)));
  return tape.add(linear('mlp.fc2', hidden), joined);
}

/** Elements of the `index`-th of `of` equal parts of every row. */
function columnIndices({ data }: Value, of: number, index: number, width: number): Uint32Array {
  return Uint32Array.from({ length: data.length / of }, (_, i) => {
    const row = Math.floor(i / width);
    return row * of * width + index * width + (i % width);
  });
}

function tokenOrder({ regions, locals, width }: BlockShape) {
  const window = (1 + locals) * width;
  const pick = (perRegion: number, offset: number) =>
    Uint32Array.from({ length: regions * perRegion }, (_, i) => {
      const region = Math.floor(i / perRegion);
      return region * window + offset + (i % perRegion);
    });
  return {
    representatives: pick(width, 0),
    locals: pick(locals * width, width),
    /** From all representatives followed by all locals back to windows. */
    joined: (rows: number) =>
      Uint32Array.from({ length: regions * rows * width }, (_, i) => {
        const region = Math.floor(i / window);
        const within = i % window;
        return within < width
          ? region * width + within
          : regions * width + region * locals * width + within - width;
      }),
  };
}
