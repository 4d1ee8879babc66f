import { describe, expect, it } from 'vitest';
import { SafetensorsError, type SafetensorsTensor } from '../formats/safetensors-header.js';
import { useEngine, values } from '../testing/test-engine.js';
import { ParameterStore } from './parameter-store.js';
import { StateDictMismatchError, loadStateDict, readStateDict } from './state-dict.js';

describe('state dicts', () => {
  const engine = useEngine();
  const withStore = (body: (store: ParameterStore) => void | Promise<void>, maxBankBytes = Infinity) =>
    engine().step(async () => {
      const store = new ParameterStore(
        engine(),
        [
          { name: 'patch.weight', shape: [2, 3] },
          {
            pack: 'qkv',
            shape: [6],
            parts: [{ name: 'q', shape: [2] }, { gap: 2 }, { name: 'v', shape: [2] }],
          },
          { name: 'norm.bias', shape: [300] },
        ],
        { maxBankBytes },
      );
      try {
        await body(store);
      } finally {
        store.release();
      }
    });
  const tensor = (shape: number[], seed = 1): SafetensorsTensor => ({
    dtype: 'F32',
    shape,
    data: Float32Array.from(
      values(
        shape.reduce((a, b) => a * b, 1),
        seed,
      ),
    ),
  });
  const fitting = () =>
    new Map([
      ['v', tensor([2], 4)],
      ['patch.weight', tensor([2, 3], 2)],
      ['q', tensor([2], 3)],
      ['norm.bias', tensor([300], 5)],
    ]);
  const untouched = async (store: ParameterStore) => {
    for (const { data } of (await readStateDict(store)).values()) {
      expect((data as Float32Array).every((value) => value === 0)).toBe(true);
    }
  };

  it('come back as they went, in the order of declaration, from one bank and from several', async () => {
    for (const maxBankBytes of [Infinity, 2048]) {
      await withStore(async (store) => {
        const report = loadStateDict(store, fitting());
        expect(report).toEqual({
          matched: ['patch.weight', 'q', 'v', 'norm.bias'],
          missing: [],
          unexpected: [],
        });
        const read = await readStateDict(store);
        expect([...read.keys()]).toEqual(report.matched);
        for (const [name, expected] of fitting()) expect(read.get(name), name).toEqual(expected);
        expect([...(await store.pack('qkv').read()).slice(2, 4)]).toEqual([0, 0]);
      }, maxBankBytes);
    }
  });

  it('take halves and doubles for what they mean', () =>
    withStore(async (store) => {
      const tensors = fitting();
      tensors.set('q', { dtype: 'F16', shape: [2], data: Uint16Array.of(0x3e00, 0xc000) });
      tensors.set('v', { dtype: 'F64', shape: [2], data: Float64Array.of(0.1, -3) });
      loadStateDict(store, tensors);
      expect([...(await store.get('q').read())]).toEqual([1.5, -2]);
      expect([...(await store.get('v').read())]).toEqual([Math.fround(0.1), -3]);
    }));

  it('must have the names of the model, unless told otherwise', () =>
    withStore(async (store) => {
      const tensors = fitting();
      tensors.delete('q');
      tensors.set('head.weight', tensor([1]));
      let thrown: unknown;
      try {
        loadStateDict(store, tensors);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(StateDictMismatchError);
      expect(thrown).toMatchObject({ missing: ['q'], unexpected: ['head.weight'], misshapen: [] });
      expect((thrown as Error).message).toContain('1 missing (q); 1 not in this model (head.weight)');
      await untouched(store);
      const report = loadStateDict(store, tensors, { strict: false });
      expect(report).toEqual({
        matched: ['patch.weight', 'v', 'norm.bias'],
        missing: ['q'],
        unexpected: ['head.weight'],
      });
      expect([...(await store.get('q').read())]).toEqual([0, 0]);
    }));

  it.each([true, false])(
    'must have its shapes in any case (strict: %s), and are loaded whole or not at all',
    (strict) =>
      withStore(async (store) => {
        const transposed = fitting().set('patch.weight', tensor([3, 2]));
        expect(() => loadStateDict(store, transposed, { strict })).toThrow(
          /1 of another shape \(patch.weight \[3, 2\] instead of \[2, 3\]\)/,
        );
        const flat = fitting().set('patch.weight', tensor([6]));
        expect(() => loadStateDict(store, flat, { strict })).toThrow(StateDictMismatchError);
        const integers = fitting().set('norm.bias', {
          dtype: 'I32',
          shape: [300],
          data: new Int32Array(300),
        });
        expect(() => loadStateDict(store, integers, { strict })).toThrow(SafetensorsError);
        await untouched(store);
      }),
  );

  it('name the first few of many', () =>
    withStore((store) => {
      const many = new Map(Array.from({ length: 9 }, (_, i) => [`block.${i}`, tensor([1])] as const));
      expect(() => loadStateDict(store, many)).toThrow(
        '4 missing (patch.weight, q, v, norm.bias); 9 not in this model (block.0, block.1, block.2, block.3, …)',
      );
    }));
});
