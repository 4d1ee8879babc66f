/** An LGI block on one clip: `regions` windows of one representative and `locals` tokens each. */
export interface BlockShape {
  readonly regions: number;
  readonly locals: number;
  readonly width: number;
  readonly heads: number;
}

/**
 * Names and shapes of a block's parameters. Matrices are [inputs, outputs]; queries, keys and values of
 * self-attention are made by one matrix, their keys have no bias. Norms end in `Norm.weight` and `Norm.bias`.
 */
export function blockParameters(width: number): Readonly<Record<string, readonly number[]>> {
  const norm = (name: string) => ({ [`${name}.weight`]: [width], [`${name}.bias`]: [width] });
  const linear = (name: string, inputs: number, outputs: number) => ({
    [`${name}.weight`]: [inputs, outputs],
    [`${name}.bias`]: [outputs],
  });
  const biases = (name: string) => ({ [`${name}.qBias`]: [width], [`${name}.vBias`]: [width] });
  const selfAttention = (name: string) => ({
    ...norm(`${name}.Norm`),
    [`${name}.qkv`]: [width, 3 * width],
    ...biases(name),
    ...linear(`${name}.projection`, width, width),
  });
  return {
    ...selfAttention('local'),
    ...selfAttention('interRegion'),
    ...norm('localGlobal.Norm'),
    ...norm('localGlobal.contextNorm'),
    'localGlobal.q': [width, width],
    'localGlobal.kv': [width, 2 * width],
    ...biases('localGlobal'),
    ...linear('localGlobal.projection', width, width),
    ...norm('mlp.Norm'),
    ...linear('mlp.fc1', width, 4 * width),
    ...linear('mlp.fc2', 4 * width, width),
  };
}

/** Multiply–accumulates of one forward pass. */
export function blockMacs({ regions, locals, width, heads: _ }: BlockShape): number {
  const window = 1 + locals;
  const tokens = regions * window;
  const local = tokens * 4 * width ** 2 + 2 * regions * window ** 2 * width;
  const interRegion = regions * 4 * width ** 2 + 2 * regions ** 2 * width;
  const localGlobal =
    regions * locals * 2 * width ** 2 + regions * 2 * width ** 2 + 2 * regions * locals * regions * width;
  return local + interRegion + localGlobal + tokens * 8 * width ** 2;
}
