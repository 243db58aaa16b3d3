import { SallyportError } from '#errors';
import type { DerNode } from './der-node.ts';

const maximumCapabilities = 64;

/**
 * SMIMECapabilities (RFC 8551 section 2.5.2): what the client can decrypt, the best first. Dotted OIDs; their parameters
 * are passed over, for none of the algorithms in use has any that a choice could hang on.
 */
export function smimeCapabilitiesOf(node: DerNode): string[] {
  const capabilities = node.sequence('SMIMECapabilities');
  const parsed: string[] = [];
  for (const capability of capabilities) {
    if (parsed.length === maximumCapabilities) {
      throw new SallyportError('too-large', `SMIMECapabilities: more than ${maximumCapabilities}`);
    }
    const fields = capability.sequence('SMIMECapability');
    parsed.push(fields.next().oid('capabilityID'));
    if (fields.more) fields.next();
    fields.finish();
  }
  return parsed;
}
