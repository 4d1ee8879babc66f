import { expect, it } from 'vitest';
import { kernelCatalogue } from '../lab/catalogue.js';
import { paperRuntime } from '../runtime/paper-device.js';
import { kernelChoices } from './kernel-choices.js';

it('are the kernels of the catalogue that have several variants, and these variants', () => {
  const several = kernelCatalogue.filter(({ variants }) => variants.length > 1);
  const listed = new Map(kernelChoices.map(({ kernel, variants }) => [kernel, variants]));
  expect([...listed.keys()].sort()).toEqual(several.map(({ name }) => name).sort());
  for (const { name, variants } of several) expect(listed.get(name), name).toBe(variants);
});

it.each(kernelChoices)(
  '$kernel samples itself: another variant is made of other programs',
  ({ kernel, variants, sample }) => {
    const features = [...new Set(variants.flatMap(({ needs }) => needs))];
    const programsOf = (variant: string) => {
      const paper = paperRuntime({ adapter: { features } });
      paper.forcedVariants.set(kernel, variant);
      const before = paper.counters.dispatches;
      const sources: string[] = [];
      paper.device.createShaderModule = ({ code }) => {
        sources.push(code);
        return {} as GPUShaderModule;
      };
      sample(paper);
      expect(paper.counters.dispatches).toBeGreaterThan(before);
      return sources.join('\n');
    };
    const exact = variants.filter(({ precision }) => precision === undefined);
    expect(new Set(exact.map(({ name }) => programsOf(name))).size).toBe(exact.length);
  },
);
