import { LAYER_NORM_EPSILON } from '@tubelet/mae-dfer';
import type { Tf, TfTensor } from './tfjs-api.js';

/** x [..., inputs] · weight [inputs, outputs] + bias. */
export function linear(tf: Tf, x: TfTensor, weight: TfTensor, bias: TfTensor): TfTensor {
  const rows = tf.reshape(x, [-1, x.shape.at(-1)!]);
  const product = tf.fused.matMul({ a: rows, b: weight, bias });
  return tf.reshape(product, [...x.shape.slice(0, -1), weight.shape[1]!]);
}

export function gelu(tf: Tf, x: TfTensor): TfTensor {
  const twiceCdf = tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1);
  return tf.mul(tf.mul(twiceCdf, x), 0.5);
}

export function layerNorm(tf: Tf, x: TfTensor, weight: TfTensor, bias: TfTensor): TfTensor {
  const centred = tf.sub(x, tf.mean(x, -1, true));
  const variance = tf.mean(tf.square(centred), -1, true);
  const normal = tf.mul(centred, tf.rsqrt(tf.add(variance, LAYER_NORM_EPSILON)));
  return tf.add(tf.mul(normal, weight), bias);
}
