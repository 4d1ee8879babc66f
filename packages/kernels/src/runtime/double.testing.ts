import type { GpuArray } from './gpu-array.js';
import type { Runtime } from './runtime.js';

/**
 * y[i] = 2·x[i]: the smallest kernel that reads and writes, a program for each name. `broken` leaves a type error in its
 * WGSL.
 */
export function double(
  runtime: Runtime,
  x: GpuArray,
  y: GpuArray,
  { kernel = 'double', broken = false }: { kernel?: string; broken?: boolean } = {},
): void {
  const workgroups = runtime.linearGrid(Math.ceil(x.size / 64));
  const wgsl = `// ${kernel}
var<storage, read> x: array<f32>;
var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * GRID_X) * 64u + lane;
  if (i < COUNT) { y[i] = ${broken ? '2u' : '2.0'} * x[i]; }
}`;
  runtime.run({
    kernel,
    ...(broken && { variant: 'broken' }),
    wgsl: [wgsl],
    data: { COUNT: x.size, GRID_X: workgroups[0] },
    arrays: { x, y },
    workgroups,
    cost: { macs: 0, flops: x.size, bytesRead: 4 * x.size, bytesWritten: 4 * x.size },
    joins: { workgroup: [64, 1], workgroupBytes: 0 },
  });
}
