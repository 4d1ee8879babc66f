import { Engine, encodeSafetensors, type ParameterStore } from '@tubelet/autograd';
import type { Runtime } from '@tubelet/kernels';
import { proceduralParameter } from '@tubelet/kernels/lab';
import { Classifier, lgiFormer, PretrainingModel } from '@tubelet/mae-dfer';

const encoder = lgiFormer('tiny', {
  ...{ frames: 4, imageSize: 64, region: [1, 2, 4] },
  ...{ dim: 32, depth: 2, heads: 2 },
});

/** Checkpoints of a tiny masked autoencoder and a tiny classifier, whose parameters follow from their names. */
export function tinyCheckpoints(runtime: Runtime): Record<'pretraining' | 'classifier', Uint8Array> {
  const engine = new Engine(runtime);
  const decoder = { dim: 16, depth: 1, heads: 2 };
  const pretraining = { encoder, decoder, decoderPositions: 'token' as const };
  const model = { encoder, classes: 3, pooling: 'representative' as const };
  const classifier = { model, classNames: ['calm', 'glad', 'sad'], clips: { frameStep: 2 } };
  return {
    pretraining: encode(new PretrainingModel(engine, pretraining).store, {
      'tubelet.pretraining.config': JSON.stringify(pretraining),
      'tubelet.pretraining.clips': JSON.stringify({ frameStep: 2 }),
    }),
    classifier: encode(new Classifier(engine, model).store, {
      'tubelet.classifier': JSON.stringify(classifier),
    }),
  };
}

function encode({ parameters }: ParameterStore, metadata: Record<string, string>): Uint8Array {
  const tensors = [...parameters].map(([name, { shape }]) => {
    const data = proceduralParameter(name, shape);
    return [name, { dtype: 'F32' as const, shape: [...shape], data }] as const;
  });
  return encodeSafetensors(new Map(tensors), metadata);
}
