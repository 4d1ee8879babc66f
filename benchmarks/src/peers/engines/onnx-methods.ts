import type { CaseShape } from '../cases.js';
import type { Methods } from '../engine.js';
import { ATTENTION_METHODS } from '../onnx/case-model.js';

/** Cases with attention can be done in two ways, the others in one. */
export function onnxMethods({ kind }: CaseShape): Methods {
  return kind === 'attention' || kind === 'block' ? ATTENTION_METHODS : ['composed'];
}
