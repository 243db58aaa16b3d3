import * as z from 'zod';
import { SallyportError } from '#errors';
import { derToPem, formatGeneralName, formatName, inspectPublicKey, parseCertificate } from '#x509';
import { act } from '../act.ts';
import type { AdminPorts } from '../ports.ts';
import { certificateView } from '../views/certificate.ts';

/** Serial number or SHA-256, in hex; as people copy them, with colons and in capitals. */
export const certificateId = z
  .string()
  .min(2)
  .max(128)
  .regex(/^[0-9A-Fa-f:]+$/, 'is neither a serial number nor a SHA-256, in hex')
  .transform((id) => id.replaceAll(':', '').toLowerCase());

/** The device was erased: what is left of its certificates says when they were valid, and whether they are revoked. */
const erased = {
  subject: null,
  subjectAltName: [],
  keyAlgorithm: null,
  keyUsage: [],
  extendedKeyUsage: [],
  pem: null,
};

export const showCertificate = act(
  z.strictObject({ id: certificateId }),
  async (ports, _operator, { id }) => {
    const stored = await knownCertificate(ports, id);
    const view = certificateView(stored, ports.clock.now());
    if (stored.der.length === 0) return { ...view, ...erased };
    const certificate = parseCertificate(stored.der);
    return {
      ...view,
      subject: formatName(certificate.subject),
      subjectAltName: certificate.subjectAltName.map(formatGeneralName),
      keyAlgorithm: inspectPublicKey(certificate.spki).algorithm,
      keyUsage: [...(certificate.keyUsage ?? [])],
      extendedKeyUsage: [...(certificate.extendedKeyUsage ?? [])],
      pem: derToPem(stored.der, 'CERTIFICATE'),
    };
  },
);

export async function knownCertificate(ports: AdminPorts, id: string) {
  const certificate = await ports.store.certificateInfo(id);
  if (certificate === null) {
    throw new SallyportError(
      'not-found',
      `there is no certificate ${id}; see \`sallyport certificate list\``,
    );
  }
  return certificate;
}
