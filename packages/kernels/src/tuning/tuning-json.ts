import { shown } from '../runtime/shown.js';
import { shapeClassOf, shapeClassParts } from '../runtime/shape-class.js';
import { TuningTable, TuningTableError, type TuningChoice, type TuningIdentity } from './tuning-table.js';

const FORMAT = 'tubelet tuning table';
const VERSION = 1;

/** A table as plain data for JSON. */
export interface TuningTableJson {
  readonly format: typeof FORMAT;
  readonly version: typeof VERSION;
  readonly digest: string;
  readonly identity: TuningIdentity;
  readonly choices: readonly {
    readonly kernel: string;
    /** Largest extents of the class; what they are is the kernel's to say. */
    readonly extents: readonly number[];
    readonly form: number;
    readonly variant: string;
  }[];
}

/** The plain data of a table, which `tuningTableFromJson` reads. */
export function tuningTableToJson({ digest, identity, choices }: TuningTable): TuningTableJson {
  return {
    format: FORMAT,
    version: VERSION,
    digest,
    identity,
    choices: choices.map(({ kernel, shape, variant }) => ({ kernel, ...shapeClassParts(shape), variant })),
  };
}

/**
 * The table that `value`, parsed JSON, describes; fields of other names are left alone.
 *
 * @throws TuningTableError saying where it is not one, or that its digest is not that of its content
 */
export function tuningTableFromJson(value: unknown): TuningTable {
  const table = record(value, 'the table');
  const { format } = table;
  if (format !== FORMAT) {
    const found = format === undefined ? 'missing' : shown(format);
    throw new TuningTableError(`it is not a ${FORMAT}: "format" is ${found}`);
  }
  if (table.version !== VERSION) {
    throw new TuningTableError(`it has version ${shown(table.version)}, and this reads ${VERSION}`);
  }
  const { choices } = table;
  if (!Array.isArray(choices)) throw new TuningTableError('it is damaged: "choices" is not a list');
  const read = new TuningTable(identityOf(table.identity), choices.map(choiceOf));
  if (table.digest !== read.digest) {
    throw new TuningTableError(
      `it is damaged: its digest should be ${read.digest} and is ${shown(table.digest)}`,
    );
  }
  return read;
}

function identityOf(value: unknown): TuningIdentity {
  const { adapter, compiler, kernels } = record(value, '"identity"');
  const said = record(adapter, '"identity.adapter"');
  const values = Object.entries(said);
  if (!values.every(([, part]) => typeof part === 'string' || typeof part === 'number')) {
    throw new TuningTableError('it is damaged: "identity.adapter" holds what is neither text nor number');
  }
  if (typeof compiler !== 'string' || typeof kernels !== 'string') {
    throw new TuningTableError('it is damaged: "identity" lacks its compiler or its kernels');
  }
  return { adapter: said as TuningIdentity['adapter'], compiler, kernels };
}

function choiceOf(value: unknown, index: number): TuningChoice {
  const { kernel, extents, form, variant } = record(value, `"choices[${index}]"`);
  const isList = Array.isArray(extents) && extents.every((extent) => typeof extent === 'number');
  const shape =
    isList && typeof form === 'number' ? shapeClassOf({ extents: extents as number[], form }) : undefined;
  if (typeof kernel !== 'string' || typeof variant !== 'string' || shape === undefined) {
    throw new TuningTableError(`it is damaged: "choices[${index}]" is ${shown(value)}`);
  }
  return { kernel, shape, variant };
}

function record(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TuningTableError(`it is damaged: ${name} is not an object`);
  }
  return value as Readonly<Record<string, unknown>>;
}
