import type { EncoderConfig, LgiFormerConfig } from '../config.js';

/** The settings of an encoder that a file states or that follow from its tensors; those left out are unknown. */
export type StatedEncoder = Partial<Omit<LgiFormerConfig, 'kind'>> & {
  readonly kind?: EncoderConfig['kind'];
};

/** What the names and shapes of a state dict tell of its encoder; nothing where it is not an encoder of this family. */
export function encoderOfShapes(shapes: ReadonlyMap<string, readonly number[]>): StatedEncoder {
  const prefix = ['encoder.', 'backbone.', ''].find((one) => shapes.has(`${one}patch_embed.proj.weight`));
  const [dim, , tubeletSize, patchSize] = shapes.get(`${prefix}patch_embed.proj.weight`) ?? [];
  if (dim === undefined) return {};
  const common = { dim, depth: depthOfShapes(shapes, prefix), tubeletSize, patchSize };
  if (!shapes.has(`${prefix}lg_region_tokens`)) return { kind: 'vit', ...common };
  const hasAttention = (which: string) => shapes.has(`${prefix}blocks.0.${which}_attn.q.weight`);
  return {
    kind: 'lgi-former',
    ...common,
    interRegion: hasAttention('second'),
    localGlobal: hasAttention('third'),
  };
}

/** Number of blocks whose names begin with `prefix`, such as `decoder.`. */
export function depthOfShapes(shapes: ReadonlyMap<string, unknown>, prefix = ''): number {
  // No model has thousands of blocks; a name that says so would have them all made.
  const block = new RegExp(`^${prefix}blocks\\.(\\d{1,3})\\.`);
  let depth = 0;
  for (const name of shapes.keys()) depth = Math.max(depth, 1 + Number(block.exec(name)?.[1] ?? -1));
  return depth;
}
