import * as z from 'zod';
import { revocationReasons, type RevocationReason } from '#ca';
import { SallyportError } from '#errors';
import { act } from '../act.ts';
import { recordAct } from '../act-entry.ts';
import { remark } from '../input.ts';
import { isoTime } from '../views/time.ts';
import { certificateId, knownCertificate } from './show-certificate.ts';

/**
 * RFC 5280 section 5.3.1, without the reasons for CA and attribute certificates, and without certificateHold: a revocation here is final,
 * and a device is stopped for a while by suspending it.
 */
export const operatorReasons = [
  'unspecified',
  'keyCompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'privilegeWithdrawn',
] as const satisfies readonly RevocationReason[];

const input = z.strictObject({
  id: certificateId,
  reason: z.enum(operatorReasons).default('unspecified'),
  remark,
});

export const revokeCertificate = act(input, async (ports, operator, { id, reason, remark: why }) => {
  const {
    sha256,
    serialNumber,
    issuer,
    deviceId: device,
    template,
    revokedAt,
  } = await knownCertificate(ports, id);
  if (revokedAt !== null) {
    throw new SallyportError(
      'conflict',
      `certificate ${serialNumber} is revoked already, since ${isoTime(revokedAt)}`,
    );
  }
  const detail = { serialNumber, sha256, issuer, device, template, reason, remark: why };
  const { now, entry } = recordAct(ports, operator, 'certificate.revoke', detail);
  const { index } = await ports.store.revokeCertificate({
    sha256,
    reason: revocationReasons[reason],
    now,
    entry,
  });
  // The revocation stands whatever became of the CRL: its job tries again by itself.
  const published = await ports.revoked(issuer);
  return {
    serialNumber,
    sha256,
    device,
    template,
    reason,
    revokedAt: isoTime(now),
    published,
    logIndex: index,
  };
});
