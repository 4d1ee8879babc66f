/**
 * `tubelet pretrain` with faults of the GPU put in, to be run by tests:
 * `FAULTS='{"loseAt":[7]}' node --import tsx faulty-program.ts VIDEOS… --out RUN …`. What a fault does happens when a batch is handed to the model; batches are counted from 1 in
 * each process.
 */
import type { Runtime } from '@tubelet/kernels';
import { runCli, trainRun } from '@tubelet/trainer';
import { TubeletError } from '@tubelet/kernels';
import type { ClipBatch } from '@tubelet/video';
import { Command } from 'commander';
import { findVideos } from '../shared/sources.js';
import { modelConfig, trainOptions } from '../train/train-options.js';
import { pretraining } from '../train/train.js';
import type { TrainingState } from '../train/training-state.js';

interface Faults {
  /** Batches with which the device is destroyed, as a driver that is reset does it. */
  readonly loseAt?: readonly number[];
  /** Batches from which a weight is NaN. */
  readonly poisonAt?: readonly number[];
  /** Of the device's memory: what goes beyond is refused. */
  readonly memoryBytes?: number;
}

const faults = JSON.parse(process.env.FAULTS ?? '{}') as Faults;
let batches = 0;

function withFaults(model: TrainingState, runtime: Runtime): TrainingState {
  const inputs = model.inputs.bind(model);
  model.inputs = (batch: ClipBatch, epoch: number) => {
    batches += 1;
    if (faults.loseAt?.includes(batches)) runtime.device.destroy();
    if (faults.poisonAt?.includes(batches)) {
      const [parameter] = model.store.parameters.values();
      parameter!.write(new Float32Array(parameter!.array.size).fill(NaN));
    }
    return inputs(batch, epoch);
  };
  return model;
}

/** Has a device refuse buffers once there are so many bytes of them. */
function limitMemory(device: GPUDevice, mostBytes: number): void {
  const createBuffer = device.createBuffer.bind(device);
  const popErrorScope = device.popErrorScope.bind(device);
  let [bytes, refused] = [0, false];
  device.createBuffer = (descriptor) => {
    bytes += descriptor.size;
    refused = bytes > mostBytes;
    return createBuffer(descriptor);
  };
  device.popErrorScope = async () => {
    const answer = refused ? ({ message: 'no memory left' } as GPUError) : null;
    refused = false;
    return (await popErrorScope()) ?? answer;
  };
}

const command = new Command('train').argument('<sources...>').exitOverride();
trainOptions.addTo(command).action(async (sources: string[]) => {
  const { options, given } = trainOptions.read(command);
  const found = await findVideos(sources, options, given);
  const task = await pretraining(found, options, modelConfig(options, given), process.argv.slice(2));
  await trainRun({
    ...task,
    createModel(runtime) {
      // A device on paper is left as it is: it has no label.
      if (!('label' in runtime.device)) return task.createModel(runtime);
      if (faults.memoryBytes !== undefined) limitMemory(runtime.device, faults.memoryBytes);
      return withFaults(task.createModel(runtime), runtime);
    },
  });
});
await runCli(async () => void (await command.parseAsync()), { userErrors: [TubeletError] });
