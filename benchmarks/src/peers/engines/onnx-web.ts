import { needsAutodiff, type Engine, type Prepared } from '../engine.js';
import type { CaseShape, HostTensors } from '../cases.js';
import type { LoadPeer } from '../installation.js';
import { caseModel, type AttentionMethod } from '../onnx/case-model.js';
import { provideNavigatorGpu } from './browser-gpu.js';
import type { Ort, OrtTensor } from './onnx-api.js';
import { onnxMethods } from './onnx-methods.js';

/** ONNX Runtime's WebAssembly build with its WebGPU provider; inputs, weights and outputs stay on the GPU. */
export async function openOnnxWeb(load: LoadPeer, version: string): Promise<Engine> {
  const adapter = await provideNavigatorGpu();
  copySharedMemory();
  const ort = await load<Ort>('onnxruntime-web/webgpu');
  ort.env.wasm.numThreads = 1;
  return {
    version,
    adapter,
    methods: (shape) => needsAutodiff(shape) ?? onnxMethods(shape),
    prepare: (shape, inputs, method) => prepare(ort, shape, inputs, method as AttentionMethod),
  };
}

/** Dawn's `writeBuffer` refuses views of shared memory, which browsers allow. */
function copySharedMemory(): void {
  const { prototype } = globalThis.GPUQueue;
  const original = prototype.writeBuffer;
  prototype.writeBuffer = function (this: GPUQueue, ...call: Parameters<typeof original>): undefined {
    const [buffer, offset, data, start = 0, size] = call;
    const memory: ArrayBufferLike = ArrayBuffer.isView(data) ? data.buffer : data;
    if (!(memory instanceof SharedArrayBuffer)) return original.apply(this, call);
    const view = ArrayBuffer.isView(data) ? data : new Uint8Array(data);
    // `start` and `size` count elements of a typed array, bytes of everything else.
    const unit = 'BYTES_PER_ELEMENT' in view ? (view.BYTES_PER_ELEMENT as number) : 1;
    const lengthBytes = size === undefined ? view.byteLength - unit * start : unit * size;
    const copy = new Uint8Array(memory, view.byteOffset + unit * start, lengthBytes).slice();
    return original.call(this, buffer, offset, copy);
  };
}

async function prepare(
  ort: Ort,
  shape: CaseShape,
  inputs: HostTensors,
  method: AttentionMethod,
): Promise<Prepared> {
  const { model, inputs: names } = caseModel(shape, inputs, method);
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ['webgpu'],
    preferredOutputLocation: 'gpu-buffer',
    logSeverityLevel: 3,
  });
  const device = await ort.env.webgpu.device;
  const buffers: GPUBuffer[] = [];
  const feeds = Object.fromEntries(
    names.map((name) => {
      const { data, shape: dims } = inputs[name]!;
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
      const buffer = device.createBuffer({ size: data.byteLength, usage });
      device.queue.writeBuffer(buffer, 0, data as Float32Array<ArrayBuffer>);
      buffers.push(buffer);
      return [name, ort.Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims })];
    }),
  );
  let result: OrtTensor | undefined;
  return {
    async run() {
      result?.dispose();
      result = (await session.run(feeds))['y'];
    },
    finish: () => device.queue.onSubmittedWorkDone().then(() => undefined),
    read: async () => ({ y: Float32Array.from(await result!.getData()) }),
    async release() {
      result?.dispose();
      await session.release();
      for (const buffer of buffers) buffer.destroy();
    },
  };
}
