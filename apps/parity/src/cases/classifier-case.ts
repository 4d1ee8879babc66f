import type { Engine, ParameterGroup, RowScaling, Tensor } from '@tubelet/autograd';
import { softCrossEntropy } from '@tubelet/autograd';
import {
  Classifier,
  regionCount,
  regionMajorOrder,
  tokenCount,
  type ClassifierConfig,
  type DropPathDraws,
} from '@tubelet/mae-dfer';
import { softTargets } from '@tubelet/video';
import {
  GoldenFolderError,
  numberField,
  objectField,
  optionalNumber,
  optionalNumbers,
  triple,
  type GoldenFolder,
  type GoldenTensors,
  type Json,
} from '../golden-folder.js';
import type { Report } from '../report.js';
import {
  compareGradients,
  compareParameters,
  goldenGroups,
  goldenOptimiser,
  gradientNorm,
  loadWeights,
} from '../training-steps.js';
import { KeptTensors } from './kept-tensors.js';
import { clipVideo, selectTokens, videoShape } from './pretraining-case.js';

const POOLING = { region: 'representative', org: 'original', all: 'all' } as const;

/** The configuration that a manifest entry describes, with ablation overrides applied. */
export function classifierConfig(config: Json, where: string, overrides: Json = {}): ClassifierConfig {
  const number = (key: string) => numberField(config, key, where);
  const common = {
    frames: optionalNumber(config, 'frames') ?? 16,
    imageSize: number('size'),
    tubeletSize: optionalNumber(config, 'tubelet') ?? 2,
    patchSize: optionalNumber(config, 'patch_size') ?? 16,
    dim: number('dim'),
    depth: number('depth'),
    heads: number('heads'),
  };
  if ((overrides['attn'] ?? config['attn']) === 'joint') {
    return { encoder: { kind: 'vit', ...common }, classes: number('n_cls'), pooling: 'original' };
  }
  const pool = (config['pool'] as keyof typeof POOLING | undefined) ?? 'region';
  if (!(pool in POOLING)) throw new GoldenFolderError(`${where}: "pool" is ${JSON.stringify(pool)}`);
  return {
    encoder: {
      kind: 'lgi-former',
      ...common,
      region: triple('region' in overrides ? overrides : config, 'region', where),
      interRegion: !(overrides['lg_no_second'] ?? config['lg_no_second']),
      localGlobal: !(overrides['lg_no_third'] ?? config['lg_no_third']),
    },
    classes: number('n_cls'),
    pooling: POOLING[pool],
  };
}

