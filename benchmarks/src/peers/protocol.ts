import type { CaseShape } from './cases.js';
import type { Methods, Outputs } from './engine.js';

/** What the parent asks of an engine's process; one request at a time. */
export type PeerRequest =
  | { readonly kind: 'open'; readonly engine: string; readonly folder: string; readonly version: string }
  | { readonly kind: 'methods'; readonly shape: CaseShape }
  /** Sets a method up, runs it once and gives the results. */
  | { readonly kind: 'prepare'; readonly shape: CaseShape; readonly method: string }
  /** Seconds of one run, from `repetitions` of them in a row. */
  | { readonly kind: 'time'; readonly method: string; readonly repetitions: number }
  | { readonly kind: 'release' };

/** What is answered to each kind of request. */
export interface PeerReplies {
  open: { readonly version: string; readonly adapter: string };
  methods: Methods;
  prepare: Outputs;
  time: number;
  release: null;
}

export type PeerReply =
  | { readonly ok: true; readonly value: PeerReplies[keyof PeerReplies] }
  | { readonly ok: false; readonly message: string };
