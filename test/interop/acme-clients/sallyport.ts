import { readFile, writeFile } from 'node:fs/promises';
import { parse, stringify } from 'yaml';
import { anyPorts, type Cleanup, initAuthority, serveAuthority } from '../../harness/authority.ts';
import { startChallengeServers } from '../../harness/challenge-servers.ts';
import { ClientFolder } from '../../harness/client-files.ts';
import { requestEntriesOf } from '../../harness/entries.ts';
import { freePort } from '../../harness/free-port.ts';
import type { AcmeServer, ExternalAccount } from './acme-task.ts';

/** The server in question, as the tests see it. */
export interface Served extends AcmeServer {
  /** A key for an account that nobody has, of an owner who may have all names of the tests. */
  eab(): Promise<ExternalAccount>;
  isRevoked(serialNumber: string): Promise<boolean>;
  /** As an operator does. */
  revoke(serialNumber: string): Promise<void>;
  /** Profile and replaced certificate of each order, as the log has it. */
  orders(): Promise<readonly { template: string; replaces: string | null }[]>;
}

/** `init`, then `serve`: template `web` as it ships, but for the names and where they are proven. `challengeServers`: pebble-challtestsrv, which is DNS alone here. */
export async function startSallyport(challengeServers: string, cleanup: Cleanup): Promise<Served> {
  const { dns, managementUrl } = await startChallengeServers(challengeServers, cleanup);
  const [httpPort, tlsPort] = [await freePort(), await freePort()];
  const files = await initAuthority(cleanup, (yaml) => {
    const settings = parse(anyPorts(yaml).replace('- dns: internal', '- dns: test')) as Record<
      string,
      unknown
    >;
    settings['validation'] = { resolvers: [dns], ports: { http: httpPort, tls: tlsPort } };
    return stringify(settings);
  });
  // Where who is not its owner can read it: mod_md becomes www-data.
  const folder = await ClientFolder.make(cleanup);
  await writeFile(folder.path('root.pem'), await readFile(files.trust));
  const authority = await serveAuthority(files);
  cleanup.after(() => authority.stop());
  let owners = 0;
  return {
    directoryUrl: `https://localhost:${new URL(authority.est).port}/acme/directory`,
    trustPem: folder.path('root.pem'),
    httpPort,
    tlsPort,
    dns,
    dnsManagementUrl: managementUrl,
    async eab() {
      const device = `server-${(owners += 1)}`;
      await authority.admin.device(device, { deviceClass: 'server' });
      const { keyId, hmacKey } = await authority.admin.client.perform('createExternalAccountKey', {
        device,
        templates: ['web'],
        names: ['.test'],
        approve: true,
      });
      return { kid: keyId, hmacKey };
    },
    async revoke(serialNumber) {
      await authority.admin.client.perform('revokeCertificate', { id: serialNumber, reason: 'superseded' });
    },
    async orders() {
      const details = (await requestEntriesOf(authority)).map(({ detail }) => detail ?? {});
      return details.filter((detail) => 'replaces' in detail) as {
        template: string;
        replaces: string | null;
      }[];
    },
    async isRevoked(serialNumber) {
      const { items } = await authority.admin.client.perform('listCertificates', { state: 'revoked' });
      return items.some((certificate) => certificate.serialNumber === serialNumber);
    },
  };
}
