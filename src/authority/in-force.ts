import { readFile } from 'node:fs/promises';
import { loadIssuer, type Issuer } from '#ca';
import {
  type Configuration,
  type Environment,
  type IssuerConfiguration,
  readSecret,
  type SecretReference,
} from '#config';
import type { AdminStore } from '#admin';
import type { Authority, IssuerInForce, MacKey } from '#enrollment';
import { SallyportError } from '#errors';
import { loadSoftwareKey, type SoftwareKey } from '#keys';
import { defaultPolicies, loadBundle } from '#policy';
import { pemToDer } from '#x509';
import { caCertificatePath, crlPath } from './public-paths.ts';
import { recordedForm, referencesOf } from './references.ts';

/** The issuers, by name. Loaded once: another issuer needs a restart. */
export async function loadIssuers(
  configuration: Configuration,
  environment: Environment,
): Promise<ReadonlyMap<string, Issuer>> {
  const issuers = new Map<string, Issuer>();
  for (const { name, certificate, chain, key } of configuration.issuers) {
    const [own, ...above] = await Promise.all([certificate, ...chain].map(readCertificate));
    issuers.set(
      name,
      await loadIssuer({
        name,
        certificate: own!,
        chain: above,
        key: await loadKey(key, configuration, environment),
      }),
    );
  }
  return issuers;
}

/** All that a request is judged by, from a configuration. Throws 'config' and 'policy', and has changed nothing. */
export async function readAuthority(
  configuration: Configuration,
  environment: Environment,
  issuers: ReadonlyMap<string, Issuer>,
): Promise<Authority> {
  const references = referencesOf(configuration, [...issuers.values()]);
  const bundle = loadBundle(await policyText(configuration.policy), {
    templates: Object.keys(references.templates),
    deviceClasses: Object.keys(references.deviceClasses),
  });
  return {
    references,
    referencesDigest: recordedForm(references).digest,
    bundle,
    issuers: new Map(
      configuration.issuers.map((settings) => [
        settings.name,
        issuerInForce(issuers.get(settings.name)!, settings),
      ]),
    ),
    macKeys: configuration.secrets.macKeys.map(({ id, key }) => macKey(id, key, configuration, environment)),
    longestRetryAfterSeconds: configuration.approvals.retryAfterSeconds,
  };
}

/** The bodies of references and policies are in the store before a request is judged by them, so that its entry can be replayed. */
export async function recordAuthority(
  { references, bundle }: Authority,
  store: Pick<AdminStore, 'saveReferences' | 'savePolicies'>,
): Promise<void> {
  const { digest, body } = recordedForm(references);
  await store.saveReferences(digest, body);
  await store.savePolicies(bundle.digest, bundle.text);
}

export async function loadKey(
  key: { readonly file: string; readonly passphrase: SecretReference },
  configuration: Configuration,
  environment: Environment,
): Promise<SoftwareKey> {
  return loadSoftwareKey(
    await readText(key.file),
    readSecret(key.passphrase, configuration.directory, environment),
  );
}

/** Fails as configuration does, naming the file. */
export async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new SallyportError('config', `${file} cannot be read`, { cause });
  }
}

async function readCertificate(file: string): Promise<Uint8Array> {
  const [der] = pemToDer(await readText(file), 'CERTIFICATE');
  if (der === undefined) throw new SallyportError('config', `${file} holds no certificate in PEM`);
  return der;
}

/** The policies as they are loaded: the built-in ones or the file's, and what is added to them. */
export async function policyText(policy: Configuration['policy']): Promise<string> {
  const base = policy.file === null ? defaultPolicies() : await readText(policy.file);
  return [base, ...(await Promise.all(policy.additional.map(readText)))].join('\n');
}

function issuerInForce(issuer: Issuer, { publicUrl, name }: IssuerConfiguration): IssuerInForce {
  return {
    issuer,
    crlUrls: [`${publicUrl}${crlPath(name)}`],
    caIssuersUrls: [`${publicUrl}${caCertificatePath(name)}`],
  };
}

const shortestMacKey = 32;

/** A MAC key is text of at least 32 characters, as `init` writes it: all of its bytes count. */
function macKey(
  id: string,
  reference: SecretReference,
  configuration: Configuration,
  environment: Environment,
): MacKey {
  const text = readSecret(reference, configuration.directory, environment);
  if (text.length < shortestMacKey) {
    throw new SallyportError(
      'config',
      `MAC key ${id} is shorter than ${shortestMacKey} characters: make one with openssl rand -base64 32`,
    );
  }
  return { id, key: Buffer.from(text, 'utf8') };
}