/** One fine-tuning case: logits, features, activations, losses, gradients, parameters after steps. */
export async function classifierCase(
  engine: Engine,
  folder: GoldenFolder,
  name: string,
  testCase: Json,
  report: Report,
): Promise<void> {
  const config = classifierConfig(objectField(testCase, 'config', name), name);
  const { runtime } = engine;
  const io = folder.tensors(`${name}.io`);
  if (!io) throw new GoldenFolderError(`${name}.io.safetensors is missing`);
  const labels = tensorOf(io, 'label', name);
  const batch = labels.length;
  const video = clipVideo(io, `${name}.video`, batch, config.encoder);
  const weights = folder.tensors(`${name}.weights`);
  const upload = () => ({ video: runtime.upload(video, videoShape(batch, config.encoder)) });

  for (const [pool, pooling] of Object.entries(POOLING)) {
    if (!io.has(`eval.logits_token_${pool}`)) continue;
    const model = new Classifier(engine, { ...config, pooling });
    loadWeights(model.store, weights);
    await engine.noGrad(() =>
      engine.step(async () => {
        const { logits, feature } = model.forward(upload());
        report.compare(
          name,
          `logits, ${pooling} tokens`,
          'forward',
          await logits.read(),
          tensorOf(io, `eval.logits_token_${pool}`, name),
        );
        report.compare(
          name,
          `feature, ${pooling} tokens`,
          'forward',
          await feature.read(),
          tensorOf(io, `eval.feature_token_${pool}`, name),
        );
      }),
    );
    model.release();
  }

  const model = new Classifier(engine, config);
  loadWeights(model.store, weights);
  const { optimiser, learningRates } = goldenOptimiser(model.store, testCase, name, report);
  compareLayerDecay(model, testCase, name, report);
  const kept = new KeptTensors(engine);
  const run = async (targets: Float32Array, check: (loss: Tensor, logits: Tensor) => Promise<void>) => {
    const activations = new Map<string, Tensor>();
    const { logits } = model.forward(upload(), {
      observe: (key, tensor) => activations.set(key, kept.keep(tensor)),
    });
    kept.keep(logits);
    const loss = softCrossEntropy(logits, runtime.upload(targets, [batch, config.classes]));
    loss.backward();
    await check(loss, logits);
    return activations;
  };

  const soft = io.get('soft.target');
  if (soft) {
    await engine.step(() =>
      run(soft.data, async (loss) => {
        const expected = io.get('soft.loss');
        if (expected)
          report.compareScalar(name, 'soft.loss', 'forward', await loss.item(), expected.data[0]!);
        await compareNorm('grad_norm_soft');
        const gradients = folder.tensors(`${name}.grads_soft`);
        if (gradients) await compareGradients(report, name, 'gradient of soft loss', model.store, gradients);
      }),
    );
    kept.release();
    model.store.zeroGradients();
  }
  const plain = io.get('ce.loss');
  if (plain) {
    await engine.step(() =>
      run(softTargets(labels, config.classes, 0), async (loss) => {
        report.compareScalar(name, 'ce.loss', 'forward', await loss.item(), plain.data[0]!);
        await compareNorm('grad_norm_ce');
      }),
    );
    kept.release();
    model.store.zeroGradients();
  }

  const losses = io.get('train.loss')?.data;
  const norms = optionalNumbers(testCase, 'grad_norm');
  for (let step = 0; step < learningRates.length; step++) {
    await engine.step(async () => {
      const activations = await run(softTargets(labels, config.classes, 0.1), async (loss, logits) => {
        if (losses)
          report.compareScalar(name, `train.loss, step ${step}`, 'forward', await loss.item(), losses[step]!);
        if (norms)
          report.compareScalar(
            name,
            `gradient norm, step ${step}`,
            'gradient',
            await gradientNorm(optimiser),
            norms[step]!,
          );
        const expected = io.get(`train.logits_step${step}`);
        if (expected)
          report.compare(name, `train.logits_step${step}`, 'forward', await logits.read(), expected.data);
      });
      if (step === 0) {
        await compareActivations(activations, io, config, name, report);
        const gradients = folder.tensors(`${name}.grads`);
        if (gradients) await compareGradients(report, name, 'gradient', model.store, gradients);
      }
      optimiser.step({ learningRate: learningRates[step]! });
    });
    kept.release();
    await compareParameters(report, folder, name, model.store, learningRates.slice(0, step + 1));
  }
  optimiser.release();
  model.release();

  async function compareNorm(key: string): Promise<void> {
    const expected = optionalNumbers(testCase, key)?.[0];
    if (expected !== undefined)
      report.compareScalar(name, key, 'gradient', await gradientNorm(optimiser), expected);
  }
}

/** The learning-rate scale of every parameter, where the case says how they decay by layer. */
function compareLayerDecay(model: Classifier, testCase: Json, name: string, report: Report): void {
  const layerDecay = optionalNumber(objectField(testCase, 'optimizer', name), 'layer_decay');
  if (layerDecay === undefined) return;
  const scales = (groups: readonly ParameterGroup[]) => {
    const ofParameter = new Map(
      groups.flatMap(({ parameters, learningRateScale }) =>
        parameters.map((parameter) => [parameter, learningRateScale ?? 1] as const),
      ),
    );
    return [...model.store.parameters.values()].map((parameter) => ofParameter.get(parameter) ?? 1);
  };
  const own = scales(model.learningRateGroups({ layerDecay }));
  report.compare(
    name,
    'learning-rate scales by layer',
    'exact',
    own,
    scales(goldenGroups(model.store, testCase, name)),
  );
}

