import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { dependencyOrder, readSharedLibrary } from './elf.js';

// The npm package carries its Linux build on every system.
const webgpu = dirname(createRequire(import.meta.url).resolve('webgpu'));
const dawn = join(webgpu, 'dist', 'linux-x64', 'dawn.node');

it('reads what a shared library needs', () => {
  const { needed } = readSharedLibrary(dawn);
  expect(needed).toContain('libc.so.6');
  expect(needed.every((name) => /^[\w.+-]+$/.test(name))).toBe(true);
  expect(readSharedLibrary(join(webgpu, 'dist', 'linux-arm64', 'dawn.node')).needed).toContain('libc.so.6');
});

/** The smallest shared library that states a name and needs: headers, dynamic section, strings. */
function tinyLibrary(soname: string, needed: readonly string[]): Buffer {
  const names = [soname, ...needed];
  const strings = Buffer.from(`\0${names.join('\0')}\0`);
  const starts = names.map((name) => strings.indexOf(`\0${name}\0`) + 1);
  const dynamicOffset = 64 + 2 * 56;
  const entries = starts.map((start, i): readonly [tag: number, value: number] => [i === 0 ? 14 : 1, start]);
  const stringsOffset = dynamicOffset + (entries.length + 2) * 16;
  const bytes = Buffer.alloc(stringsOffset + strings.length);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  bytes.writeBigUInt64LE(64n, 32);
  bytes.writeUInt16LE(56, 54);
  bytes.writeUInt16LE(2, 56);
  // The whole file is loaded at an address that is not its offset.
  const base = 0x1000;
  const segments: readonly (readonly [type: number, offset: number, address: number, size: number])[] = [
    [1, 0, base, bytes.length],
    [2, dynamicOffset, base + dynamicOffset, stringsOffset - dynamicOffset],
  ];
  segments.forEach(([type, offset, address, size], index) => {
    const at = 64 + index * 56;
    bytes.writeUInt32LE(type, at);
    bytes.writeBigUInt64LE(BigInt(offset), at + 8);
    bytes.writeBigUInt64LE(BigInt(address), at + 16);
    bytes.writeBigUInt64LE(BigInt(size), at + 32);
  });
  [...entries, [5, base + stringsOffset] as const].forEach(([tag, value], index) => {
    bytes.writeBigInt64LE(BigInt(tag), dynamicOffset + index * 16);
    bytes.writeBigUInt64LE(BigInt(value), dynamicOffset + index * 16 + 8);
  });
  bytes.set(strings, stringsOffset);
  return bytes;
}

it('orders libraries by what they need, whatever their files are called', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tubelet-elf-'));
  try {
    const write = (file: string, soname: string, needed: readonly string[]) => {
      writeFileSync(join(folder, file), tinyLibrary(soname, needed));
      return join(folder, file);
    };
    const driver = write('a-driver.so', 'libdriver.so', ['libcompiler.so.1', 'libz.so.1']);
    const compiler = write('b-compiler.so.1.5', 'libcompiler.so.1', ['libz.so.1', 'libc.so.6']);
    const zip = write('c-zip.so', 'libz.so.1', ['libc.so.6']);
    expect(readSharedLibrary(compiler)).toEqual({
      soname: 'libcompiler.so.1',
      needed: ['libz.so.1', 'libc.so.6'],
    });
    expect(dependencyOrder([driver, compiler, zip])).toEqual([zip, compiler, driver]);
    const one = write('one.so', 'libone.so', ['libtwo.so']);
    const two = write('two.so', 'libtwo.so', ['libone.so']);
    expect(dependencyOrder([one, two])).toEqual([two, one]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('refuses what is not a shared library', () => {
  expect(() => readSharedLibrary(fileURLToPath(import.meta.url))).toThrow('is not a 64-bit');
});
