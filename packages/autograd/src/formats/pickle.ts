/**
 * An interpreter of Python's pickle format that builds data and never runs anything. From the description of the
 * opcodes in Python's `pickletools`; protocols 2 to 5 in binary form, which is all that torch.save writes.
 *
 * A pickle is a program for a stack machine. Two of its opcodes call a function that the pickle names, and so run
 * arbitrary code in Python. Here such a call becomes an `InertObject`, unless the reader's `construct` knows it as
 * the constructor of plain data. Opcodes that are not needed for data are refused.
 */
import { CheckpointFormatError } from './pytorch-errors.js';
import { PickleInput } from './pickle-input.js';
import { describePickled, InertObject, PickledGlobal, type PickleValue } from './pickle-values.js';

/** How the calls of a pickle are understood. */
export interface PickleInterpretation {
  /** What `callee(...args)` stands for, or undefined where it shall stay an inert record. */
  construct(callee: string, args: readonly PickleValue[]): PickleValue | undefined;
  /** What a persistent id (a reference to something outside the pickle) stands for. */
  persistent(id: PickleValue): PickleValue;
}

const HIGHEST_PROTOCOL = 5;

class Machine {
  private readonly input: PickleInput;
  private stack: PickleValue[] = [];
  /** The stacks below each mark. */
  private readonly below: PickleValue[][] = [];
  private readonly memo = new Map<number, PickleValue>();

  constructor(
    bytes: Uint8Array,
    private readonly interpretation: PickleInterpretation,
  ) {
    this.input = new PickleInput(bytes);
  }

  run(): PickleValue {
    for (;;) {
      const position = this.input.position;
      const opcode = this.input.u8();
      if (opcode === 0x2e) return this.pop(); // STOP
      const operation = OPERATIONS.get(opcode);
      if (operation === undefined) {
        throw new CheckpointFormatError(
          `the pickle has opcode 0x${opcode.toString(16).padStart(2, '0')} at byte ${position}, which no checkpoint of ` +
            'torch.save has; refusing to read it',
        );
      }
      operation(this, this.input);
    }
  }

  push(value: PickleValue): void {
    this.stack.push(value);
  }

  pop(): PickleValue {
    const value = this.stack.pop();
    if (value === undefined) throw this.damaged('takes a value from an empty stack');
    return value;
  }

  top(): PickleValue {
    const value = this.stack.at(-1);
    if (value === undefined) throw this.damaged('looks at an empty stack');
    return value;
  }

  take(count: number): PickleValue[] {
    if (this.stack.length < count) throw this.damaged(`takes ${count} values from ${this.stack.length}`);
    return this.stack.splice(this.stack.length - count);
  }

  mark(): void {
    this.below.push(this.stack);
    this.stack = [];
  }

  takeMarked(): PickleValue[] {
    const values = this.stack;
    const below = this.below.pop();
    if (below === undefined) throw this.damaged('has no mark');
    this.stack = below;
    return values;
  }

  remember(index: number): void {
    this.memo.set(index, this.top());
  }

  rememberNext(): void {
    this.remember(this.memo.size);
  }

  recall(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) throw this.damaged(`recalls value ${index}, which was never remembered`);
    this.push(value);
  }

  call(callee: PickleValue, args: PickleValue): void {
    // A callee that is not a name (the result of another call, say) has nothing to say to `construct`.
    if (!(callee instanceof PickledGlobal)) {
      this.push(new InertObject(describePickled(callee), args));
      return;
    }
    const made = Array.isArray(args) ? this.interpretation.construct(callee.name, args) : undefined;
    this.push(made ?? new InertObject(callee.name, args));
  }

  persistent(id: PickleValue): void {
    this.push(this.interpretation.persistent(id));
  }

  append(items: readonly PickleValue[]): void {
    const target = this.top();
    const list = target instanceof InertObject ? target.items : target;
    if (!Array.isArray(list)) throw this.damaged(`appends to ${describePickled(target)}`);
    for (const item of items) list.push(item);
  }

  setItems(pairs: readonly PickleValue[]): void {
    const target = this.top();
    const dict = target instanceof InertObject ? target.entries : target;
    if (!(dict instanceof Map)) throw this.damaged(`sets items of ${describePickled(target)}`);
    this.fill(dict, pairs);
  }

  addItems(items: readonly PickleValue[]): void {
    const set = this.top();
    if (!(set instanceof Set)) throw this.damaged(`adds items to ${describePickled(set)}`);
    for (const item of items) set.add(item);
  }

  dict(pairs: readonly PickleValue[]): Map<PickleValue, PickleValue> {
    return this.fill(new Map(), pairs);
  }

  /** Attributes of an inert object are kept; those of dicts and tensors carry nothing that is needed. */
  build(): void {
    const state = this.pop();
    const target = this.top();
    if (target instanceof InertObject) target.state = state;
  }

  global(module: PickleValue, name: PickleValue): void {
    if (typeof module !== 'string' || typeof name !== 'string')
      throw this.damaged('names something by no text');
    this.push(new PickledGlobal(`${module}.${name}`));
  }

  private fill(dict: Map<PickleValue, PickleValue>, pairs: readonly PickleValue[]) {
    if (pairs.length % 2 !== 0) throw this.damaged('sets a key without a value');
    for (let i = 0; i < pairs.length; i += 2) dict.set(pairs[i]!, pairs[i + 1]!);
    return dict;
  }

  private damaged(what: string): CheckpointFormatError {
    return new CheckpointFormatError(`the pickle is damaged: before byte ${this.input.position} it ${what}`);
  }
}

