import * as z from 'zod';
import { sha256Hex } from '#enrollment';
import { SallyportError } from '#errors';
import { type Certificate, formatName, parseCertificate, pemToDer } from '#x509';
import { act } from '../act.ts';
import { recordAct } from '../act-entry.ts';
import { machineName } from '../input.ts';
import { isoTime } from '../views/time.ts';

const input = z.strictObject({
  name: machineName,
  /** PEM, one certificate. */
  certificate: z.string().max(32_768),
  /** The machine's other certificates are unpinned in the same act. */
  instead: z.boolean().default(false),
});

/** The very certificate counts: another one of the same key, names or issuer is another one. */
export const pinCertificate = act(input, async (ports, operator, { name, certificate: pem, instead }) => {
  const certificate = onlyCertificate(pem);
  const sha256 = sha256Hex(certificate.der);
  if (certificate.notAfter <= ports.clock.now()) {
    throw new SallyportError('conflict', 'this certificate has expired: nobody could use it');
  }
  const detail = { machine: name, certificate: sha256, instead };
  const { now, entry } = recordAct(ports, operator, 'machine.pin', detail);
  const { index } = await ports.store.pinCertificate({ name, sha256, instead, now, entry });
  return {
    name,
    certificate: sha256,
    subject: formatName(certificate.subject),
    expiresAt: isoTime(certificate.notAfter),
    instead,
    logIndex: index,
  };
});

function onlyCertificate(pem: string): Certificate {
  const [der, ...more] = pemToDer(pem, 'CERTIFICATE');
  if (more.length > 0) {
    throw new SallyportError(
      'usage',
      'a machine is pinned by one certificate in PEM, its own: not by a CA, and not by a chain',
    );
  }
  const certificate = parseCertificate(der!);
  if (certificate.isCa) {
    throw new SallyportError('usage', 'this is the certificate of a CA, and of no machine');
  }
  return certificate;
}
