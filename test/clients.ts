import assert from 'node:assert/strict';
import { accessSync, constants, existsSync, globSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { TestContext } from 'node:test';

/** The programs of others that tests run against us, and the Debian packages they need. `.ci/run` installs these. */
export const clients = {
  curl: ['curl'],
  openssl: ['openssl'],
  certtool: ['gnutls-bin'],
  'gnutls-cli': ['gnutls-bin'],
  /** strongSwan. Its `pki --est` fetches through the curl plugin of the extra plugins. */
  pki: ['strongswan-pki', 'libstrongswan-standard-plugins', 'libstrongswan-extra-plugins'],
  /** SCEP's daemon, and the bus that it speaks by. */
  certmonger: ['certmonger'],
  getcert: ['certmonger'],
  'dbus-daemon': ['dbus-daemon'],
  /** micromdm's. */
  scepclient: ['scep'],
  java: ['default-jdk-headless'],
  javac: ['default-jdk-headless'],
  /** BouncyCastle's EST client, a library: its path is a class path. */
  bouncycastle: ['libbcpkix-java', 'libbctls-java'],
  /** A library of Maven Central, which Maven gets: its path is a class path. */
  jscep: ['maven'],
  /** Clients of ACME. */
  certbot: ['certbot'],
  lego: ['lego'],
  dehydrated: ['dehydrated'],
  'acme-tiny': ['acme-tiny'],
  uacme: ['uacme'],
  caddy: ['caddy'],
  /** With mod_md. */
  apache2: ['apache2-bin'],
  /** Let's Encrypt's test server, and the servers that answer its challenges. */
  pebble: ['pebble'],
  'pebble-challtestsrv': ['pebble'],
  /** Reads property lists and pages as scripts do. */
  python3: ['python3'],
  /** A TPM in software, how it is made with an endorsement certificate, and the tools that use it. */
  swtpm: ['swtpm'],
  swtpm_setup: ['swtpm-tools', 'gnutls-bin'],
  tpm2: ['tpm2-tools', 'libtss2-tcti-swtpm0'],
  /** A provider of OpenSSL for keys in a TPM, and what shares a TPM among programs. */
  'tpm2-openssl': ['tpm2-openssl'],
  'tpm2-abrmd': ['tpm2-abrmd', 'libtss2-tcti-tabrmd0'],
  /** Written in Go, by whose own command it is installed. */
  step: [],
  /** The server: its path is the folder of its programs. */
  postgresql: ['postgresql'],
  pgbouncer: ['pgbouncer'],
} as const satisfies Record<string, readonly string[]>;

export type Client = keyof typeof clients;

/** Not on the PATH of everyone. */
const inSbin: readonly Client[] = ['pgbouncer', 'certmonger', 'apache2', 'tpm2-abrmd'];

/**
 * The path of a real client, or null once the test is marked as skipped with its reason: `const pki = requireClient(t, 'pki'); if (pki === null) return;`.
 * With SALLYPORT_REQUIRE_CLIENTS=1, as in CI, a missing client fails the test, but for those that SALLYPORT_EXCEPT_CLIENTS names.
 */
export function requireClient(t: Pick<TestContext, 'skip'>, client: Client): string | null {
  const path = find(client);
  if (path !== null) return path;
  t.skip(missing(client));
  return null;
}

/** For what a whole file needs: its path, or why it is skipped. */
export function findClient(client: Client): { readonly path: string } | { readonly skip: string } {
  const path = find(client);
  return path === null ? { skip: missing(client) } : { path };
}

function find(client: Client): string | null {
  if (client === 'jscep') return findMavenJars(jscepAndWhatItNeeds);
  if (client === 'bouncycastle') return findJars(['bcpkix', 'bctls', 'bcutil', 'bcprov']);
  if (client === 'postgresql') return findPostgres();
  if (client === 'tpm2-openssl') return findProvider('tpm2.so');
  if (client === 'step') return findProgram('step') ?? findProgram('step', join(homedir(), 'go/bin'));
  return findProgram(client) ?? (inSbin.includes(client) ? findProgram(client, '/usr/sbin') : null);
}

/** The words of a skipped test; in CI it fails instead. */
function missing(client: Client): string {
  const packages = clients[client].join(', ');
  const reason = `${client} is not installed (${packages === '' ? 'docs/dependencies.md says how' : `Debian: ${packages}`})`;
  const excepted = (process.env['SALLYPORT_EXCEPT_CLIENTS'] ?? '').split(' ');
  if (!excepted.includes(client)) assert.notEqual(process.env['SALLYPORT_REQUIRE_CLIENTS'], '1', reason);
  return reason;
}

export function findProgram(name: string, path = process.env['PATH'] ?? ''): string | null {
  return (
    path
      .split(delimiter)
      .map((folder) => join(folder, name))
      .find(isExecutable) ?? null
  );
}

/** A class path of the jars that Debian's packages of libraries bring. */
function findJars(names: readonly string[]): string | null {
  return classPath(names.map((name) => `/usr/share/java/${name}.jar`));
}

/** What `mvn dependency:get` brings with the first of them. */
const jscepAndWhatItNeeds = [
  'com/google/code/jscep jscep 2.5.8',
  'org/bouncycastle bcpkix-jdk18on 1.79',
  'org/bouncycastle bcprov-jdk18on 1.79',
  'org/bouncycastle bcutil-jdk18on 1.79',
  'commons-codec commons-codec 1.17.1',
  'commons-io commons-io 2.18.0',
  'org/apache/commons commons-lang3 3.17.0',
  'org/slf4j slf4j-api 2.0.16',
] as const;

/** Each as the folder of its group, its name and its version. */
function findMavenJars(artifacts: readonly string[]): string | null {
  const repository = join(homedir(), '.m2/repository');
  return classPath(
    artifacts.map((artifact) => {
      const [group, name, version] = artifact.split(' ') as [string, string, string];
      return join(repository, group, name, version, `${name}-${version}.jar`);
    }),
  );
}

function classPath(paths: readonly string[]): string | null {
  return paths.every((path) => existsSync(path)) ? paths.join(delimiter) : null;
}

/** Debian keeps each version's programs in a folder of their own, outside of PATH: the newest. */
function findPostgres(): string | null {
  const found = globSync('/usr/lib/postgresql/*/bin').filter((folder) =>
    isExecutable(join(folder, 'initdb')),
  );
  return found.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1) ?? null;
}

/** Of OpenSSL. */
function findProvider(name: string): string | null {
  const folder = process.env['OPENSSL_MODULES'] ?? '/usr/lib/*/ossl-modules';
  return globSync(join(folder, name))[0] ?? null;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
