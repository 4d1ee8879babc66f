import { workgroupSumVariants } from '../reduce/workgroup-sum.js';
import type { Runtime } from '../runtime/runtime.js';
import { shapeClass } from '../runtime/shape-class.js';
import { selectVariant, type Variant } from '../runtime/variants.js';

interface LayerNormVariant extends Variant {
  /** Of a workgroup. */
  invocations(runtime: Runtime): number;
  /** Whether the invocations hold a row in registers, each the same number of loads of it. */
  readonly holdsRow: boolean;
}

// More would leave an invocation of a GPU too few registers for the backward pass, which holds six such arrays.
const MOST_HELD = 8;
// Rows of 512 columns, the widest of LGI-Former, in subgroups of 32.
const LEAST_HELD = 4;

// The smallest subgroup that there can be holds a whole workgroup, and a GPU whose subgroups may be small is better
// off with more invocations a row.
const SUBGROUP_INVOCATIONS = 32;

const workgroup: readonly LayerNormVariant[] = workgroupSumVariants.map(({ invocations, ...variant }) => ({
  ...variant,
  invocations: () => invocations,
  holdsRow: false,
}));

/** How many invocations share a row, and how they add up. */
export const layerNormVariants: readonly LayerNormVariant[] = [
  {
    name: 'subgroup',
    needs: ['subgroups'],
    prefers: 'gpu',
    canRun: ({ adapter }) => adapter.subgroupMinSize >= (adapter.isSoftware ? 1 : SUBGROUP_INVOCATIONS),
    invocations: ({ adapter }) => Math.min(adapter.subgroupMinSize, SUBGROUP_INVOCATIONS),
    holdsRow: true,
  },
  ...workgroup,
];

/** How a layer norm is taken on a device. */
export interface LayerNormPlan {
  readonly variant: string;
  /** Of a workgroup. */
  readonly invocations: number;
  /** Loads of a row that an invocation holds in registers; undefined where it reads the row again. */
  readonly held: number | undefined;
}

/** The variant for rows that take so many loads; one whose registers a row does not fit gives way to the next. */
export function planLayerNorm(
  runtime: Runtime,
  kernel: string,
  { rows, columns }: { readonly rows: number; readonly columns: number },
  width: 1 | 4,
): LayerNormPlan {
  const shape = shapeClass(0, rows, columns);
  const variant = selectVariant(runtime, kernel, layerNormVariants, shape);
  const invocations = variant.invocations(runtime);
  if (!variant.holdsRow) return { variant: variant.name, invocations, held: undefined };
  const held = Math.max(LEAST_HELD, 2 ** Math.ceil(Math.log2(columns / width / invocations)));
  if (held <= MOST_HELD) return { variant: variant.name, invocations, held };
  const meantFor = runtime.adapter.isSoftware ? 'software' : 'gpu';
  const other = workgroup.find(({ prefers }) => prefers === meantFor)!;
  return { variant: other.name, invocations: other.invocations(runtime), held: undefined };
}
