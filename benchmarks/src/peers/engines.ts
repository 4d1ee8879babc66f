import type { Engine } from './engine.js';
import { openJaxJs } from './engines/jax-js.js';
import { openOnnxNode } from './engines/onnx-node.js';
import { openOnnxWeb } from './engines/onnx-web.js';
import { openTfjs } from './engines/tfjs.js';
import { openTubelet } from './engines/tubelet.js';
import type { LoadPeer } from './installation.js';

/** How an engine is run and what it is compared as. */
export interface EngineEntry {
  readonly name: string;
  /** The npm package whose version counts; none for this project. */
  readonly package?: string;
  /** `peer`s run on the same adapter; what is there for `scale` runs elsewhere and is no rival. */
  readonly role: 'own' | 'peer' | 'scale';
  /** Options of Node for its process. */
  readonly nodeOptions?: readonly string[];
  open(load: LoadPeer, version: string): Promise<Engine>;
}

export const OWN_ENGINE = 'Tubelet';
/** ONNX Runtime on the processor: tuned matrix products, and an implementation that owes nothing to WebGPU. */
export const SCALE_ENGINE = 'onnxruntime-node, CPU';

export const engines: readonly EngineEntry[] = [
  { name: OWN_ENGINE, role: 'own', open: (_, version) => openTubelet(version) },
  { name: 'tfjs WebGPU', package: '@tensorflow/tfjs', role: 'peer', open: (load) => openTfjs(load) },
  { name: 'jax-js WebGPU', package: '@jax-js/jax', role: 'peer', open: openJaxJs },
  {
    name: 'onnxruntime-web WebGPU',
    package: 'onnxruntime-web',
    role: 'peer',
    // V8's optimising compiler would spend half a minute on its WebAssembly at the first run.
    nodeOptions: ['--liftoff-only'],
    open: openOnnxWeb,
  },
  {
    name: 'onnxruntime-node WebGPU',
    package: 'onnxruntime-node',
    role: 'peer',
    open: (load, version) => openOnnxNode(load, version, 'webgpu'),
  },
  {
    name: SCALE_ENGINE,
    package: 'onnxruntime-node',
    role: 'scale',
    open: (load, version) => openOnnxNode(load, version, 'cpu'),
  },
];

/** Engines that belong into the comparison and are not in it, with the reason. */
export const absentEngines: readonly { readonly name: string; readonly reason: string }[] = [
  { name: 'torchlette', reason: 'not published to npm' },
];
