import type { GpuArray } from './gpu-array.js';
import type { Runtime } from './runtime.js';

/** y[i] = 2·x[i]: the smallest kernel that reads and writes. `broken` leaves a type error in its WGSL. */
export function double(
  runtime: Runtime,
  x: GpuArray,
  y: GpuArray,
  { kernel = 'double', broken = false }: { kernel?: string; broken?: boolean } = {},
): void {
  const workgroups = runtime.linearGrid(Math.ceil(x.size / 64));
  const wgsl = `
    @group(0) @binding(0) var<storage, read> x: array<f32>;
    @group(0) @binding(1) var<storage, read_write> y: array<f32>;
    @compute @workgroup_size(64)
    fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
      let i = (group.x + group.y * ${workgroups[0]}u) * 64u + lane;
      if (i < ${x.size}u) { y[i] = ${broken ? '2u' : '2.0'} * x[i]; }
    }`;
  const program = runtime.program(`${kernel} ${x.size} ${broken}`, () => ({
    kernel,
    detail: `${x.size} elements`,
    wgsl,
    access: ['read', 'read_write'],
  }));
  const cost = { macs: 0, flops: x.size, bytesRead: 4 * x.size, bytesWritten: 4 * x.size };
  runtime.dispatch(program, [x, y], workgroups, cost);
}