async function compareActivations(
  activations: ReadonlyMap<string, Tensor>,
  io: GoldenTensors,
  config: ClassifierConfig,
  name: string,
  report: Report,
): Promise<void> {
  for (const [key, { data, shape }] of io) {
    if (!key.startsWith('act.')) continue;
    const activation = activations.get(key.slice('act.'.length));
    if (!activation) {
      report.omit(`${name} ${key} (the model has no such intermediate result)`);
      continue;
    }
    const order = regionMajorOrder(config.encoder);
    const repeated = Uint32Array.from(
      { length: order.length * shape[0]! },
      (_, i) => order[i % order.length]!,
    );
    const reference = key === 'act.patch_embed' ? selectTokens(data, shape, repeated) : data;
    report.compare(name, key, 'forward', await activation.read(), reference);
  }
}

/** Stochastic depth with recorded draws: logits, loss and gradients. */
export async function dropPathCase(
  engine: Engine,
  folder: GoldenFolder,
  name: string,
  testCase: Json,
  report: Report,
): Promise<void> {
  const settings = objectField(testCase, 'config', name);
  const config = classifierConfig(settings, name);
  const io = folder.tensors(name);
  if (!io) throw new GoldenFolderError(`${name}.safetensors is missing`);
  const labels = tensorOf(io, 'label', name);
  const batch = labels.length;
  const model = new Classifier(engine, config);
  loadWeights(model.store, undefined);
  await engine.step(async () => {
    const { runtime } = engine;
    const video = runtime.upload(
      clipVideo(io, `${name}.video`, batch, config.encoder),
      videoShape(batch, config.encoder),
    );
    const rates = optionalNumbers(settings, 'per_block_rate') ?? [];
    const { logits } = model.forward({ video }, { dropPath: recordedDraws(engine, config, io, rates) });
    engine.keep(logits);
    const targets = runtime.upload(softTargets(labels, config.classes, 0.1), [batch, config.classes]);
    const loss = softCrossEntropy(logits, targets);
    loss.backward();
    report.compare(name, 'logits', 'forward', await logits.read(), tensorOf(io, 'logits', name));
    report.compareScalar(name, 'loss', 'forward', await loss.item(), tensorOf(io, 'loss', name)[0]!);
    const gradients = new Map([...io].filter(([key]) => key.startsWith('grad.')));
    await compareGradients(report, name, 'gradient', model.store, gradients);
    engine.release(logits);
  });
  model.release();
}

// Draws are recorded in call order: local, inter-region, local–global, feed-forward of each block with a rate.
function recordedDraws(
  engine: Engine,
  config: ClassifierConfig,
  io: GoldenTensors,
  rates: readonly number[],
): DropPathDraws {
  const regions = regionCount(config.encoder);
  const perRegion = tokenCount(config.encoder) / regions;
  let next = 0;
  return rates.map((rate) => {
    if (rate === 0) return {};
    const draw = (rowsPerScale: number): RowScaling => {
      const keep = tensorOf(io, `keep.${next++}`, 'recorded draws');
      const scale = keep.map((value) => value / (1 - rate));
      return { scale: engine.runtime.upload(scale, [scale.length]), rowsPerScale };
    };
    const local = draw(1 + perRegion);
    const interRegion = draw(regions);
    const localGlobal = draw(regions * perRegion);
    return { local, interRegion, localGlobal, feedForward: draw(1 + perRegion) };
  });
}

function tensorOf(io: GoldenTensors, key: string, where: string): Float32Array {
  const tensor = io.get(key);
  if (!tensor) throw new GoldenFolderError(`${where}: there is no tensor "${key}"`);
  return tensor.data;
}
