import { existsSync } from 'node:fs';
import { SafetensorsError, safetensorsFloat32, type SafetensorsTensor } from '@tubelet/autograd/formats';
import { formatBytes } from '@tubelet/kernels';
import {
  debugOption,
  option,
  LoneOptionError,
  optionSet,
  UserError,
  type ValuesOfSet,
} from '@tubelet/trainer';
import { saveCheckpoint, writeFileInPieces } from '@tubelet/trainer/formats';
import { PUBLISHED_NAMES } from '@tubelet/video';
import { resolveCheckpoint } from '../shared/checkpoint-place.js';
import { describeClassifier, type ClassifierDescription } from '../classifier/classifier-file.js';
import { classifierGraph, OPSET } from './onnx/classifier-graph.js';
import { encodeOnnx } from './onnx/onnx-format.js';
import { publishedClassifier } from '../classifier/published-classifier.js';
import { readWeightsFile, type WeightsFile } from '../classifier/weights-file.js';

/** What libraries that write safetensors say of a state dict of PyTorch; some readers insist on it. */
const PYTORCH_FORMAT = { format: 'pt' } as const;

/** Options of `export`. */
export const exportOptions = optionSet({
  'Options:': {
    checkpoint: option.text(
      '<place>',
      'a checkpoint, a published .pth, or the folder of a run (its newest one)',
    ),
    out: option.text(
      '<file>',
      'the file to write: .onnx for a classifier as an ONNX model, else safetensors',
    ),
    trainedOn: option
      .choice(
        '<name>',
        `the data set that a published classifier was trained on: ${PUBLISHED_NAMES.join(', ')}`,
        PUBLISHED_NAMES,
      )
      .optional(),
    fold: option.whole('<n>', 'the fold of --trained-on (default: 1)').optional(),
    ...debugOption,
  },
});
export type ExportOptions = Readonly<Omit<ValuesOfSet<typeof exportOptions>, 'debug'>>;

function asFloat32(file: WeightsFile): Map<string, SafetensorsTensor> {
  try {
    return new Map(
      [...file.tensors].map(([name, tensor]) => {
        const data = safetensorsFloat32(name, tensor);
        return [name, { dtype: 'F32', shape: tensor.shape, data }];
      }),
    );
  } catch (error) {
    if (!(error instanceof SafetensorsError)) throw error;
    throw new UserError(`${file.path} cannot be exported: ${error.message}`, { cause: error });
  }
}

/** The classifier that a file is, as it says or as the options say; undefined for other weights. */
async function classifierOf(file: WeightsFile, { trainedOn, fold }: ExportOptions) {
  if (trainedOn !== undefined) return publishedClassifier(file, { name: trainedOn, fold: fold ?? 1 });
  if (fold !== undefined) throw new LoneOptionError('--fold', fold, '--trained-on');
  return file.classifier;
}

/**
 * Writes the weights of a checkpoint as a safetensors file of float32 tensors under their published names: what
 * PyTorch's `load_state_dict` takes. The file says what it holds, so that every program of Tubelet takes it too. With
 * an `out` that ends in `.onnx`, writes a classifier as an ONNX model instead.
 *
 * @throws UserError when the checkpoint cannot be read, or `out` exists; as {@link publishedClassifier}
 * @throws CheckpointWriteError when `out` cannot be written
 * @returns a few lines for the console
 */
export async function exportWeights(options: ExportOptions): Promise<string> {
  const { checkpoint, out } = options;
  if (existsSync(out)) {
    throw new UserError(`${out} is already there. Remove it, or choose another name with --out.`);
  }
  const file = await readWeightsFile(await resolveCheckpoint(checkpoint));
  const classifier = await classifierOf(file, options);
  if (out.endsWith('.onnx')) return exportOnnx(file, classifier, out);
  const tensors = asFloat32(file);
  const { lengthBytes } = await saveCheckpoint(out, {
    tensors,
    metadata: { ...PYTORCH_FORMAT, ...(classifier ? describeClassifier(classifier) : file.description) },
  });
  const values = [...tensors.values()].reduce((sum, { data }) => sum + data.length, 0);
  const classes = classifier ? [`classes: ${classifier.classNames.join(', ')}`] : [];
  return [
    `${out}: ${tensors.size} ${tensors.size === 1 ? 'tensor' : 'tensors'}, ${values.toLocaleString('en')} values, ${formatBytes(lengthBytes)}`,
    `from ${file.path} (${[file.source, ...file.notes].join('; ')})`,
    ...classes,
    `in PyTorch: model.load_state_dict(safetensors.torch.load_file(${JSON.stringify(out)}))`,
  ].join('\n');
}

/** A protobuf message is at most this long. */
const LARGEST_ONNX_BYTES = 2 ** 31 - 1;

async function exportOnnx(
  file: WeightsFile,
  classifier: ClassifierDescription | undefined,
  out: string,
): Promise<string> {
  if (classifier === undefined) {
    throw new UserError(
      `${file.path} is not a classifier (${file.source}), and only classifiers become ONNX models. Fine-tune it first ` +
        '(tubelet finetune … --from), or say what a published classifier was trained on (--trained-on).',
    );
  }
  const graph = classifierGraph(classifier, file.tensors);
  const weightBytes = graph.initializers.reduce((sum, { rawData }) => sum + rawData.length, 0);
  if (weightBytes > LARGEST_ONNX_BYTES) {
    throw new UserError(
      `${file.path} has ${formatBytes(weightBytes)} of weights, and an ONNX file holds at most 2 GiB: export safetensors`,
    );
  }
  const bytes = encodeOnnx(graph);
  await writeFileInPieces(out, [bytes], { knownBytes: bytes.length });
  const inputs = graph.inputs.map(({ name, shape }) => `${name} [${shape.join(', ')}]`);
  const outputs = graph.outputs.map(({ name, shape }) => `${name} [${shape.join(', ')}]`);
  return [
    `${out}: an ONNX model of standard operators (opset ${OPSET}), ${formatBytes(bytes.length)}`,
    `from ${file.path} (${[file.source, ...file.notes].join('; ')})`,
    `takes ${inputs.join(', ')}, float32, RGB from 0 to 1; gives ${outputs.join(' and ')}`,
    `classes: ${classifier.classNames.join(', ')}`,
  ].join('\n');
}
