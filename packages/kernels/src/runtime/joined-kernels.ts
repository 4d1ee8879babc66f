import type { GpuArray } from './gpu-array.js';
import type { Access, Joins, ProgramSource, SourcedCall } from './program.js';
import type { KernelData } from './wgsl.js';

/** What several kernels in one dispatch are given. */
export interface JoinedInputs {
  readonly arrays: readonly GpuArray[];
  /** Of each part, the place of each of its arrays among `arrays`. */
  readonly places: readonly (readonly number[])[];
  readonly data: KernelData;
  readonly workgroups: readonly [number, number];
}

/** Limits of a device that a joined dispatch must keep. */
export interface JoinLimits {
  readonly maxStorageBuffersPerShaderStage: number;
  readonly maxComputeWorkgroupStorageSize: number;
}

const SCALAR_OR_VECTOR = /^(vec[234][fhiu]|[fiu]32|f16)$/;
const BINDING = /@group\(0\) @binding\((\d+)\) var<storage, (\w+)> (\w+): ([^;]*);/g;

/**
 * Whether these kernels can be one dispatch: workgroups of one size, memory and bindings that suffice, and none that
 * writes where another one reads or writes. Two may write to one array, each to rows of its own.
 */
function canJoin(parts: readonly SourcedCall[], limits: JoinLimits): boolean {
  const joins = parts.map(({ call }) => call.joins);
  const [first] = joins;
  if (!first) return false;
  const memory = new Map<string, number>();
  for (const [i, own] of joins.entries()) {
    if (!own || invocations(own) !== invocations(first)) return false;
    // What is called alike is shared.
    const { variables = parts[i]!.call.wgsl.at(-1)! } = own;
    memory.set(variables, Math.max(memory.get(variables) ?? 0, own.workgroupBytes));
  }
  const bytes = [...memory.values()].reduce((sum, value) => sum + value, 0);
  if (bytes > limits.maxComputeWorkgroupStorageSize) return false;
  const { arrays, accesses } = placed(parts);
  if (arrays.length > limits.maxStorageBuffersPerShaderStage) return false;
  return arrays.every(({ storage: a }, i) =>
    arrays.slice(0, i).every(({ storage: b }, j) => {
      if (a.buffer !== b.buffer || (accesses[i] === 'read' && accesses[j] === 'read')) return true;
      const isApart =
        a.offsetBytes + a.sizeBytes <= b.offsetBytes || b.offsetBytes + b.sizeBytes <= a.offsetBytes;
      return isApart && accesses[i] === accesses[j];
    }),
  );
}

/** Neighbours that can be one dispatch, in their order. */
export function groupsOf(parts: readonly SourcedCall[], limits: JoinLimits): SourcedCall[][] {
  const groups: SourcedCall[][] = [];
  for (const part of parts) {
    const last = groups.at(-1);
    if (last && canJoin([...last, part], limits)) last.push(part);
    else groups.push([part]);
  }
  return groups;
}

/** Arrays, numbers and workgroups of kernels in one dispatch, with workgroups in one row after the other. */
export function joinedInputs(
  parts: readonly SourcedCall[],
  linearGrid: (count: number) => readonly [number, number],
): JoinedInputs {
  const data: Record<string, KernelData[string]> = {};
  let end = 0;
  parts.forEach(({ call }, part) => {
    for (const name in call.data) data[`${prefix(part)}${name}`] = call.data[name]!;
    const [x, y = 1, z = 1] = call.workgroups;
    end += x * y * z;
    Object.assign(data, {
      [`${prefix(part)}joined_x`]: x,
      [`${prefix(part)}joined_y`]: y,
      [`${prefix(part)}joined_end`]: end,
    });
  });
  const workgroups = linearGrid(end);
  data['joined_grid'] = workgroups[0];
  const { arrays, places } = placed(parts);
  return { arrays, places, data, workgroups };
}

/**
 * One program of several: names of each are given a prefix of its own, and an entry point hands each workgroup to the
 * kernel whose it is. Arrays that are the same are bound once, and workgroup memory of one name is shared.
 */