function checkProtocol(version: number): void {
  if (version < 2 || version > HIGHEST_PROTOCOL) {
    throw new CheckpointFormatError(
      `the pickle is of protocol ${version}; known are 2 to ${HIGHEST_PROTOCOL}`,
    );
  }
}

/** Opcodes by their byte, under the names that Python gives them. */
const OPERATIONS: ReadonlyMap<number, (machine: Machine, input: PickleInput) => void> = new Map([
  [0x80, (_, i) => checkProtocol(i.u8())], // PROTO
  [0x95, (_, i) => void i.u64()], // FRAME: a hint for buffering
  [0x28, (m) => m.mark()], // MARK
  [0x30, (m) => void m.pop()], // POP
  [0x31, (m) => void m.takeMarked()], // POP_MARK
  [0x32, (m) => m.push(m.top())], // DUP
  [0x4e, (m) => m.push(null)], // NONE
  [0x88, (m) => m.push(true)], // NEWTRUE
  [0x89, (m) => m.push(false)], // NEWFALSE
  [0x4a, (m, i) => m.push(i.i32())], // BININT
  [0x4b, (m, i) => m.push(i.u8())], // BININT1
  [0x4d, (m, i) => m.push(i.u16())], // BININT2
  [0x8a, (m, i) => m.push(i.long(i.u8()))], // LONG1
  [0x8b, (m, i) => m.push(i.long(i.u32()))], // LONG4
  [0x47, (m, i) => m.push(i.f64())], // BINFLOAT
  [0x58, (m, i) => m.push(i.text(i.u32()))], // BINUNICODE
  [0x8c, (m, i) => m.push(i.text(i.u8()))], // SHORT_BINUNICODE
  [0x8d, (m, i) => m.push(i.text(i.u64()))], // BINUNICODE8
  [0x54, (m, i) => m.push(i.latin1(i.u32()))], // BINSTRING
  [0x55, (m, i) => m.push(i.latin1(i.u8()))], // SHORT_BINSTRING
  [0x42, (m, i) => m.push(i.take(i.u32()))], // BINBYTES
  [0x43, (m, i) => m.push(i.take(i.u8()))], // SHORT_BINBYTES
  [0x8e, (m, i) => m.push(i.take(i.u64()))], // BINBYTES8
  [0x29, (m) => m.push([])], // EMPTY_TUPLE
  [0x85, (m) => m.push(m.take(1))], // TUPLE1
  [0x86, (m) => m.push(m.take(2))], // TUPLE2
  [0x87, (m) => m.push(m.take(3))], // TUPLE3
  [0x74, (m) => m.push(m.takeMarked())], // TUPLE
  [0x5d, (m) => m.push([])], // EMPTY_LIST
  [0x6c, (m) => m.push(m.takeMarked())], // LIST
  [0x61, (m) => m.append(m.take(1))], // APPEND
  [0x65, (m) => m.append(m.takeMarked())], // APPENDS
  [0x7d, (m) => m.push(new Map())], // EMPTY_DICT
  [0x64, (m) => m.push(m.dict(m.takeMarked()))], // DICT
  [0x73, (m) => m.setItems(m.take(2))], // SETITEM
  [0x75, (m) => m.setItems(m.takeMarked())], // SETITEMS
  [0x8f, (m) => m.push(new Set())], // EMPTY_SET
  [0x90, (m) => m.addItems(m.takeMarked())], // ADDITEMS
  [0x91, (m) => m.push(new Set(m.takeMarked()))], // FROZENSET
  [0x71, (m, i) => m.remember(i.u8())], // BINPUT
  [0x72, (m, i) => m.remember(i.u32())], // LONG_BINPUT
  [0x94, (m) => m.rememberNext()], // MEMOIZE
  [0x68, (m, i) => m.recall(i.u8())], // BINGET
  [0x6a, (m, i) => m.recall(i.u32())], // LONG_BINGET
  [0x63, (m, i) => m.global(i.line(), i.line())], // GLOBAL
  [0x93, (m) => m.global(...(m.take(2) as [PickleValue, PickleValue]))], // STACK_GLOBAL
  [0x52, (m) => m.call(...(m.take(2) as [PickleValue, PickleValue]))], // REDUCE
  [0x81, (m) => m.call(...(m.take(2) as [PickleValue, PickleValue]))], // NEWOBJ
  [0x92, (m) => newObjectWithKeywords(m)], // NEWOBJ_EX
  [0x62, (m) => m.build()], // BUILD
  [0x51, (m) => m.persistent(m.pop())], // BINPERSID
]);

function newObjectWithKeywords(machine: Machine): void {
  const [callee, args, keywords] = machine.take(3) as [PickleValue, PickleValue, PickleValue];
  const name = callee instanceof PickledGlobal ? callee.name : describePickled(callee);
  machine.push(new InertObject(name, [args, keywords]));
}

/**
 * The value that a pickle describes. Nothing that the pickle names is imported or called.
 *
 * @throws CheckpointFormatError for a damaged pickle, or one with opcodes outside the plain ones
 */
export function readPickle(bytes: Uint8Array, interpretation: PickleInterpretation): PickleValue {
  return new Machine(bytes, interpretation).run();
}
