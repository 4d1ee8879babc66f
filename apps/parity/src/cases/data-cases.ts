import type { Runtime } from '@tubelet/kernels';
import {
  augmentedImage,
  augmentOperation,
  AUGMENT_OPERATIONS,
  clipFrameIndices,
  clipStartCount,
  croppedImage,
  multiScaleCropOffsets,
  multiScaleCropSizes,
  resizeBilinear,
  testClipFrameIndices,
  trainClipFrameIndices,
  type AugmentOperationName,
  type Box,
} from '@tubelet/video';
import {
  GoldenFolderError,
  numberField,
  numbersField,
  objectField,
  objectsField,
  optionalNumber,
  tableField,
  type GoldenFolder,
  type GoldenTensor,
  type GoldenTensors,
  type Json,
} from '../golden-folder.js';
import type { Report } from '../report.js';
import { evaluationCase } from './evaluation-case.js';

const WHERE = 'manifest_data.json';
const FRAMES = 16;

// What the reference calls the operations, in the order in which they are drawn.
const OPERATION_NAMES: Readonly<Record<string, AugmentOperationName>> = {
  AutoContrast: 'autoContrast',
  Equalize: 'equalize',
  Invert: 'invert',
  Rotate: 'rotate',
  PosterizeIncreasing: 'posterize',
  SolarizeIncreasing: 'solarize',
  SolarizeAdd: 'solarizeAdd',
  ColorIncreasing: 'colour',
  ContrastIncreasing: 'contrast',
  BrightnessIncreasing: 'brightness',
  SharpnessIncreasing: 'sharpness',
  ShearX: 'shearX',
  ShearY: 'shearY',
  TranslateXRel: 'translateX',
  TranslateYRel: 'translateY',
};

/**
 * What happens to videos before and after the model, of `manifest_data.json` and `data.safetensors`: frames of clips,
 * sizes and places of crops, resized and augmented images, and the evaluation of scored views.
 */
export async function dataCases(runtime: Runtime, folder: GoldenFolder, report: Report): Promise<void> {
  const manifest = folder.json('manifest_data');
  const tensors = folder.tensors('data');
  if (!manifest || !tensors) {
    report.omit('clips, images and evaluation (manifest_data.json, data.safetensors: not in this folder)');
    return;
  }
  frameIndices(objectField(manifest, 'frame_indices', WHERE), report);
  multiScaleCrops(objectField(manifest, 'multiscale_crop_160', WHERE), report);
  await resizedImages(runtime, tensors, report);
  await augmentations(runtime, objectField(manifest, 'randaugment', WHERE), tensors, report);
  evaluationCase(objectField(manifest, 'evaluation', WHERE), tensors, report);
}

function frameIndices(tables: Json, report: Report): void {
  for (const entry of objectsField(tables, 'pretrain_rate4', WHERE)) {
    const frameCount = numberField(entry, 'n_frames', WHERE);
    const start = optionalNumber(entry, 'offset_drawn');
    const label = `${frameCount} frames${start === undefined ? '' : ` from ${start}`}`;
    const expected = numbersField(entry, 'indices', WHERE);
    const indices = clipFrameIndices(frameCount, start ?? 0);
    report.compare('clips', `frames in pre-training: ${label}`, 'exact', indices, expected);
    // The reference counts 0 where it does not draw: the clip then starts at frame 0, the only choice.
    const starts = Math.max(numberField(entry, 'n_choices', WHERE), 1);
    const own = clipStartCount(frameCount);
    report.compareScalar('clips', `frames that start in pre-training: ${label}`, 'exact', own, starts);
  }
  for (const entry of objectsField(tables, 'finetune_train_and_validation', WHERE)) {
    const frameCount = numberField(entry, 'n_frames', WHERE);
    const shape = { frames: FRAMES, step: numberField(entry, 'sampling_rate', WHERE) };
    // The reference draws where a clip ends.
    const end = optionalNumber(entry, 'end_idx_drawn');
    const start = end === undefined ? undefined : end - FRAMES * shape.step;
    const label = `frames in training: ${frameCount} frames${end === undefined ? '' : ` up to ${end}`}, step ${shape.step}`;
    const expected = numbersField(entry, 'indices', WHERE);
    report.compare('clips', label, 'exact', trainClipFrameIndices(frameCount, start, shape), expected);
  }
  for (const entry of objectsField(tables, 'finetune_test', WHERE)) {
    const frameCount = numberField(entry, 'n_frames', WHERE);
    const shape = { frames: FRAMES, step: numberField(entry, 'sampling_rate', WHERE) };
    const expected = tableField(entry, 'clips', WHERE);
    const clips = testClipFrameIndices(frameCount, expected.length / FRAMES, shape);
    const label = `frames in testing: ${frameCount} frames, step ${shape.step}`;
    report.compare('clips', label, 'exact', clips.flat(), expected);
  }
}

