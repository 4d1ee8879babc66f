import { readFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import {
  decodeSafetensors,
  safetensorsFloat32,
  SafetensorsError,
  type SafetensorsTensor,
} from '@tubelet/autograd/formats';
import { UserError } from '@tubelet/trainer';
import type { FeatureSet } from '../embed/feature-picture.js';

/**
 * The features in a safetensors file that `embed` wrote, one set for each fold.
 *
 * @throws UserError when it cannot be read or is of something else
 */
export async function readFeatureFile(path: string): Promise<(FeatureSet & { readonly title: string })[]> {
  if (extname(path).toLowerCase() !== '.safetensors') {
    throw new UserError(
      `${path} is not a safetensors file. Write one: tubelet embed … --out NAME.safetensors`,
    );
  }
  try {
    const { tensors, metadata } = decodeSafetensors(new Uint8Array(await readFile(path)));
    const features = tensors.get('features');
    const predicted = numbers(tensors.get('predicted'));
    const names = namesOf(metadata.labelNames ?? metadata.classNames);
    if (
      features?.shape.length !== 2 ||
      predicted === undefined ||
      names === undefined ||
      predicted.length !== features.shape[0]
    ) {
      throw new TypeError('it lacks features, predicted or the names of classes');
    }
    const [, width] = features.shape as [number, number];
    const [values, labels, folds] = [
      safetensorsFloat32('features', features),
      numbers(tensors.get('labels')),
      numbers(tensors.get('folds')),
    ];
    const title = basename(path, extname(path));
    const all = predicted.map((prediction, i) => ({
      fold: folds?.[i],
      label: labels === undefined || labels[i]! < 0 ? null : labels[i]!,
      predicted: prediction,
      feature: Float32Array.from(values.subarray(i * width, (i + 1) * width)),
    }));
    return [...new Set(all.map(({ fold }) => fold))].map((fold) => ({
      title: fold === undefined ? title : `${title}, fold ${fold}`,
      videos: all.filter((video) => video.fold === fold),
      names,
      isLabelled: labels !== undefined,
    }));
  } catch (error) {
    if (
      error instanceof SafetensorsError ||
      error instanceof TypeError ||
      error instanceof SyntaxError ||
      isSystemError(error)
    ) {
      throw new UserError(`${path} holds no features as embed writes them: ${(error as Error).message}`, {
        cause: error,
      });
    }
    throw error;
  }
}

const isSystemError = (error: unknown) => error instanceof Error && 'code' in error;

function numbers(tensor: SafetensorsTensor | undefined): number[] | undefined {
  return tensor && Array.from(tensor.data as ArrayLike<number>);
}

function namesOf(text: string | undefined): readonly string[] | undefined {
  const names: unknown = text === undefined ? undefined : JSON.parse(text);
  return Array.isArray(names) ? names.map(String) : undefined;
}
