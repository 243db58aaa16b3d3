import { isSallyportError, SallyportError } from '#errors';
import { endorsementSpki } from '#evidence';
import { type Certificate, type Der, equalBytes, parseCertificate } from '#x509';
import { endorsementKinds, otherEndorsementIndices } from './endorsement-indices.ts';
import type { KeyBlobs } from './key-file.ts';
import { storageParent } from './tpm.ts';
import { ToolFailure, type TpmTools } from './tools.ts';

/** A restricted key that signs what the TPM says, with the proof of its creation that it signed itself. */
export interface OwnAttestationKey {
  readonly blobs: KeyBlobs;
  readonly creation: CreationProof;
}

/** TPMS_CREATION_DATA, TPMS_ATTEST and TPMT_SIGNATURE. */
export interface CreationProof {
  readonly data: Uint8Array;
  readonly attest: Uint8Array;
  readonly signature: Uint8Array;
}

export interface EndorsementKey {
  readonly certificate: Certificate;
  readonly spki: Der;
  /** TPMT_PUBLIC. */
  readonly publicArea: Uint8Array;
}

/** TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET. */
export interface Credential {
  readonly blob: Uint8Array;
  readonly secret: Uint8Array;
}

const attributes = 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|sign';
const [attestationKey, endorsementKey] = ['ak.ctx', 'ek.ctx'];

export async function createAttestationKey(tools: TpmTools): Promise<OwnAttestationKey> {
  await tools.run(
    'create',
    '-C',
    storageParent,
    '-G',
    'ecc256:ecdsa-sha256:null',
    '-a',
    attributes,
    '-u',
    'ak.pub',
    '-r',
    'ak.priv',
    '--creation-data',
    'creation',
    '--creation-hash',
    'creation.hash',
    '-t',
    'creation.ticket',
  );
  await tools.flush();
  const blobs = { publicArea: await tools.read('ak.pub'), privateArea: await tools.read('ak.priv') };
  const object = await loadAttestationKey(tools, blobs);
  await tools.run(
    'certifycreation',
    '-C',
    object,
    '-c',
    object,
    '-d',
    'creation.hash',
    '-t',
    'creation.ticket',
    '-g',
    'sha256',
    '-o',
    'creation.signature',
    '--attestation',
    'creation.attest',
  );
  await tools.flush();
  return {
    blobs,
    creation: {
      // Of TPM2B_CREATION_DATA without its length.
      data: (await tools.read('creation')).subarray(2),
      attest: await tools.read('creation.attest'),
      signature: await tools.read('creation.signature'),
    },
  };
}

/** As the tools name it: a file of theirs. */
export async function loadAttestationKey(tools: TpmTools, blobs: KeyBlobs): Promise<string> {
  await tools.write('ak.pub', blobs.publicArea);
  await tools.write('ak.priv', blobs.privateArea);
  await tools.run('load', '-C', storageParent, '-u', 'ak.pub', '-r', 'ak.priv', '-c', attestationKey);
  await tools.flush();
  return attestationKey;
}

/** The first of which there is a certificate: `given`, or one in the TPM. Throws 'usage' where there is none. */
export async function endorsementKeyOf(tools: TpmTools, given: Certificate | null): Promise<EndorsementKey> {
  const ofOthers: string[] = [];
  for (const { algorithm, index } of endorsementKinds) {
    const certificate = given ?? (await certificateAt(tools, index));
    if (certificate === null) continue;
    await tools.run('createek', '-c', endorsementKey, '-G', algorithm, '-u', 'ek.pub');
    await tools.flush();
    await tools.run('readpublic', '-c', endorsementKey, '-f', 'der', '-o', 'ek.spki');
    await tools.flush();
    const spki = await tools.read('ek.spki');
    // Of TPM2B_PUBLIC without its length.
    const publicArea = (await tools.read('ek.pub')).subarray(2);
    if (equalBytes(spki, endorsementSpki(certificate))) return { certificate, spki, publicArea };
    ofOthers.push(index);
  }
  throw new SallyportError(
    'usage',
    given === null
      ? await noCertificateWords(tools, ofOthers)
      : '--endorsement-certificate is of no endorsement key of this TPM that follows the template of RSA-2048 or P-256',
  );
}

/** `ofOthers`: indices whose certificates are of other keys. */
async function noCertificateWords(tools: TpmTools, ofOthers: readonly string[]): Promise<string> {
  const places = endorsementKinds.map(({ words, index }) => `${words} (${index})`).join(' and ');
  const others = await otherEndorsementIndices(tools);
  return [
    `the TPM has no certificate of an endorsement key where those of the templates of ${places} are`,
    ...ofOthers.map((index) => `the one at ${index} is of another key than its template makes`),
    ...(others.length === 0 ? [] : [`it has ${others.join(', ')}, which is not used here`]),
    'get one for a key of these templates from the maker, and name it with --endorsement-certificate',
  ].join('; ');
}

async function certificateAt(tools: TpmTools, index: string): Promise<Certificate | null> {
  try {
    await tools.run('nvread', index, '-o', 'ek.crt');
    return parseCertificate(withoutPadding(await tools.read('ek.crt')));
  } catch (error) {
    if (error instanceof ToolFailure || isSallyportError(error, 'malformed')) return null;
    throw error;
  }
}

/** Some makers fill the index up. */
function withoutPadding(bytes: Uint8Array): Uint8Array {
  const isLong = bytes[0] === 0x30 && bytes[1] === 0x82;
  return isLong ? bytes.subarray(0, 4 + (bytes[2]! << 8) + bytes[3]!) : bytes;
}

/** The header of the tools' own format. */
const credentialHeader = Buffer.from('badcc0de00000001', 'hex');

/** TPM2_ActivateCredential, of the keys that were loaded last. Throws ToolFailure where the credential is not for both. */
export async function activateCredential(tools: TpmTools, { blob, secret }: Credential): Promise<Uint8Array> {
  await tools.write('credential', Buffer.concat([credentialHeader, blob, secret]));
  await tools.run('startauthsession', '--policy-session', '-g', 'sha256', '-S', 'session.ctx');
  try {
    // The policy of both templates: PolicySecret of the endorsement hierarchy.
    await tools.run('policysecret', '-S', 'session.ctx', '-c', 'e');
    await tools.run(
      'activatecredential',
      '-c',
      attestationKey,
      '-C',
      endorsementKey,
      '-P',
      'session:session.ctx',
      '-i',
      'credential',
      '-o',
      'value',
    );
    return await tools.read('value');
  } finally {
    await tools.conclude('flushcontext', 'session.ctx').catch(() => {});
    await tools.flush();
    await tools.write('value', new Uint8Array());
  }
}
