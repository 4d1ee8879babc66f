import type { ParameterGroup, ParameterStore } from '@tubelet/autograd';

// The reference compares full names, so that pre-training's `encoder.lg_region_tokens` is decayed and
// fine-tuning's `lg_region_tokens` is not; published weights were trained this way.
const NO_DECAY = new Set(['pos_embed', 'cls_token', 'mask_token', 'lg_region_tokens']);

function isDecayed(name: string, shape: readonly number[]): boolean {
  return shape.length > 1 && !name.endsWith('.bias') && !NO_DECAY.has(name);
}

/** Two groups: weights with `weightDecay`; vectors, biases and tokens (by the reference's rule) without. */
export function decayGroups(store: ParameterStore, weightDecay: number): ParameterGroup[] {
  return grouped(store, weightDecay, () => 1);
}

/** How fine-tuning scales the learning rate by layer. */
export interface LayerDecayOptions {
  readonly depth: number;
  readonly weightDecay: number;
  readonly layerDecay: number;
  /**
   * The layer of the representative tokens: `last`, at the full learning rate, as the published training has them;
   * or `first`, with the patch embedding, since like it they are an input of block 0. Default `last`.
   */
  readonly representativeTokens?: 'first' | 'last';
}

/**
 * Layer-wise learning-rate decay for fine-tuning (Clark et al., 2020; as in BEiT): the patch embedding is layer 0,
 * block i layer i + 1, everything else layer depth + 1; the learning rate of a layer is `layerDecay` to the power of
 * its distance from the last.
 */
export function layerDecayGroups(
  store: ParameterStore,
  { depth, weightDecay, layerDecay, representativeTokens = 'last' }: LayerDecayOptions,
): ParameterGroup[] {
  return grouped(store, weightDecay, (name) => {
    const block = /^blocks\.(\d+)\./.exec(name);
    const isFirst =
      name.startsWith('patch_embed.') || (name === 'lg_region_tokens' && representativeTokens === 'first');
    const layer = isFirst ? 0 : block ? Number(block[1]) + 1 : depth + 1;
    return layerDecay ** (depth + 1 - layer);
  });
}

function grouped(
  store: ParameterStore,
  weightDecay: number,
  scaleOf: (name: string) => number,
): ParameterGroup[] {
  const groups = new Map<string, { parameters: string[]; weightDecay: number; learningRateScale: number }>();
  for (const [name, { shape }] of store.parameters) {
    const decay = isDecayed(name, shape) ? weightDecay : 0;
    const learningRateScale = scaleOf(name);
    const key = `${learningRateScale} ${decay}`;
    const group = groups.get(key) ?? { parameters: [], weightDecay: decay, learningRateScale };
    group.parameters.push(name);
    groups.set(key, group);
  }
  return [...groups.values()];
}
