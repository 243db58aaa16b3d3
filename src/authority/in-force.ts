import {
  certifiesAttestationKeys,
  loadIssuer,
  loadNextAuthority,
  type Issuer,
  type NextAuthority,
} from '#ca';
import {
  type Configuration,
  type Environment,
  type IssuerConfiguration,
  readSecret,
  type SecretReference,
} from '#config';
import type { AdminStore } from '#admin';
import { type Authority, type IssuerInForce, type MacKey, path, type StatusLists } from '#enrollment';
import { SallyportError } from '#errors';
import { loadSoftwareKey, type SoftwareKey } from '#keys';
import { defaultPolicies, loadBundle } from '#policy';
import { type Certificate, matchingKey, pemToDer } from '#x509';
import { caCertificatePath, crlPath } from './public-paths.ts';
import { readText, readTextNow } from './read-text.ts';
import { demandLevels, loadTrustAnchors } from './evidence-roots.ts';
import { loadStatusLists } from './status-lists.ts';
import { readCertificates } from './read-certificates.ts';
import { recordedForm, referencesOf } from './references.ts';
import { openVerifiers } from './verifiers.ts';
import { openWorkflows, readStaticChallenges, type WorkflowPorts } from './workflows.ts';

/** The issuers, by name. Loaded once: another issuer needs a restart. */
export async function loadIssuers(
  configuration: Configuration,
  environment: Environment,
): Promise<ReadonlyMap<string, Issuer>> {
  const loading = configuration.issuers.map(async ({ name, certificate, chain, rollover, key }) => {
    const [opened, own, above, next] = await Promise.all([
      loadKey(key, configuration, environment),
      readCertificate(certificate),
      Promise.all(chain.map(readCertificate)),
      Promise.all(rollover.map(readCertificates)),
    ]);
    const issuer = await loadIssuer({
      name,
      certificate: own,
      chain: above,
      rollover: next.flat().map(({ der }) => der),
      key: opened,
    });
    return [name, issuer] as const;
  });
  return new Map(await Promise.all(loading));
}

/**
 * All that a request is judged by, from a configuration. Policies load while the issuers still open their keys, on other threads. Throws 'config'
 * and 'policy', and has changed nothing; a list of revoked keys that cannot be read is told of, and `before` counts.
 */
export async function readAuthority(
  configuration: Configuration,
  environment: Environment,
  opening: ReadonlyMap<string, Issuer> | Promise<ReadonlyMap<string, Issuer>>,
  workflowPorts: WorkflowPorts,
  before: StatusLists = {},
): Promise<Authority> {
  const identities = await loadIdentities(configuration);
  const managementCertificates = await loadManagement(configuration);
  const workflows = await openWorkflows(configuration, environment, workflowPorts);
  const verifiers = await openVerifiers(configuration, environment, workflowPorts);
  const bundle = loadBundle(await policyText(configuration.policy), {
    templates: configuration.templates.map(({ name }) => name),
    deviceClasses: configuration.deviceClasses.map(({ name }) => name),
  });
  const loaded = await opening;
  const issuers = await Promise.all(
    configuration.issuers.map((settings) => issuerInForce(loaded.get(settings.name)!, settings)),
  );
  const anchors = await loadTrustAnchors(configuration);
  const attesting = new Set(
    configuration.templates.filter(certifiesAttestationKeys).map(({ issuer }) => issuer),
  );
  demandLevels(
    anchors,
    configuration.deviceClasses,
    issuers.filter(({ issuer }) => attesting.has(issuer.name)).flatMap(({ issuer }) => path(issuer)),
  );
  const references = referencesOf(configuration, { issuers, identities, managementCertificates, anchors });
  return {
    references,
    referencesDigest: recordedForm(references).digest,
    bundle,
    issuers: new Map(issuers.map((inForce) => [inForce.issuer.name, inForce])),
    ...authorityCas(configuration, identities),
    managementCertificates,
    statusLists: await loadStatusLists(configuration, anchors, {
      before,
      fault: (error) => workflowPorts.report({ id: 'status lists', error }),
    }),
    macKeys: configuration.secrets.macKeys.map(({ id, key }) => macKey(id, key, configuration, environment)),
    staticChallenges: readStaticChallenges(configuration, environment),
    workflows,
    verifiers,
    longestRetryAfterSeconds: configuration.approvals.retryAfterSeconds,
  };
}