function multiScaleCrops(table: Json, report: Report): void {
  const sizes = multiScaleCropSizes(160).flat();
  report.compare(
    'multi-scale crop',
    'sizes at 160',
    'exact',
    sizes,
    tableField(table, 'size_pairs_w_h', WHERE),
  );
  for (const key of Object.keys(table)) {
    const [, width, height] = /^offsets_for_(\d+)x(\d+)/.exec(key) ?? [];
    if (!width || !height) continue;
    const offsets = multiScaleCropOffsets(160, Number(width), Number(height)).flat();
    const label = `places of ${width}×${height} at 160`;
    report.compare('multi-scale crop', label, 'exact', offsets, tableField(table, key, WHERE));
  }
}

const pixelsOf = ({ data }: GoldenTensor): Uint8Array => Uint8Array.from(data);

function imageOf(tensors: GoldenTensors, key: string) {
  const tensor = tensors.get(key);
  if (!tensor) throw new GoldenFolderError(`data.safetensors has no "${key}"`);
  const [height, width] = tensor.shape as [number, number, number];
  return { pixels: pixelsOf(tensor), width, height };
}

const MEAN = [0.485, 0.456, 0.406];
const DEVIATION = [0.229, 0.224, 0.225];

/** Normalised planes [3, height, width] as levels. */
const levelsOf = (planes: Float32Array) =>
  planes.map((value, i) => {
    const channel = Math.floor((3 * i) / planes.length);
    return 255 * (value * DEVIATION[channel]! + MEAN[channel]!);
  });

// A name says what was done: pil_bilinear_<height>x<width>, torch_bilinear_crop_<y>_<x>_<height>_<width>_to_<size>x<size>,
// and crop_<x>_<y>_<width>_<height>_to… of the multi-scale crop, which Pillow brings back to its size.
async function resizedImages(runtime: Runtime, tensors: GoldenTensors, report: Report): Promise<void> {
  const source = imageOf(tensors, 'resize.src');
  for (const [key, { data, shape }] of tensors) {
    const numbers = (key.match(/\d+/g) ?? []).map(Number);
    if (key.startsWith('resize.pil_bilinear_')) {
      const [height, width] = shape as [number, number, number];
      const resized = resizeBilinear(source.pixels, source.width, source.height, width, height);
      report.compare('resize', key, 'exact', resized, data);
    } else if (key.startsWith('resize.torch_bilinear_crop_')) {
      const [y, x, height, width] = numbers as [number, number, number, number];
      const [, outputHeight, outputWidth] = shape as [number, number, number];
      const box: Box = { x, y, width, height };
      const output = { width: outputWidth, height: outputHeight };
      const resized = levelsOf(await croppedImage(runtime, source, box, output));
      report.compare('random resized crop', key, 'forward', resized, data);
    } else if (key.startsWith('ms.crop_')) {
      const [x, y, width, height, size] = numbers as [number, number, number, number, number];
      const whole = imageOf(tensors, 'ms.src');
      const box: Box = { x, y, width, height };
      const resized = resizeBilinear(whole.pixels, whole.width, whole.height, size, size, { box });
      report.compare('multi-scale crop', key, 'exact', resized, data);
    }
  }
}

async function augmentations(
  runtime: Runtime,
  table: Json,
  tensors: GoldenTensors,
  report: Report,
): Promise<void> {
  const order = table['order'];
  if (!Array.isArray(order)) throw new GoldenFolderError(`${WHERE}: randaugment.order is not a list`);
  const drawn = order.map((name) => AUGMENT_OPERATIONS.indexOf(OPERATION_NAMES[`${name}`]!));
  report.compare('RandAugment', 'order of the operations', 'exact', [...AUGMENT_OPERATIONS.keys()], drawn);

  const used = objectField(table, 'op_args_used', WHERE);
  const levels = objectField(table, 'level_to_arg(before random negation)', WHERE);
  const source = imageOf(tensors, 'ra.src');
  for (const [given, name] of Object.entries(OPERATION_NAMES)) {
    const expected = tensors.get(`ra.${given}`);
    if (expected) {
      const [argument] = numbersField(used, given, WHERE);
      const pixels = await augmentedImage(runtime, source, [{ name, argument }]);
      report.compare('RandAugment', `ra.${given}`, 'exact', pixels, expected.data);
    }
    const magnitudes = objectField(levels, given, WHERE);
    const keys = Object.keys(magnitudes);
    const ours = keys.flatMap((magnitude) => augmentOperation(name, Number(magnitude)).argument ?? []);
    const theirs = keys.flatMap((magnitude) => numbersField(magnitudes, magnitude, WHERE));
    report.compare('RandAugment', `arguments: ${given}`, 'forward', ours, theirs);
  }
}
