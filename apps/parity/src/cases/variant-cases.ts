import { softCrossEntropy, type Engine } from '@tubelet/autograd';
import { Classifier, PretrainingModel, uploadMask } from '@tubelet/mae-dfer';
import { softTargets } from '@tubelet/video';
import {
  GoldenFolderError,
  numberField,
  objectField,
  type GoldenFolder,
  type Json,
} from '../golden-folder.js';
import { proceduralVideo } from '@tubelet/kernels/lab';
import type { Report } from '../report.js';
import { compareGradientNorms, loadWeights } from '../training-steps.js';
import { classifierConfig } from './classifier-case.js';
import { leadingTokens, pretrainingConfig, videoShape } from './pretraining-case.js';

/** Ablations: each entry changes the tiny pre-training (`pt.`) or fine-tuning (`ft.`) case by its overrides. */
export async function variantCases(
  engine: Engine,
  folder: GoldenFolder,
  testCase: Json,
  report: Report,
): Promise<void> {
  const cases = Object.fromEntries(folder.cases());
  const io = folder.tensors('variants');
  if (!io) throw new GoldenFolderError('variants.safetensors is missing');
  for (const [name, result] of Object.entries(objectField(testCase, 'results', 'variants')) as [
    string,
    Json,
  ][]) {
    const isPretraining = name.startsWith('pt.');
    const base = objectField(cases, isPretraining ? 'pretrain_tiny' : 'finetune_tiny', 'variants') as Json;
    const settings = objectField(base, 'config', name);
    const overrides = objectField(result, 'overrides', name);
    const group = `variant ${name}`;
    if (isPretraining) {
      const config = pretrainingConfig(settings, name, overrides);
      const model = new PretrainingModel(engine, config);
      loadWeights(model.store, undefined);
      report.compareScalar(
        group,
        'parameter count',
        'exact',
        model.store.count,
        numberField(result, 'params', name),
      );
      const mask = Uint8Array.from(tensor('mask'));
      const batch = io.get('mask')!.shape[0]!;
      await engine.step(async () => {
        const shape = videoShape(batch, config.encoder);
        const video = engine.runtime.upload(proceduralVideo('variants.video', shape), shape);
        const out = model.forward({ video }, uploadMask(engine.runtime, config.encoder, mask));
        engine.keep(out.prediction);
        out.loss.backward();
        const first = leadingTokens(await out.prediction.read(), out.prediction.shape, 4);
        report.compare(group, 'pred_first4', 'forward', first, tensor(`${name}.pred_first4`));
        report.compareScalar(
          group,
          'loss',
          'forward',
          await out.loss.item(),
          numberField(result, 'loss', name),
        );
        await compareGradientNorms(report, group, model.store, objectField(result, 'grads_l2_sum', name));
        engine.release(out.prediction);
      });
      model.release();
    } else {
      const config = classifierConfig(settings, name, overrides);
      const model = new Classifier(engine, config);
      loadWeights(model.store, undefined);
      report.compareScalar(
        group,
        'parameter count',
        'exact',
        model.store.count,
        numberField(result, 'params', name),
      );
      const labels = tensor('label');
      await engine.step(async () => {
        const shape = videoShape(labels.length, config.encoder);
        const video = engine.runtime.upload(proceduralVideo('variants.video', shape), shape);
        const { logits, feature } = model.forward({ video });
        for (const tensor of [logits, feature]) engine.keep(tensor);
        const targets = softTargets(labels, config.classes, 0);
        const loss = softCrossEntropy(
          logits,
          engine.runtime.upload(targets, [labels.length, config.classes]),
        );
        loss.backward();
        report.compare(group, 'logits', 'forward', await logits.read(), tensor(`${name}.logits`));
        report.compare(group, 'feature', 'forward', await feature.read(), tensor(`${name}.feature`));
        report.compareScalar(
          group,
          'loss',
          'forward',
          await loss.item(),
          numberField(result, 'loss_ce', name),
        );
        await compareGradientNorms(report, group, model.store, objectField(result, 'grads_l2_sum', name));
        for (const tensor of [logits, feature]) engine.release(tensor);
      });
      model.release();
    }
  }

  function tensor(key: string): Float32Array {
    const found = io!.get(key);
    if (!found) throw new GoldenFolderError(`variants.safetensors has no "${key}"`);
    return found.data;
  }
}
