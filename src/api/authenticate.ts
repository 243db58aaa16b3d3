import {
  type CertificateHolder,
  hashMachineToken,
  isMachineToken,
  type Machine,
  type MachineStore,
  type TokenHolder,
} from '#admin';
import { sha256Hex } from '#enrollment';
import { cidrContains, parseCidr } from '#limits';
import { parseCertificate } from '#x509';
import type { GivenToken } from './authorization.ts';
import type { RefusalReason } from './call.ts';

export interface Presented {
  readonly token: GivenToken | 'malformed' | null;
  /** The client certificate, DER, whose key TLS proved; null: none was sent. */
  readonly certificate: Uint8Array | null;
  readonly address: string;
  readonly now: number;
}

export type Recognised =
  | { readonly machine: Machine }
  /** `holder`: whose it is all the same. */
  | { readonly refused: RefusalReason; readonly holder: string | null };

/**
 * Who calls. All that is presented must be good, and of one machine: what is not is a mistake or an attempt, and a second credential that is right would hide it.
 * A pinned certificate does not stand in for a token that is wrong, nor a token for a certificate that nobody pinned.
 */
export async function authenticate(
  store: Pick<MachineStore, 'recogniseMachine'>,
  { token, certificate, address, now }: Presented,
): Promise<Recognised> {
  if (token === 'malformed') return refused('credential-malformed');
  if (token === null && certificate === null) return refused('credential-missing');
  if (token !== null && !isMachineToken(token.token)) return refused('token-unknown');
  const { byToken, byCertificate } = await store.recogniseMachine({
    tokenHash: token === null ? null : hashMachineToken(token.token),
    certificate: certificate === null ? null : sha256Hex(certificate),
  });
  const objection =
    (token === null ? null : objectionToToken(byToken, now)) ??
    (certificate === null ? null : objectionToCertificate(byCertificate, certificate, now));
  if (objection !== null) return objection;
  const holders = [byToken, byCertificate].flatMap((each) => (each === null ? [] : [each.machine]));
  const machine = holders[0]!;
  const namesAnother = token !== null && token.name !== null && token.name !== machine.name;
  if (namesAnother || holders.some(({ name }) => name !== machine.name)) {
    return refused('credentials-differ', machine.name);
  }
  if (machine.sources?.some((range) => cidrContains(parseCidr(range), address)) === false) {
    return refused('machine-source', machine.name);
  }
  return { machine };
}

type Objection = Extract<Recognised, { readonly refused: RefusalReason }>;

function objectionToToken(holder: TokenHolder | null, now: number): Objection | null {
  if (holder === null) return refused('token-unknown');
  const { name } = holder.machine;
  if (holder.revoked) return refused('machine-revoked', name);
  return holder.expiresAt <= now ? refused('token-expired', name) : null;
}

function objectionToCertificate(
  holder: CertificateHolder | null,
  der: Uint8Array,
  now: number,
): Objection | null {
  if (holder === null) return refused('certificate-unknown');
  const { name } = holder.machine;
  if (holder.revoked) return refused('machine-revoked', name);
  if (holder.unpinnedAt !== null) return refused('certificate-unpinned', name);
  // It was parsed when it was pinned.
  const { notBefore, notAfter } = parseCertificate(der);
  return now < notBefore || now > notAfter ? refused('certificate-expired', name) : null;
}

function refused(reason: RefusalReason, holder: string | null = null): Objection {
  return { refused: reason, holder };
}
