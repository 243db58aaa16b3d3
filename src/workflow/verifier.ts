import type { Verifier, VerifierQuestion } from '#enrollment';
import { parseVerifierAnswer, type VerifierAnswer } from '#evidence';
import { fewAtOnce } from './at-once.ts';
import type { HttpsCall } from './https-call.ts';
import { headersOf } from './webhook.ts';

export interface VerifierSettings {
  readonly url: string;
  readonly key: string;
  readonly formats: readonly string[];
  readonly identifiers: readonly string[];
}

export interface VerifierPorts {
  readonly call: HttpsCall;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly report: (error: unknown) => void;
}

/** Who reads what only a vendor's service can read, asked with signed questions (docs/attestation.md). */
export function verifier(
  { url, key, formats, identifiers }: VerifierSettings,
  { call, now, report }: VerifierPorts,
): Verifier {
  const few = fewAtOnce<VerifierAnswer>({ decision: 'unavailable', code: 'busy' });
  const ask = async (question: VerifierQuestion): Promise<VerifierAnswer> => {
    const body = JSON.stringify(asked(question, identifiers, now()));
    try {
      const answer = await call({ method: 'POST', url, headers: headersOf(body, key, now()), body });
      // By anything but 200 nothing is said of the evidence.
      if (answer.status !== 200) return { decision: 'unavailable', code: `http-${answer.status}` };
      return parseVerifierAnswer(answer.bytes);
    } catch (error) {
      report(error);
      return { decision: 'unavailable', code: 'no-answer' };
    }
  };
  return { formats, verify: (question) => few(question.device.id, () => ask(question)) };
}

function asked(
  { id, template, evidence, nonce, key, device }: VerifierQuestion,
  names: readonly string[],
  now: number,
) {
  const known: Readonly<Record<string, string | null>> = {
    ...device.identifiers,
    serialNumber: device.serialNumber,
  };
  const identifiers = names.flatMap((name) => {
    const value = Object.hasOwn(known, name) ? known[name] : null;
    return value === null || value === undefined ? [] : [[name, value] as const];
  });
  return {
    schema: 'sallyport.verify/1',
    requestId: id,
    time: new Date(now).toISOString(),
    template,
    format: evidence.type,
    evidence: inBase64(evidence.bytes),
    nonce: inBase64(nonce),
    spki: key === null ? null : inBase64(key),
    device: { id: device.id, identifiers: Object.fromEntries(identifiers) },
  };
}

const inBase64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
