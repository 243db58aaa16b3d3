import type { ExpandedNames } from '#ca';
import type { Facts } from '#policy';
import { formatGeneralName, formatName } from '#x509';
import type { Observations } from './observations.ts';
import type { Asked } from './observe.ts';
import type { HoldRecord, KeptOrder, RequestSummary } from './store.ts';

/** What an operator sees of a request that waits. */
export function summaryOf(
  { source, key }: Observations,
  { action }: Facts,
  names: ExpandedNames,
): RequestSummary {
  return {
    protocol: source.protocol,
    operation: source.operation,
    address: source.address,
    action: action === 'renew' ? 'renew' : 'enroll',
    subject: formatName(names.subject),
    subjectAltName: names.subjectAltName.map(formatGeneralName),
    keyAlgorithm: key!.algorithm,
  };
}

/** Of an order that its client polls: held, or issued and not delivered. */
export function keptOrderOf({ credential, keeping }: Asked): KeptOrder | null {
  if (credential?.kind !== 'order' || keeping === null) return null;
  return { id: credential.order, address: keeping.blob.address };
}

/** By what its client polls for it; null: it sends the same request again. */
export function pollOf(
  { keeping }: Asked,
  { source, secret, challenge }: Observations,
): HoldRecord['polled'] {
  const { message } = source;
  if (message === undefined || keeping === null) return null;
  const { signer, transaction } = message;
  const { address } = keeping.blob;
  return { signer, transaction, address, secretId: secret?.id ?? null, challenge: challenge?.kind ?? null };
}
