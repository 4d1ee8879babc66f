import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Runtime } from './runtime/runtime.js';
import { useRuntime } from './testing/test-runtime.js';

const root = import.meta.dirname;
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.wgsl'),
);

/** Source with comments blanked out; line breaks stay, so that positions still give line numbers. */
function withoutComments(wgsl: string): string {
  return wgsl.replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '));
}

/** Line numbers of function-scope `var` declarations without an initialiser. */
function uninitialisedVariables(wgsl: string): number[] {
  const source = withoutComments(wgsl);
  // Module-scope variables always name an address space; in functions there is none, or `function`.
  const declarations = source.matchAll(/\bvar\b(?!\s*<\s*(?!function\b))[^;]*;/g);
  return [...declarations]
    .filter(([declaration]) => !/[^=!<>]=(?!=)/.test(declaration))
    .map(({ index }) => source.slice(0, index).split('\n').length);
}

describe('rules that every WGSL file keeps', () => {
  it('finds the files', () => expect(files.length).toBeGreaterThan(10));

  it.each(files)('%s', (file) => {
    const wgsl = readFileSync(join(root, file), 'utf8');
    expect(wgsl.startsWith('// '), `${file} must open with a comment that says what it computes`).toBe(true);
    const lines = uninitialisedVariables(wgsl);
    expect(lines, `${file}: give the variables on these lines an initialiser`).toEqual([]);
  });

  it('tells variables with an initialiser from those without', () => {
    const wgsl = `
      var<workgroup> shared_tile: array<f32, 4>;
      var<private> state: u32;
      @group(0) @binding(0) var<storage, read> x: array<f32>;
      fn main() {
        var a = 1u; // var commented: u32;
        var b: vec4<f32> = vec4f(0.0);
        var c: u32;
        for (var i: u32; i < 4u; i++) { var d: array<u32, 4>; }
        for (var j = 0u; j <= 4u; j++) { var<function> e: u32; }
      }`;
    expect(uninitialisedVariables(wgsl)).toEqual([8, 9, 9, 10]);
  });
});

// Each iteration begins with a new variable, so each must read 0 from a plain declaration: out is 1, 1, 1, 1.
const loop = (declaration: string) => `
var<storage, read_write> out: array<u32>;
@compute @workgroup_size(1)
fn main() {
  for (var i = 0u; i < 4u; i++) {
    ${declaration}
    x += 1u;
    out[i] = x;
  }
}`;

async function runLoop(runtime: Runtime, declaration: string): Promise<number[]> {
  return runtime.scope(async () => {
    const out = runtime.empty([4], 'u32');
    runtime.run({
      kernel: 'loop-variable',
      wgsl: [loop(declaration)],
      arrays: { out },
      workgroups: [1],
      cost: { macs: 0, flops: 0, bytesRead: 0, bytesWritten: 16 },
    });
    return [...new Uint32Array(await runtime.readBytes(out))];
  });
}

describe('a variable declared in a loop', () => {
  const runtime = useRuntime();

  it('starts anew at each iteration when it has an initialiser', async () => {
    expect(await runLoop(runtime(), 'var x: u32 = 0u;')).toEqual([1, 1, 1, 1]);
  });

  it('keeps its old value when it has none: the known compiler bug that the rule above is for', async () => {
    expect(
      await runLoop(runtime(), 'var x: u32;'),
      'The WGSL compiler now resets loop variables without an initialiser. Update the rule on initialisers in the' +
        ' documentation to say from which version of `webgpu` on, and change this test to expect 1, 1, 1, 1.',
    ).toEqual([1, 2, 3, 4]);
  });
});
