import { INITIALISE_PURPOSE } from '@tubelet/autograd/layers';
import type { Parameter, ParameterStore } from '@tubelet/autograd';
import { product, PhiloxStream } from '@tubelet/kernels';

/** Initial values of one parameter. */
type Rule = (parameter: Parameter, random: PhiloxStream) => Float32Array;

const zeros: Rule = ({ array }) => new Float32Array(array.size);
const ones: Rule = ({ array }) => new Float32Array(array.size).fill(1);

/** U(−bound, bound) with PyTorch's default bound for convolutions and linear layers, 1/√fan_in. */
const fanIn =
  (inputs: number): Rule =>
  ({ array }, random) =>
    uniform(array.size, 1 / Math.sqrt(inputs), random);

/** Glorot & Bengio (2010): U(±√(6 / (fan_in + fan_out))) on the stored shape. */
const xavier: Rule = ({ array }, random) => {
  const [outputs, inputs] = array.shape as [number, number];
  return uniform(array.size, Math.sqrt(6 / (inputs + outputs)), random);
};

/** Normal with deviation σ, redrawn outside ±limit. */
const truncatedNormal =
  (sigma: number, limit: number): Rule =>
  ({ array }, random) => {
    const values = new Float32Array(array.size);
    for (let i = 0; i < values.length; i++) {
      let value = sigma * random.normal();
      while (Math.abs(value) > limit) value = sigma * random.normal();
      values[i] = value;
    }
    return values;
  };

// first_attn_norm0, norm1, encoder.norm, fc_norm, …
const isNorm = (name: string) => /norm\d*\.(weight|bias)$/.test(name);

/**
 * Fresh weights of the masked autoencoder: linear layers Xavier-uniform, biases 0, norms 1 and 0, tokens truncated
 * normal (σ = 0.02, cut at ±0.02); the patch embedding and the encoder-to-decoder projection keep PyTorch's
 * defaults. Equal seeds give equal weights.
 */
export function initialisePretraining(store: ParameterStore, seed: number): void {
  const tokens = truncatedNormal(0.02, 0.02);
  fillAll(store, seed, (name) => {
    if (name === 'mask_token' || name.endsWith('lg_region_tokens')) return tokens;
    return (
      patchEmbedRule(store, name) ??
      commonRule(name) ??
      (name === 'encoder_to_decoder.weight' ? byInputs : xavier)
    );
  });
}

/**
 * Fresh weights of the classifier: linear layers and tokens normal with σ = 0.02 (cut at ±2), biases 0, norms 1 and
 * 0, patch embedding with PyTorch's default; the head is scaled by `headScale` so that first logits are near zero.
 */
export function initialiseClassifier(
  store: ParameterStore,
  seed: number,
  { headScale = 0.001 }: { headScale?: number } = {},
): void {
  const normal = truncatedNormal(0.02, 2);
  fillAll(store, seed, (name) => {
    if (name === 'head.weight')
      return (parameter, random) => normal(parameter, random).map((value) => value * headScale);
    return patchEmbedRule(store, name) ?? commonRule(name) ?? normal;
  });
}

const byInputs: Rule = (parameter, random) => fanIn(product(parameter.shape.slice(1)))(parameter, random);

function patchEmbedRule(store: ParameterStore, name: string): Rule | undefined {
  const match = /^(.*patch_embed\.proj)\.(weight|bias)$/.exec(name);
  if (!match) return undefined;
  return fanIn(product(store.get(`${match[1]}.weight`).shape.slice(1)));
}

function commonRule(name: string): Rule | undefined {
  if (isNorm(name)) return name.endsWith('.weight') ? ones : zeros;
  return /(\.|_)bias$/.test(name) ? zeros : undefined;
}

function fillAll(store: ParameterStore, seed: number, ruleOf: (name: string) => Rule): void {
  let index = 0;
  for (const [name, parameter] of store.parameters) {
    const random = new PhiloxStream({ seed, purpose: INITIALISE_PURPOSE, epoch: 0, sample: index++ });
    parameter.write(ruleOf(name)(parameter, random));
  }
}

function uniform(count: number, bound: number, random: PhiloxStream): Float32Array {
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = (2 * random.uniform() - 1) * bound;
  return values;
}
