import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

/*
 * The few fields of an ELF shared library (64 bits, little-endian: x86-64 and arm64) that say what it
 * is called and what it needs. Field offsets: System V ABI, chapters 4 and 5.
 */

const loadSegment = 1;
const dynamicSegment = 2;
const tags = { needed: 1n, stringTable: 5n, soname: 14n };

export interface SharedLibrary {
  /** The name others ask for it by; its file name where it states none. */
  readonly soname: string;
  /** The names that it asks for. */
  readonly needed: string[];
}

/**
 * @throws Error when the file is not a 64-bit little-endian ELF file with a dynamic section
 */
export function readSharedLibrary(path: string): SharedLibrary {
  const bytes = readFileSync(path);
  if (bytes.length < 64 || bytes.readUInt32BE(0) !== 0x7f454c46 || bytes[4] !== 2 || bytes[5] !== 1) {
    throw new Error(`${path} is not a 64-bit little-endian ELF file`);
  }
  const number = (offset: number) => Number(bytes.readBigUInt64LE(offset));
  const headersOffset = number(32);
  const headerSize = bytes.readUInt16LE(54);
  const segments = Array.from({ length: bytes.readUInt16LE(56) }, (_, index) => {
    const at = headersOffset + index * headerSize;
    return {
      type: bytes.readUInt32LE(at),
      offset: number(at + 8),
      address: number(at + 16),
      size: number(at + 32),
    };
  });
  const dynamic = segments.find(({ type }) => type === dynamicSegment);
  if (!dynamic) throw new Error(`${path} has no dynamic section`);
  const entries: { readonly tag: bigint; readonly value: number }[] = [];
  for (let at = dynamic.offset; at < dynamic.offset + dynamic.size; at += 16) {
    entries.push({ tag: bytes.readBigInt64LE(at), value: number(at + 8) });
  }
  const address = entries.find(({ tag }) => tag === tags.stringTable)?.value ?? 0;
  const within = segments.find(
    (part) => part.type === loadSegment && address >= part.address && address < part.address + part.size,
  );
  if (!within) throw new Error(`${path} has no string table`);
  const strings = address - within.address + within.offset;
  const text = (start: number) => bytes.toString('utf8', strings + start, bytes.indexOf(0, strings + start));
  const soname = entries.find(({ tag }) => tag === tags.soname);
  return {
    soname: soname ? text(soname.value) : basename(path),
    needed: entries.filter(({ tag }) => tag === tags.needed).map(({ value }) => text(value)),
  };
}

/**
 * Orders libraries so that each comes after those of the others that it needs. Loaded in this order
 * none of them takes a system library of the same name, which may be older.
 *
 * @param paths of the libraries
 */
export function dependencyOrder(paths: readonly string[]): string[] {
  const libraries = paths.map((path) => ({ path, ...readSharedLibrary(path) }));
  const ordered = new Set<string>();
  const visiting = new Set<string>();
  const visit = (library: (typeof libraries)[number]) => {
    // Libraries that need each other cannot be ordered; the one met first comes last.
    if (ordered.has(library.path) || visiting.has(library.path)) return;
    visiting.add(library.path);
    for (const name of library.needed) {
      const dependency = libraries.find(({ soname }) => soname === name);
      if (dependency) visit(dependency);
    }
    ordered.add(library.path);
  };
  libraries.forEach(visit);
  return [...ordered];
}
