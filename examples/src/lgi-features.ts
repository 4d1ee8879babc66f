/** The features of a video by a pre-trained LGI-Former: node examples/dist/lgi-features.js VIDEO CHECKPOINT.pth */
import { loadStateDict } from '@tubelet/autograd';
import { open } from '@tubelet/autograd/node';
import { Classifier, encoderOfShapes, finetuneStateDict, lgiFormer } from '@tubelet/mae-dfer';
import { readPytorchFile } from '@tubelet/trainer/formats';
import { ClipPixels, readClip } from '@tubelet/video';

const [video = '', checkpoint = ''] = process.argv.slice(2);
const { tensors } = await readPytorchFile(checkpoint);
const stated = encoderOfShapes(new Map([...tensors].map(([name, { shape }]) => [name, shape])));
const gpu = await open();
const encoder = lgiFormer('base', stated);
const model = new Classifier(gpu, { encoder, classes: 7, pooling: 'representative' });
// A pre-trained checkpoint has neither the last norm nor the head.
model.initialise(0);
const shapes = new Map([...model.store.parameters].map(([name, { shape }]) => [name, shape]));
loadStateDict(model.store, finetuneStateDict(tensors, shapes).tensors, { strict: false });

const { frames } = await readClip(video, { size: encoder.imageSize });
const pixels = new ClipPixels(gpu.runtime, encoder.imageSize);
const feature = await gpu.step(() =>
  gpu.noGrad(() => model.forward({ frames: pixels.frames([frames]) }).feature),
);
console.log((await feature.read()).join(' '));
