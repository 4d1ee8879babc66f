import { encodeSafetensors } from '@tubelet/autograd/formats';
import { proceduralParameter } from '@tubelet/kernels/lab';
import { classifierShapes, lgiFormer, pretrainingShapes } from '@tubelet/mae-dfer';

const encoder = lgiFormer('tiny', {
  ...{ frames: 4, imageSize: 64, region: [1, 2, 4] },
  ...{ dim: 32, depth: 2, heads: 2 },
});
const pretraining = {
  encoder,
  decoder: { dim: 16, depth: 1, heads: 2 },
  decoderPositions: 'token' as const,
};
const model = { encoder, classes: 3, pooling: 'representative' };
const clips = { frameStep: 2 };

/** Checkpoints of a tiny masked autoencoder and a tiny classifier, whose parameters follow from their names. */
export const tinyCheckpoints = {
  pretraining: encode(pretrainingShapes(pretraining), {
    'tubelet.pretraining.config': JSON.stringify(pretraining),
    'tubelet.pretraining.clips': JSON.stringify(clips),
  }),
  classifier: encode(classifierShapes(encoder, model.classes), {
    'tubelet.classifier': JSON.stringify({ model, classNames: ['calm', 'glad', 'sad'], clips }),
  }),
};

function encode(
  shapes: ReadonlyMap<string, readonly number[]>,
  metadata: Record<string, string>,
): Uint8Array {
  const tensors = [...shapes].map(([name, shape]) => {
    const data = proceduralParameter(name, shape);
    return [name, { dtype: 'F32' as const, shape: [...shape], data }] as const;
  });
  return encodeSafetensors(new Map(tensors), metadata);
}
