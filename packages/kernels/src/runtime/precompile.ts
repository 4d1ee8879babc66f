import { describePipeline, type Precompile } from './program-cache.js';
import type { ProgramSource } from './program.js';

// More than any kernel binds of fixed size.
const BINDING_BYTES = 4096;
// GPUBufferUsage; the numbers are fixed by the WebGPU specification.
const USAGE = { uniform: 0x40, storage: 0x80, indirect: 0x100 };

/**
 * A device that compiles for others: what it has compiled they find in the driver's cache. Software drivers translate a
 * program to machine code when it is first dispatched, on the thread of the device that dispatches it, so that a device
 * keeps one core busy, and several keep several. Nothing of the program is run: the number of workgroups, which lies in
 * a buffer so that nobody sees it beforehand, is 0.
 */
export function precompiler(device: GPUDevice): Precompile {
  const indirect = device.createBuffer({ size: 12, usage: USAGE.indirect });
  const uniform = device.createBuffer({ size: BINDING_BYTES, usage: USAGE.uniform });
  const storages: GPUBuffer[] = [];
  const storage = (binding: number) =>
    (storages[binding] ??= device.createBuffer({ size: BINDING_BYTES, usage: USAGE.storage }));

  const compile = async (source: ProgramSource) => {
    device.pushErrorScope('validation');
    const { layout, descriptor } = describePipeline(device, source);
    const pipeline = device.createComputePipeline(descriptor);
    const buffers = source.access.map((_, binding) => storage(binding));
    const entries = [...buffers, ...(source.takesData ? [uniform] : [])].map((buffer, binding) => ({
      binding,
      resource: { buffer },
    }));
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.createBindGroup({ layout, entries }));
    pass.dispatchWorkgroupsIndirect(indirect, 0);
    pass.end();
    device.queue.submit([encoder.finish()]);
    await Promise.all([device.popErrorScope(), device.queue.onSubmittedWorkDone()]);
  };
  // What is wrong with a program is said where it will run, and without this device that only takes longer.
  return (source) => compile(source).catch(() => undefined);
}
