import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeSafetensors, safetensorsFloat32, type SafetensorsTensor } from '@tubelet/autograd/formats';

/** The folder cannot be used, or does not hold what its manifest says. */
export class GoldenFolderError extends Error {
  override readonly name = 'GoldenFolderError';
}

export interface GoldenTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export type GoldenTensors = ReadonlyMap<string, GoldenTensor>;

/** A JSON object of unknown content; `field` and its kin read it with clear errors. */
export type Json = Readonly<Record<string, unknown>>;

/** A folder of reference numbers: `manifest.json` and safetensors files named `<case>.<part>.safetensors`. */
export class GoldenFolder {
  readonly manifest: Json;

  /** @throws GoldenFolderError when there is no readable manifest */
  constructor(readonly path: string) {
    const manifest = this.json('manifest');
    if (!manifest)
      throw new GoldenFolderError(
        `${join(path, 'manifest.json')} does not exist; give a folder with a manifest.json`,
      );
    this.manifest = manifest;
  }

  /** The object in `<name>.json`, or undefined when there is no such file. */
  json(name: string): Json | undefined {
    const file = join(this.path, `${name}.json`);
    if (!existsSync(file)) return undefined;
    try {
      return JSON.parse(readFileSync(file, 'utf8')) as Json;
    } catch (error) {
      throw new GoldenFolderError(`${file} is not JSON: ${(error as Error).message}`);
    }
  }

  /** Name and description of every case, in order. */
  cases(): [string, Json][] {
    return Object.entries(objectField(this.manifest, 'cases', 'manifest.json')) as [string, Json][];
  }

  /** The tensors of `<name>.safetensors`, images of bytes too, or undefined when there is no such file. */
  tensors(name: string): GoldenTensors | undefined {
    const file = join(this.path, `${name}.safetensors`);
    if (!existsSync(file)) return undefined;
    try {
      const { tensors } = decodeSafetensors(readFileSync(file));
      return new Map(
        [...tensors].map(([key, tensor]) => [key, { shape: tensor.shape, data: floats(key, tensor) }]),
      );
    } catch (error) {
      throw new GoldenFolderError(`${file}: ${(error as Error).message}`);
    }
  }

  /** Names of the folder's files with this ending, sorted. */
  files(ending: string): string[] {
    return readdirSync(this.path)
      .filter((name) => name.endsWith(ending))
      .sort();
  }
}

function floats(key: string, tensor: SafetensorsTensor): Float32Array {
  return tensor.dtype === 'U8'
    ? Float32Array.from(tensor.data as Uint8Array)
    : safetensorsFloat32(key, tensor);
}

export function objectField(object: Json, key: string, where: string): Json {
  const value = object[key];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new GoldenFolderError(`${where}: "${key}" is ${JSON.stringify(value)}, an object is needed`);
  }
  return value as Json;
}

export function numberField(object: Json, key: string, where: string): number {
  const value = object[key];
  if (typeof value !== 'number') {
    throw new GoldenFolderError(`${where}: "${key}" is ${JSON.stringify(value)}, a number is needed`);
  }
  return value;
}

export function numbersField(object: Json, key: string, where: string): number[] {
  const value = object[key];
  if (!Array.isArray(value) || value.some((entry) => typeof entry !== 'number')) {
    throw new GoldenFolderError(
      `${where}: "${key}" is ${JSON.stringify(value)}, a list of numbers is needed`,
    );
  }
  return value as number[];
}

/** A list of objects. */
export function objectsField(object: Json, key: string, where: string): Json[] {
  const value = object[key];
  if (!Array.isArray(value) || value.some((entry) => typeof entry !== 'object' || entry === null)) {
    throw new GoldenFolderError(
      `${where}: "${key}" is ${JSON.stringify(value)}, a list of objects is needed`,
    );
  }
  return value as Json[];
}

/** A list of lists of numbers, one behind the other. */
export function tableField(object: Json, key: string, where: string): number[] {
  const value = object[key];
  if (!Array.isArray(value)) {
    throw new GoldenFolderError(`${where}: "${key}" is ${JSON.stringify(value)}, a table is needed`);
  }
  return value.flatMap((_, row) => numbersField(value as unknown as Json, `${row}`, `${where}, ${key}`));
}

/** A list of numbers if the key is there. */
export function optionalNumbers(object: Json, key: string): number[] | undefined {
  const value = object[key];
  return Array.isArray(value) && value.every((entry) => typeof entry === 'number') ? value : undefined;
}

export function optionalNumber(object: Json, key: string): number | undefined {
  const value = object[key];
  return typeof value === 'number' ? value : undefined;
}

export function triple(object: Json, key: string, where: string): readonly [number, number, number] {
  const [t, h, w, ...rest] = numbersField(object, key, where);
  if (w === undefined || rest.length > 0)
    throw new GoldenFolderError(`${where}: "${key}" needs three numbers`);
  return [t!, h!, w];
}
