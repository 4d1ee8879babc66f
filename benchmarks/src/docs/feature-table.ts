import type { Operation } from '@tubelet/autograd/lab';
import { format } from 'prettier';
import { table } from './markdown.js';

const INTRODUCTION = `# Operations

<!-- Written by \`npm run docs\` from the table of operations, packages/autograd/src/lab; edit that instead. -->

Functions of \`@tubelet/autograd\`. Each is held to a reference in float64, on shapes that are drawn at random where shapes
matter, and its gradients to central differences of that reference (\`packages/autograd/src/ops/ops.test.ts\`).
\`npm run bench:operations\` prints the errors on the adapter at hand, and times. All compute in f32; indices are i32.
`;

/** Which operations work, partly or not at all, as formatted Markdown. */
export async function featureTable(
  catalogue: Readonly<Record<string, readonly Operation[]>>,
  missing: readonly string[],
): Promise<string> {
  const sections = Object.entries(catalogue).map(([title, operations]) => {
    const rows = operations.map(({ name, summary, lacks, isConstant }) => [
      `\`${name}\``,
      summary,
      lacks === undefined ? 'works' : `partly: ${lacks}`,
      isConstant ? 'none' : 'checked',
    ]);
    return `## ${title}\n\n${table(['operation', 'computes', 'state', 'gradient'], rows)}`;
  });
  const not = `## Not there\n\n${missing.map((what) => `- ${what}\n`).join('')}`;
  return format([INTRODUCTION, ...sections, not].join('\n'), { parser: 'markdown' });
}
