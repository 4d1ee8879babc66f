import type { GptCase } from '../cases.js';
import type { Jax, JaxArray } from './jax-api.js';
import { gelu, layerNorm, linear, type At } from './jax-layers.js';

/** Mean cross-entropy of the GPT. */
export function gptLoss(jax: Jax, shape: GptCase, at: At): JaxArray {
  const { batch, context, letters, width, heads, depth } = shape;
  const norm = (name: string, x: JaxArray) => layerNorm(jax, x, at(`${name}.weight`), at(`${name}.bias`));
  const layer = (name: string, x: JaxArray) => linear(jax, x, at(`${name}.weight`), at(`${name}.bias`));
  const apart = (x: JaxArray) => x.reshape([batch, context, heads, width / heads]);
  const selfAttention = (name: string, x: JaxArray) => {
    const [q, k, v] = jax.numpy.split(layer(`${name}.qkv`, x), 3, 2);
    const attended = jax.nn.dotProductAttention(apart(q!), apart(k!), apart(v!), { isCausal: true });
    return layer(`${name}.proj`, attended.reshape([batch, context, width]));
  };
  let x = jax.numpy.take(at('embed.weight'), at('x'), 0).add(at('places'));
  for (let i = 0; i < depth; i++) {
    const name = `blocks.${i}`;
    x = selfAttention(`${name}.attention`, norm(`${name}.norm1`, x.ref)).add(x);
    const hidden = gelu(jax, layer(`${name}.feedForward.fc1`, norm(`${name}.norm2`, x.ref)));
    x = layer(`${name}.feedForward.fc2`, hidden).add(x);
  }
  const logProbabilities = jax.nn.logSoftmax(layer('head', norm('norm', x)));
  // Of all letters of a row one counts, so that the mean over all is a share of the loss.
  return jax.numpy.mean(logProbabilities.mul(jax.nn.oneHot(at('target'), letters))).mul(-letters);
}
