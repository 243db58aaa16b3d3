import assert from 'node:assert/strict';
import { sallyportHere } from './authority.ts';

export interface LogFindings {
  readonly ok: boolean;
  readonly findings: readonly { readonly index: number | null; readonly message: string }[];
}

/** `log verify`, of an authority that stands still. */
export async function verifyLog(
  { configuration }: { configuration: string },
  ...more: string[]
): Promise<LogFindings & { code: number }> {
  const { code, stdout, stderr } = await sallyportHere(
    'log',
    'verify',
    '--json',
    '--config',
    configuration,
    ...more,
  );
  assert.equal(stderr, '');
  return { code, ...(JSON.parse(stdout) as LogFindings) };
}

/** Exit code 5 and these findings, in this order, and no others. */
export async function assertFound(
  tampered: { configuration: string },
  findings: readonly (readonly [index: number | null, words: RegExp])[],
  ...more: string[]
): Promise<void> {
  const report = await verifyLog(tampered, ...more);
  assert.equal(report.code, 5);
  assert.equal(report.ok, false);
  const found = JSON.stringify(report.findings, null, 1);
  assert.deepEqual(
    report.findings.map(({ index }) => index),
    findings.map(([index]) => index),
    found,
  );
  findings.forEach(([, words], at) => assert.match(report.findings[at]!.message, words));
}
