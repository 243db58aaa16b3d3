import { sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { assembleSigned, buildName, type Der, encodeCertificationRequestInfo, oids } from '#x509';
import { findProgram } from '../test/clients.ts';
import type { Cleanup } from '../test/harness/authority.ts';
import { makeKey } from '../test/harness/csr.ts';
import { base64, est } from '../test/harness/est-client.ts';
import type { TestCa } from '../test/harness/pki.ts';
import { PlayedTpm } from '../test/harness/played-tpm.ts';
import { tpmClients } from '../test/harness/software-tpm.ts';
import { TpmManufacturer } from '../test/harness/tpm-manufacturer.ts';
import { attestationBundle, certifyAttestationKey } from '../test/harness/tpm-evidence.ts';
import type { DemoAuthority } from './demo-authority.ts';
import { say, shown, type Told } from './story.ts';

/** A key in a TPM: nobody else signs with it, and its TPM says whose it is. */
interface TpmKey {
  readonly spki: Der;
  readonly sign: (data: Uint8Array) => Promise<Uint8Array>;
  /** AttestationBundle. */
  readonly evidence: (nonce: Uint8Array) => Promise<Der>;
}

/** Whether there are swtpm and tpm2-tools: a TPM in software. Without, the demo plays one itself, by the same octets. */
export const hasTpm = tpmClients.every((program) => findProgram(program) !== null);

/** A key of a new TPM, which the attestation CA knows as this device. */
export async function tpmKey(ca: TestCa, device: string, cleanup: Cleanup): Promise<TpmKey> {
  if (!hasTpm) {
    const key = makeKey();
    const tpm = PlayedTpm.certifiedBy(ca, device);
    return {
      spki: key.spki,
      sign: async (data) => new Uint8Array(sign('sha256', data, key.privateKey)),
      evidence: async (nonce) => tpm.attribute(nonce, key).values[0]!,
    };
  }
  const tpm = await (await TpmManufacturer.begin(cleanup)).make(cleanup);
  const attestationKey = await tpm.createAttestationKey('ecc');
  const certificates = [certifyAttestationKey(ca, attestationKey, device), new Uint8Array(ca.certificate)];
  const key = await tpm.createKey();
  return {
    spki: key.spki,
    sign: (data) => tpm.sign(key, data),
    evidence: (nonce) => attestationBundle({ tpm, attestationKey, certificates }, key, nonce),
  };
}

/** Asks for a nonce, has the TPM attest its key with it, and enrolls. */
export async function enrollAttested(
  { key, id, secret }: { key: TpmKey; id: string; secret: string },
  authority: DemoAuthority,
  told: Told,
): Promise<Told> {
  const trust = await readFile(authority.trust, 'utf8');
  const user = [id, secret] as const;
  shown(`GET …/nonce, TPM2_Certify with it, and the evidence in a request of ${id}`);
  const given = await est({ url: `${authority.est}/nonce`, trust, user });
  const { nonce } = JSON.parse(given.text) as { nonce: string };
  const evidence = await key.evidence(new Uint8Array(Buffer.from(nonce, 'base64url')));
  const info = encodeCertificationRequestInfo({
    subject: buildName([{ type: 'commonName', value: id }]),
    spki: key.spki,
    extensions: [],
    attributes: [{ oid: oids.attestation, values: [evidence] }],
  });
  const request = assembleSigned(info, 'ec-p256', await key.sign(info));
  const answer = await est({ url: `${authority.est}/simpleenroll`, trust, user, body: base64(request) });
  say(
    answer.status === 200
      ? '  HTTP 200, for a key in its TPM'
      : `  HTTP ${answer.status}: ${answer.text.trim()}`,
  );
  return told;
}