export function joinedSource(parts: readonly SourcedCall[], inputs: JoinedInputs): ProgramSource {
  const enables = new Set<string>();
  const texts = parts.map(({ source }) =>
    source.wgsl.replace(/\/\/.*$/gm, '').replace(/\benable [^;]*;/g, (enable) => {
      enables.add(enable);
      return '';
    }),
  );
  const bindings: string[] = [];
  const access: Access[] = [];
  const shared = new Map<string, { readonly element: string; sizes: string[] }>();
  const builtins = new Map<string, string>();
  const bodies: string[] = [];
  const branches: string[] = [];
  texts.forEach((text, part) => {
    const own = prefix(part);
    const resolve = aliasResolver(text);
    const names = new Set<string>();
    for (const [, name] of text.matchAll(/\b(?:const|alias|struct|fn|var<[^>]*>)\s+(\w+)/g)) names.add(name!);
    names.delete('data');
    const renamed = (code: string) =>
      code
        .replace(/(?<![\w.])[A-Za-z_]\w*/g, (name) => (names.has(name) ? own + name : name))
        .replace(/\bdata\.(\w+)/g, (_, name: string) => `data.${own}${name}`);
    const arrayNames = new Map<string, string>();
    let body = text
      .replace(/struct Data \{[^}]*\} @group\(0\) @binding\(\d+\) var<uniform> data: Data;/, '')
      .replace(BINDING, (_, index: string, kind: Access, name: string, type: string) => {
        const place = inputs.places[part]![Number(index)]!;
        arrayNames.set(own + name, `array_${place}`);
        access[place] = kind;
        bindings[place] ??=
          `@group(0) @binding(${place}) var<storage, ${kind}> array_${place}: ${renamed(type)};`;
        return '';
      })
      .replace(
        /var<workgroup> (\w+): array<(\w+), ([^;]*)>;/g,
        (declaration, name: string, named: string, size: string) => {
          const element = resolve(named);
          const known = shared.get(name);
          if (known ? known.element !== element : !SCALAR_OR_VECTOR.test(element)) return declaration;
          arrayNames.set(own + name, `shared_${name}`);
          if (known) known.sizes.push(renamed(size));
          else shared.set(name, { element, sizes: [renamed(size)] });
          return '';
        },
      );
    const main = /@compute @workgroup_size\([^)]*\)\s*fn main\(([\s\S]*?)\)\s*\{/.exec(body)!;
    const parameters = [...main[1]!.matchAll(/@builtin\((\w+)\) (\w+: \w+)/g)] as unknown as [
      string,
      string,
      string,
    ][];
    body = body.replace(main[0], `fn main(${parameters.map(([, , declared]) => declared).join(', ')}) {`);
    const given = parameters.map(([, builtin]) => argument(builtin, own, parts[part]!.call.joins!, builtins));
    branches.push(
      `  if (joined_tile < data.${own}joined_end) {\n    let tile = joined_tile - ${
        part === 0 ? '0u' : `data.${prefix(part - 1)}joined_end`
      };\n    ${own}main(${given.join(', ')});\n    return;\n  }`,
    );
    bodies.push(renamed(body).replace(/(?<![\w.])[A-Za-z_]\w*/g, (name) => arrayNames.get(name) ?? name));
  });
  const members = Object.entries(inputs.data).map(
    ([name, value]) => `${name}: ${typeof value === 'object' ? 'f32' : 'u32'}`,
  );
  const workgroupArrays = [...shared].map(
    ([name, { element, sizes }]) =>
      `var<workgroup> shared_${name}: array<${element}, ${sizes.reduce((a, b) => `max(${a}, ${b})`)}>;`,
  );
  const [first] = parts as [SourcedCall];
  const given = [...builtins].map(([builtin, type]) => `, @builtin(${builtin}) joined_${builtin}: ${type}`);
  return {
    kernel: [...new Set(parts.map(({ source }) => source.kernel))].join('+'),
    detail: parts.map(({ source }) => source.detail).join(' + '),
    wgsl: [
      `${[...enables].join(' ')} struct Data { ${members.join(', ')} }`,
      `@group(0) @binding(${inputs.arrays.length}) var<uniform> data: Data;`,
      ...bindings,
      ...workgroupArrays,
      ...bodies,
      `@compute @workgroup_size(${invocations(first.call.joins!)})`,
      `fn main(@builtin(workgroup_id) joined_group: vec3u, @builtin(local_invocation_index) joined_index: u32${given.join('')}) {`,
      '  let joined_tile = joined_group.x + joined_group.y * data.joined_grid;',
      ...branches,
      '}',
    ].join('\n'),
    access,
    takesData: true,
  };
}

