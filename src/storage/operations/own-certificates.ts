import { all, first, type Operation } from '../operation.ts';
import type { ListenerCertificateRow, RaCertificateRow } from '../schema.ts';
import { isTrue, statement } from '../statement.ts';

/* What parts of the authority itself have been certified: no device's, and of no request. */

type Row = RaCertificateRow | ListenerCertificateRow;

const selectRas = statement((database) => database.selectFrom('ra_certificate').selectAll());

const selectListeners = statement((database) => database.selectFrom('listener_certificate').selectAll());

const selectRevokedRas = statement((database, p: { issuer: string }) =>
  database
    .selectFrom('ra_certificate')
    .select(['serial_number', 'revoked_at', 'revocation_reason'])
    .where('issuer', '=', p.issuer)
    .where('revoked_at', 'is not', null),
);

const selectRevokedListeners = statement((database, p: { issuer: string }) =>
  database
    .selectFrom('listener_certificate')
    .select(['serial_number', 'revoked_at', 'revocation_reason'])
    .where('issuer', '=', p.issuer)
    .where('revoked_at', 'is not', null),
);

const selectIsOwn = statement((database, p: { issuer: string; serialNumber: string }) =>
  database.selectNoFrom((eb) =>
    eb
      .or([
        eb.exists(
          eb
            .selectFrom('ra_certificate')
            .select('spki')
            .where('issuer', '=', p.issuer)
            .where('serial_number', '=', p.serialNumber),
        ),
        eb.exists(
          eb
            .selectFrom('listener_certificate')
            .select('spki')
            .where('issuer', '=', p.issuer)
            .where('serial_number', '=', p.serialNumber),
        ),
      ])
      .as('own'),
  ),
);

export interface OwnCertificate {
  readonly kind: 'ra' | 'listener';
  readonly issuer: string;
  readonly serialNumber: string;
  /** SHA-256 of its key, lower-case hex. */
  readonly spki: string;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly revokedAt: number | null;
  readonly der: Uint8Array;
}

/** All that there ever were: they are few. */
export function* ownCertificates(): Operation<readonly OwnCertificate[]> {
  const ras = yield* all(selectRas, {});
  const listeners = yield* all(selectListeners, {});
  return [
    ...ras.map((row) => certificateOf('ra', row)),
    ...listeners.map((row) => certificateOf('listener', row)),
  ];
}

/** Whether the CRL could name it for what is in these tables. */
export function* isOwnSerial(serial: { issuer: string; serialNumber: string }): Operation<boolean> {
  return isTrue((yield* first(selectIsOwn, serial))?.own);
}

export type RevokedOwn = Pick<Row, 'serial_number' | 'revoked_at' | 'revocation_reason'>;

export function* revokedOwn(query: { issuer: string }): Operation<readonly RevokedOwn[]> {
  return [...(yield* all(selectRevokedRas, query)), ...(yield* all(selectRevokedListeners, query))];
}

function certificateOf(kind: OwnCertificate['kind'], row: Row): OwnCertificate {
  return {
    kind,
    issuer: row.issuer,
    serialNumber: row.serial_number,
    spki: row.spki,
    notBefore: row.not_before,
    notAfter: row.not_after,
    revokedAt: row.revoked_at,
    der: row.der,
  };
}
