import type { GptCase, HostTensors } from '../cases.js';
import type { Tf, TfTensor } from './tfjs-api.js';
import { gelu, layerNorm, linear } from './tfjs-layers.js';

/** Added to the scores of places that a query must not see. */
const HIDDEN = -1e30;

/** Mean cross-entropy of the GPT as a function of its parameters; `constants` are the caller's to dispose. */
export function gptLoss(tf: Tf, shape: GptCase, inputs: HostTensors) {
  const { batch, context, letters, width, heads, depth } = shape;
  const letterIds = (name: string) =>
    tf.tensor(Int32Array.from(inputs[name]!.data), inputs[name]!.shape, 'int32');
  const ids = letterIds('x');
  const next = letterIds('target');
  const oneHot = tf.oneHot(next, letters, 1, 0, 'float32');
  const hidden = Float32Array.from({ length: context ** 2 }, (_, i) =>
    i % context > Math.floor(i / context) ? HIDDEN : 0,
  );
  const mask = tf.tensor(hidden, [context, context]);

  const loss = (at: Readonly<Record<string, TfTensor>>): TfTensor => {
    const norm = (name: string, x: TfTensor) => layerNorm(tf, x, at[`${name}.weight`]!, at[`${name}.bias`]!);
    const layer = (name: string, x: TfTensor) => linear(tf, x, at[`${name}.weight`]!, at[`${name}.bias`]!);
    const apart = (x: TfTensor) =>
      tf.transpose(tf.reshape(x, [batch, context, heads, width / heads]), [0, 2, 1, 3]);
    const selfAttention = (name: string, x: TfTensor) => {
      const [q, k, v] = tf.split(layer(`${name}.qkv`, x), 3, 2);
      const scores = tf.matMul(tf.mul(apart(q!), (width / heads) ** -0.5), apart(k!), false, true);
      const attended = tf.matMul(tf.softmax(tf.add(scores, mask)), apart(v!));
      const together = tf.reshape(tf.transpose(attended, [0, 2, 1, 3]), [batch, context, width]);
      return layer(`${name}.proj`, together);
    };
    let x = tf.add(tf.gather(at['embed.weight']!, ids), at['places']!);
    for (let i = 0; i < depth; i++) {
      const name = `blocks.${i}`;
      x = tf.add(x, selfAttention(`${name}.attention`, norm(`${name}.norm1`, x)));
      const hiddenLayer = gelu(tf, layer(`${name}.feedForward.fc1`, norm(`${name}.norm2`, x)));
      x = tf.add(x, layer(`${name}.feedForward.fc2`, hiddenLayer));
    }
    return tf.losses.softmaxCrossEntropy(oneHot, layer('head', norm('norm', x)));
  };
  return { loss, constants: [ids, next, oneHot, mask] };
}
