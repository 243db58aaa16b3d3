/** The two legs: what only the TPM can open, and the certificate for who has opened it. */
export const operations = ['attest', 'secret'] as const;

export interface AttestationTarget {
  readonly operation: (typeof operations)[number];
  readonly template: string;
}

/** Whether a request target is answered here, where another protocol is served beside it. */
export function isAttestationTarget(url: string): boolean {
  return /^(?:https:\/\/[^/?]*)?\/attestation(?:[/?]|$)/i.test(url);
}

/** `/attestation/<template>/<operation>`: step is given what comes before the operation. null: it is no such target. */
export function parseTarget(url: string): AttestationTarget | null {
  // "a server MUST accept the absolute-form in requests" (RFC 9112 section 3.2.2).
  const path = url.replace(/^https:\/\/[^/?]*/i, '').split('?', 1)[0]!;
  const [, template, last] = /^\/attestation\/([a-z0-9][a-z0-9-]{0,62})\/([a-z]+)$/.exec(path) ?? [];
  const operation = operations.find((name) => name === last);
  return operation === undefined || template === undefined ? null : { operation, template };
}
