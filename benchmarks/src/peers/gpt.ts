/** The small causal transformer on letters of `examples/src/gpt.ts`. */
export interface GptShape {
  readonly batch: number;
  readonly context: number;
  readonly letters: number;
  readonly width: number;
  readonly heads: number;
  readonly depth: number;
}

/** Names and shapes of its parameters; matrices of linear layers are [inputs, outputs], biases are everywhere. */
export function gptParameters({
  context,
  letters,
  width,
  depth,
}: GptShape): Readonly<Record<string, readonly number[]>> {
  const norm = (name: string) => ({ [`${name}.weight`]: [width], [`${name}.bias`]: [width] });
  const linear = (name: string, inputs: number, outputs: number) => ({
    [`${name}.weight`]: [inputs, outputs],
    [`${name}.bias`]: [outputs],
  });
  const blocks = Array.from({ length: depth }, (_, i) => ({
    ...norm(`blocks.${i}.norm1`),
    ...linear(`blocks.${i}.attention.qkv`, width, 3 * width),
    ...linear(`blocks.${i}.attention.proj`, width, width),
    ...norm(`blocks.${i}.norm2`),
    ...linear(`blocks.${i}.feedForward.fc1`, width, 4 * width),
    ...linear(`blocks.${i}.feedForward.fc2`, 4 * width, width),
  }));
  return {
    'embed.weight': [letters, width],
    places: [context, width],
    ...Object.assign({}, ...blocks),
    ...norm('norm'),
    ...linear('head', width, letters),
  };
}

/** Multiply–accumulates of one forward pass; attention is counted without what its mask hides being left out. */
export function gptMacs({ batch, context, letters, width, depth }: GptShape): number {
  const block = 12 * width ** 2 + 2 * context * width;
  return batch * context * (depth * block + width * letters);
}
