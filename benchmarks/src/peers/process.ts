/* An engine in a process of its own: does what the parent asks, and ends when the parent is gone. */
import { caseInputs } from './cases.js';
import type { Engine, Prepared } from './engine.js';
import { engines } from './engines.js';
import { peerLoader } from './installation.js';
import type { PeerReplies, PeerReply, PeerRequest } from './protocol.js';

let engine: Engine | undefined;
const prepared = new Map<string, Prepared>();

type Handlers = {
  [Kind in PeerRequest['kind']]: (
    request: Extract<PeerRequest, { kind: Kind }>,
  ) => Promise<PeerReplies[Kind]>;
};

const handlers: Handlers = {
  async open({ engine: name, folder, version }) {
    const entry = engines.find((candidate) => candidate.name === name);
    if (!entry) throw new RangeError(`there is no engine "${name}"`);
    engine = await entry.open(peerLoader(folder), version);
    return { version: engine.version, adapter: engine.adapter };
  },
  methods: async ({ shape }) => opened().methods(shape),
  async prepare({ shape, method }) {
    const made = await opened().prepare(shape, caseInputs(shape), method);
    prepared.set(method, made);
    await made.run();
    await made.finish();
    return made.read();
  },
  async time({ method, repetitions }) {
    const made = prepared.get(method);
    if (!made) throw new Error(`"${method}" was lost when the process ended and was started again`);
    const { run, finish } = made;
    await finish();
    const start = performance.now();
    for (let i = 0; i < repetitions; i++) {
      const running = run();
      // An awaited value would cost engines that only enqueue a turn of the event loop.
      if (running) await running;
    }
    await finish();
    return (performance.now() - start) / 1000 / repetitions;
  },
  async release() {
    for (const made of prepared.values()) await made.release();
    prepared.clear();
    return null;
  },
};

function opened(): Engine {
  if (!engine) throw new Error('the engine is not open');
  return engine;
}

async function handle<Kind extends PeerRequest['kind']>(
  request: Extract<PeerRequest, { kind: Kind }>,
): Promise<PeerReply> {
  try {
    return { ok: true, value: await handlers[request.kind as Kind](request) };
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
}

process.on('message', (request: PeerRequest) => {
  void handle(request).then((reply) => process.send!(reply));
});
// Errors of a device arrive outside of any request.
process.on('unhandledRejection', (error) => {
  console.error(error);
  process.exit(1);
});
process.on('disconnect', () => process.exit(0));
