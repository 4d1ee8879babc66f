/** What a pickle can hold here: plain data, and records of what it would have called in Python. */
import { shown } from '@tubelet/kernels';

export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | Set<PickleValue>
  | Map<PickleValue, PickleValue>
  | PickledGlobal
  | InertObject
  | StorageReference
  | TensorReference;

/** A class or function that a pickle names. It is a name only: nothing is looked up, imported or called. */
export class PickledGlobal {
  /** @param name module and name, `torch._utils._rebuild_tensor_v2` */
  constructor(readonly name: string) {}
}

/** What Python would have made by calling something that is not interpreted here: the call, written down. */
export class InertObject {
  /** What `__setstate__` would have been given, or the object's attributes. */
  state: PickleValue = null;
  /** Items that would have been appended. */
  readonly items: PickleValue[] = [];
  /** Items that would have been set by key. */
  readonly entries = new Map<PickleValue, PickleValue>();

  constructor(
    /** Name of what would have been called. */
    readonly callee: string,
    readonly args: PickleValue,
  ) {}
}

/** Numbers that lie in a file of the archive. */
export class StorageReference {
  constructor(
    /** PyTorch's name of the storage class, `FloatStorage`. */
    readonly type: string,
    /** Name of the file in the archive's `data` folder. */
    readonly key: string,
    /** Number of elements. */
    readonly size: number,
  ) {}
}

/** A strided view on a storage; its numbers are read when somebody asks for them. */
export class TensorReference {
  constructor(
    readonly storage: StorageReference,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

/** A name, cut off where it is long: one name can be spoken of a million times. */
export const shownName = (name: string) => (name.length > 100 ? `${name.slice(0, 100)}…` : name);

/** A short description for error messages. */
export function describePickled(value: PickleValue | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'None';
  if (value instanceof PickledGlobal) return `the name ${shownName(value.name)}`;
  if (value instanceof InertObject) return `a call of ${shownName(value.callee)} (not run)`;
  if (value instanceof StorageReference) return 'a storage';
  if (value instanceof TensorReference) return `a tensor of shape ${shown(value.shape)}`;
  if (value instanceof Map) return 'a dict';
  if (value instanceof Set) return 'a set';
  if (value instanceof Uint8Array) return 'bytes';
  if (Array.isArray(value)) return 'a list';
  return `${typeof value} ${String(value).slice(0, 40)}`;
}