function prefix(part: number): string {
  return `k${part}_`;
}

function invocations({ workgroup: [x, y] }: Joins): number {
  return x * y;
}

/** What a kernel gets for a built-in value; what the entry point must ask for is put into `asked`. */
function argument(builtin: string, own: string, joins: Joins, asked: Map<string, string>): string {
  const [x] = joins.workgroup;
  switch (builtin) {
    case 'workgroup_id':
      return `vec3u(tile % data.${own}joined_x, tile / data.${own}joined_x % data.${own}joined_y, tile / (data.${own}joined_x * data.${own}joined_y))`;
    case 'local_invocation_index':
      return 'joined_index';
    case 'local_invocation_id':
      return `vec3u(joined_index % ${x}u, joined_index / ${x}u, 0u)`;
    case 'subgroup_id':
    case 'subgroup_invocation_id':
      asked.set(builtin, 'u32');
      return `joined_${builtin}`;
    default:
      throw new SyntaxError(
        `a kernel that takes ${builtin} cannot share a dispatch: leave out its \`joins\``,
      );
  }
}

/** The arrays of all parts, those that are the same in the same way once. */
function placed(parts: readonly SourcedCall[]): {
  readonly arrays: readonly GpuArray[];
  readonly accesses: readonly Access[];
  readonly places: readonly (readonly number[])[];
} {
  const arrays: GpuArray[] = [];
  const accesses: Access[] = [];
  const types: string[] = [];
  /** What the kernels see of each array. */
  const views: GpuArray[][] = [];
  const places = parts.map(({ call, source }) =>
    Object.values(call.arrays)
      .filter((array) => array !== undefined)
      .map((array, i) => {
        const type = typesOf(source)[i]!;
        const known = arrays.findIndex(
          ({ storage }, j) =>
            storage === array.storage &&
            types[j] === type &&
            accesses[j] === source.access[i] &&
            (accesses[j] === 'read' || views[j]!.every((view) => areApart(view, array))),
        );
        if (known >= 0) {
          views[known]!.push(array);
          return known;
        }
        views.push([array]);
        accesses.push(source.access[i]!);
        types.push(type);
        return arrays.push(array) - 1;
      }),
  );
  return { arrays, accesses, places };
}

/** Whether two views of one array are seen to have no element in common: each has its own part of every period. */
function areApart(a: GpuArray, b: GpuArray): boolean {
  const [first, second] = [a, b].map((array) => {
    const { rows, columns, offset, inner, innerStride, outerStride } = array.rows();
    const isTwoLevels = inner < rows;
    const period = isTwoLevels ? outerStride : innerStride;
    return {
      period,
      start: offset % period,
      span: isTwoLevels ? (inner - 1) * innerStride + columns : columns,
    };
  }) as [Rows, Rows];
  if (first.period !== second.period) return false;
  const [low, high] = first.start < second.start ? [first, second] : [second, first];
  return low.start + low.span <= high.start && high.start + high.span <= high.period;
}

interface Rows {
  readonly period: number;
  readonly start: number;
  readonly span: number;
}

/** Gives what a name of a type stands for in a text. */
function aliasResolver(text: string): (name: string) => string {
  const aliases = new Map<string, string>();
  for (const [, name, type] of text.matchAll(/\balias (\w+) = (\w+);/g)) aliases.set(name!, type!);
  return (name) => {
    let resolved = name;
    while (aliases.has(resolved)) resolved = aliases.get(resolved)!;
    return resolved;
  };
}

const knownTypes = new WeakMap<ProgramSource, readonly string[]>();

/** The types of a kernel's arrays, in their order, spelled without names of its own where there are some. */
function typesOf(source: ProgramSource): readonly string[] {
  let types = knownTypes.get(source);
  if (!types) {
    const resolve = aliasResolver(source.wgsl);
    const found: string[] = [];
    for (const [, index, , , type] of source.wgsl.matchAll(BINDING)) {
      found[Number(index)] = type!.replace(/\w+/g, resolve);
    }
    knownTypes.set(source, (types = found));
  }
  return types;
}
