import type { Finding } from './system.js';

/** The findings as text: one block for each topic, remedies indented below what they remedy. */
export function formatFindings(findings: readonly Finding[]): string {
  const lines: string[] = [];
  let topic = '';
  for (const finding of findings) {
    if (finding.topic !== topic) {
      topic = finding.topic;
      if (lines.length > 0) lines.push('');
      lines.push(topic);
    }
    lines.push(`  ${finding.level === 'ok' ? '·' : '!'} ${finding.text}`);
    for (const step of finding.remedy) lines.push(`      ${step}`);
  }
  return lines.join('\n');
}
