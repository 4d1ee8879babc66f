/** A small GPT that learns to write like `text.txt`, one letter after the other. */
import { readFileSync } from 'node:fs';
import { add, AdamW, crossEntropy, type Tensor } from '@tubelet/autograd';
import {
  embedding,
  layer,
  layerNorm,
  linear,
  mlp,
  parameter,
  selfAttention,
  sequential,
  truncatedNormal,
} from '@tubelet/autograd/layers';
import { open } from '@tubelet/autograd/node';

const [WIDTH, HEADS, DEPTH] = [64, 4, 2];
const [BATCH, CONTEXT, STEPS] = [8, 32, 150];

const text = readFileSync(new URL('../text.txt', import.meta.url), 'utf8').replaceAll('\n', ' ');
const letters = [...new Set(text)].sort();
const idsOf = (piece: string) => Int32Array.from(piece, (letter) => letters.indexOf(letter));

function block() {
  const [norm1, norm2] = [layerNorm(WIDTH), layerNorm(WIDTH)];
  const attention = selfAttention(WIDTH, HEADS, { causal: true });
  const feedForward = mlp(WIDTH, 4 * WIDTH);
  return layer({ norm1, attention, norm2, feedForward }, (x: Tensor) => {
    const mixed = add(x, attention(norm1(x)));
    return feedForward(norm2(mixed), { residual: mixed });
  });
}

const embed = embedding(letters.length, WIDTH);
const places = parameter([CONTEXT, WIDTH], truncatedNormal(0.02, 1));
const blocks = sequential(...Array.from({ length: DEPTH }, block));
const [norm, head] = [layerNorm(WIDTH), linear(WIDTH, letters.length)];
const gpu = await open();
// ids [B, CONTEXT] → logits of the letter after each, [B, CONTEXT, letters]
const gpt = layer({ embed, places, blocks, norm, head }, (ids: Tensor) =>
  head(norm(blocks(add(embed(ids), places.tensor)))),
).init(gpu, { seed: 0 });
const adamw = new AdamW(gpt.store, { learningRate: 3e-3 });

/** The batch of a step: pieces that begin all over the text, and the same one letter later. */
function batch(step: number) {
  const starts = Array.from(
    { length: BATCH },
    (_, i) => ((step * BATCH + i) * 389) % (text.length - CONTEXT),
  );
  const pieces = (shift: number) =>
    gpu.tensor(idsOf(starts.map((start) => text.slice(start + shift, start + shift + CONTEXT)).join('')), [
      BATCH,
      CONTEXT,
    ]);
  return { ids: pieces(0), next: pieces(1) };
}

for (let step = 1; step <= STEPS; step++) {
  const loss = await gpu.step(() => {
    const { ids, next } = batch(step);
    const mean = crossEntropy(gpt(ids), next);
    mean.backward();
    adamw.step();
    return mean;
  });
  if (step === 1 || step % 50 === 0) console.log(`step ${step}: loss ${await loss.item()}`);
}

let written = text.slice(0, CONTEXT);
for (let i = 0; i < 60; i++) {
  const ids = idsOf(written.slice(-CONTEXT));
  const logits = await gpu.step(() => gpu.noGrad(() => gpt(gpu.tensor(ids, [1, CONTEXT]))));
  const last = (await logits.read()).slice(-letters.length);
  written += letters[last.indexOf(Math.max(...last))]!;
}
console.log(written);
