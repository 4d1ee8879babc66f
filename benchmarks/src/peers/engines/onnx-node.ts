import { cpus } from 'node:os';
import { needsAutodiff, type Engine, type Prepared } from '../engine.js';
import type { CaseShape, HostTensors } from '../cases.js';
import type { LoadPeer } from '../installation.js';
import { caseModel, type AttentionMethod } from '../onnx/case-model.js';
import { onnxMethods } from './onnx-methods.js';
import type { Ort, OrtTensor } from './onnx-api.js';
import { provideNavigatorGpu } from './browser-gpu.js';

/**
 * ONNX Runtime's native build, on WebGPU through a Dawn of its own or on the processor. Its interface for Node copies
 * inputs and outputs in every run; weights are copied once.
 */
export async function openOnnxNode(
  load: LoadPeer,
  version: string,
  provider: 'cpu' | 'webgpu',
): Promise<Engine> {
  let adapter = `${cpus()[0]?.model ?? 'processor'}, ${cpus().length} cores`;
  if (provider === 'webgpu') {
    // Opening ours loads the Vulkan driver, which its own Dawn then finds.
    adapter = await provideNavigatorGpu();
  }
  const ort = await load<Ort>('onnxruntime-node');
  return {
    version,
    adapter,
    methods: (shape) => needsAutodiff(shape) ?? onnxMethods(shape),
    prepare: (shape, inputs, method) => prepare(ort, provider, shape, inputs, method as AttentionMethod),
  };
}

async function prepare(
  ort: Ort,
  provider: 'cpu' | 'webgpu',
  shape: CaseShape,
  inputs: HostTensors,
  method: AttentionMethod,
): Promise<Prepared> {
  const { model, inputs: names } = caseModel(shape, inputs, method);
  const session = await ort.InferenceSession.create(model, {
    executionProviders: [provider],
    logSeverityLevel: 3,
  });
  const feeds = Object.fromEntries(
    names.map((name) => {
      const { data, shape: extents } = inputs[name]!;
      return [name, new ort.Tensor('float32', data, extents)];
    }),
  );
  let result: OrtTensor | undefined;
  return {
    async run() {
      result = (await session.run(feeds))['y'];
    },
    finish: async () => undefined,
    read: async () => ({ y: Float32Array.from(result!.data) }),
    release: () => session.release(),
  };
}