/** A registration authority is on the list itself: a path that ended at a CA beside it would end below the CA of another identity. */
function authorityCas(
  { identities }: Configuration,
  loaded: ReadonlyMap<string, readonly Certificate[]>,
): Pick<Authority, 'identityCas' | 'hintedCas'> {
  const casOf = (forwards: boolean) =>
    identities
      .filter(({ kind }) => (kind === 'ra') === forwards)
      .flatMap(({ name }) => loaded.get(name) ?? [])
      .filter(({ isCa }) => isCa);
  return { identityCas: casOf(false), hintedCas: casOf(true) };
}

/** The certificates of each identity. One CA or certificate in two of them would leave open which one vouches. */
async function loadIdentities(
  configuration: Configuration,
): Promise<ReadonlyMap<string, readonly Certificate[]>> {
  const loaded = new Map<string, readonly Certificate[]>();
  const seen = new Map<string, string>();
  for (const { name, kind, files } of configuration.identities) {
    const certificates = (await Promise.all(files.map(readCertificates))).flat();
    for (const { der, isCa, subject, spki } of certificates) {
      // A CA that was issued anew is the same one: its name and key decide whose path verifies.
      const same = isCa ? `${spki.toHex()} ${matchingKey(subject)}` : der.toHex();
      const other = seen.get(same);
      if (other !== undefined && other !== name) {
        throw new SallyportError('config', `identities ${other} and ${name} have a certificate in common`);
      }
      seen.set(same, name);
      if (!isCa && kind !== 'ra') {
        throw new SallyportError(
          'config',
          `identity ${name}: ${files.join(', ')} must hold CA certificates only`,
        );
      }
    }
    if (kind === 'ra' && certificates.every(({ isCa }) => isCa)) {
      throw new SallyportError(
        'config',
        `identity ${name}: a CA is no registration authority; list the certificates that it authenticates with`,
      );
    }
    loaded.set(name, certificates);
  }
  return loaded;
}

/** By listener, of those that demand a management client. */
async function loadManagement({
  listeners,
}: Configuration): Promise<ReadonlyMap<string, readonly Certificate[]>> {
  const loading = listeners.flatMap((listener) =>
    listener.class !== 'enroll' || listener.management === null
      ? []
      : [
          Promise.all(listener.management.map(readCertificates)).then(
            (certificates) => [listener.name, certificates.flat()] as const,
          ),
        ],
  );
  return new Map(await Promise.all(loading));
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

/** Its passphrase is at work on another thread when this returns its promise. */
export async function loadKey(
  key: { readonly file: string; readonly passphrase: SecretReference },
  configuration: Configuration,
  environment: Environment,
): Promise<SoftwareKey> {
  return loadSoftwareKey(
    readTextNow(key.file),
    readSecret(key.passphrase, configuration.directory, environment),
  );
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

async function issuerInForce(
  issuer: Issuer,
  { publicUrl, name, next }: IssuerConfiguration,
): Promise<IssuerInForce> {
  return {
    issuer,
    crlUrls: [`${publicUrl}${crlPath(name)}`],
    caIssuersUrls: [`${publicUrl}${caCertificatePath(name)}`],
    next: next === null ? null : await readNextAuthority(issuer, next),
  };
}

/** Read again at each reload: an operator makes it ready while this one serves. */
async function readNextAuthority(
  issuer: Issuer,
  { certificate, chain, ra }: NonNullable<IssuerConfiguration['next']>,
): Promise<NextAuthority> {
  return loadNextAuthority(issuer, {
    certificate: await readCertificate(certificate),
    chain: await Promise.all(chain.map(readCertificate)),
    ra: ra === null ? null : await readCertificate(ra),
  });
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
