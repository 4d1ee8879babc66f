import type { KernelCase, KernelSpec } from '@tubelet/kernels/lab';
import { format } from 'prettier';
import { table } from './markdown.js';

const INTRODUCTION = `# Kernels

<!-- Written by \`npm run docs\` from the kernels' case tables; edit those instead. -->

Every kernel is WGSL written by hand and is held to a reference in float64, on every case and every variant that
the adapter can run, and on random shapes where it says so. \`model\` cases are shapes of the models and are what
\`npm run bench:kernels\` times; \`edge\` cases are awkward shapes; on \`tiny\` ones the reference's own derivative is
held to differences. The tolerance bounds |out − reference| / max(1, max |reference|); integers must be equal.

Variants marked f16 round the inputs of products to f16 on the way (11 bits; infinite above 65504) and add in f32. None
is ever chosen unless a program allows it by \`runtime.precision = 'f16'\`, and devices have what they need only where it
was asked for: \`openNodeRuntime({ matrixUnits: true })\`. Their reference rounds the same inputs, so that the tolerance,
twice the others', bounds their arithmetic alone. Cases of f16 store arrays in it (\`shader-f16\`), which costs
results another 2⁻¹¹, and compute in f32. Where the adapter cannot run a variant it is compiled nonetheless, and
\`npm run test:matrix-units\` runs those for matrix units on a software driver that has such units.
`;

/** The support table of all kernels, as formatted Markdown. */
export async function kernelTable(kernels: readonly KernelSpec[]): Promise<string> {
  const sorted = [...kernels].sort((a, b) => (a.name < b.name ? -1 : 1));
  const variants = sorted.map((spec) => [
    `\`${spec.name}\``,
    spec.summary,
    spec.variants.map(({ name, precision }) => `\`${name}\`${precision ? ` (${precision})` : ''}`).join(', '),
    needs(spec),
    counts(spec),
    spec.tolerance === 0 ? 'exact' : (spec.tolerance ?? 1e-5).toExponential(),
  ]);
  const timed = sorted.flatMap((spec) => {
    const names = spec.cases.filter(({ kind }) => kind === 'model').map(({ name }) => name);
    return names.length > 0 ? [`- \`${spec.name}\`: ${names.join('; ')}`] : [];
  });
  const text = [
    INTRODUCTION,
    table(['kernel', 'computes', 'variants', 'needs', 'cases', 'tolerance'], variants),
    '## Cases at the models’ shapes\n',
    ...timed,
  ].join('\n');
  return format(text, { parser: 'markdown' });
}

/** Features beyond plain WebGPU, with the variants that need them. */
function needs(spec: KernelSpec): string {
  const special = spec.variants.filter((variant) => variant.needs.length > 0);
  if (special.length === 0) return '–';
  return special.map(({ name, needs: features }) => `${features.join(' + ')} (\`${name}\`)`).join('; ');
}

function counts(spec: KernelSpec): string {
  const count = (wanted: KernelCase<unknown>['kind']) =>
    spec.cases.filter(({ kind }) => kind === wanted).length;
  const parts = (['model', 'edge', 'tiny'] as const)
    .filter((kind) => count(kind) > 0)
    .map((kind) => `${count(kind)} ${kind}`);
  if (spec.randomShape) parts.push('random');
  return parts.join(', ');
}
