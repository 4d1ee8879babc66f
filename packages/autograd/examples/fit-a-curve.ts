import { AdamW, meanSquareError } from '@tubelet/autograd';
import { gelu, linear, sequential } from '@tubelet/autograd/layers';
import { open } from '@tubelet/autograd/node'; // in a page: from '@tubelet/autograd'

const gpu = await open();
const net = sequential(linear(1, 32), gelu(), linear(32, 1)).init(gpu, { seed: 0 });
const adamw = new AdamW(net.store, { learningRate: 0.02 });

const x = Float32Array.from({ length: 64 }, (_, i) => i / 32 - 1);
const y = x.map((value) => Math.sin(3 * value));
for (let step = 1; step <= 300; step++) {
  const loss = await gpu.step(() => {
    const error = meanSquareError(net(gpu.tensor(x, [64, 1])), gpu.tensor(y, [64, 1]));
    error.backward();
    adamw.step();
    return error;
  });
  if (step % 100 === 0) console.log(`step ${step}: loss ${await loss.item()}`);
}
