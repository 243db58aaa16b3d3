import { randomBytes, sign } from 'node:crypto';
import {
  buildName,
  type Certificate,
  der,
  encodeKeyUsage,
  encodeName,
  extensionOids,
  parseCertificate,
} from '#x509';
import type { ClientKey } from '../../harness/csr.ts';

const sha256WithRsa = der.sequence(der.oid('1.2.840.113549.1.1.11'), der.null());
const day = 86_400_000;

/** The certificate that a client makes itself to sign its first message with. */
export function ownCertificate(
  key: ClientKey,
  commonName: string,
  more: { readonly serialNumber?: Uint8Array; readonly keyUsage?: boolean } = {},
): Certificate {
  const { serialNumber = randomBytes(8), keyUsage = false } = more;
  const name = encodeName(buildName([{ type: 'commonName', value: commonName }]));
  const extension = der.sequence(
    der.oid(extensionOids.keyUsage),
    der.boolean(true),
    der.octetString(encodeKeyUsage(['digitalSignature', 'keyEncipherment'])),
  );
  const tbs = der.sequence(
    der.explicit(0, der.integer(2)),
    der.integer(serialNumber),
    sha256WithRsa,
    name,
    der.sequence(der.time(Date.now() - day), der.time(Date.now() + 6 * day)),
    name,
    key.spki,
    ...(keyUsage ? [der.explicit(3, der.sequence(extension))] : []),
  );
  const signature = der.bitString(sign('sha256', tbs, key.privateKey));
  return parseCertificate(der.sequence(tbs, sha256WithRsa, signature), { serialOctets: 64 });
}
