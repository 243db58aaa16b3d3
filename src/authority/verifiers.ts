import { createPublicKey } from 'node:crypto';
import { type Configuration, type Environment, readSecret, type VerifierConfiguration } from '#config';
import type { Verifier } from '#enrollment';
import { SallyportError } from '#errors';
import { openTransportKey } from '#keys';
import { equalBytes, parseCertificate, pemToDer } from '#x509';
import { type ClientIdentity, httpsCalls, verifier } from '#workflow';
import { readTrustedCas } from './read-certificates.ts';
import { readText } from './read-text.ts';
import type { WorkflowPorts } from './workflows.ts';

const shortestKey = 32;

/** Throws 'config' where a secret or a file cannot be read, or a key is not its certificate's. */
export async function openVerifiers(
  configuration: Configuration,
  environment: Environment,
  ports: Pick<WorkflowPorts, 'now' | 'report'>,
): Promise<ReadonlyMap<string, Verifier>> {
  const opening = configuration.attestation.verifiers.map(
    async (settings) => [settings.name, await open(settings, configuration, environment, ports)] as const,
  );
  return new Map(await Promise.all(opening));
}

async function open(
  settings: VerifierConfiguration,
  configuration: Configuration,
  environment: Environment,
  { now, report }: Pick<WorkflowPorts, 'now' | 'report'>,
): Promise<Verifier> {
  const { name, timeoutSeconds } = settings;
  const key = readSecret(settings.key, configuration.directory, environment);
  if (key.length < shortestKey) {
    throw new SallyportError(
      'config',
      `the key of verifier ${name} is shorter than ${shortestKey} characters`,
    );
  }
  const ca = await readTrustedCas(settings.ca);
  const client = await clientOf(settings, configuration, environment);
  return verifier(
    { ...settings, key },
    {
      call: httpsCalls({ timeoutMilliseconds: timeoutSeconds * 1000, ca, client }),
      now,
      report: (error) => report({ id: `verifier ${name}`, error }),
    },
  );
}

/** Throws 'config'. */
async function clientOf(
  { name, client }: VerifierConfiguration,
  { directory }: Configuration,
  environment: Environment,
): Promise<ClientIdentity> {
  const [certificates, encrypted] = await Promise.all([
    readText(client.certificate),
    readText(client.key.file),
  ]);
  const { passphrase: reference } = client.key;
  const passphrase = reference === null ? undefined : readSecret(reference, directory, environment);
  try {
    const key = await openTransportKey(encrypted, passphrase);
    const [own] = pemToDer(certificates, 'CERTIFICATE');
    const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
    if (own !== undefined && equalBytes(parseCertificate(own).spki, spki)) {
      return { certificates, key: key.export({ format: 'pem', type: 'pkcs8' }) };
    }
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new SallyportError(
      'config',
      `verifier ${name} cannot use its client certificate and key: ${words}`,
      {
        cause,
      },
    );
  }
  throw new SallyportError(
    'config',
    `verifier ${name}: ${client.key.file} is not the key of its certificate`,
  );
}
