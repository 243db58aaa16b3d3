import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import type { Cleanup } from '../../harness/authority.ts';
import { startChallengeServers } from '../../harness/challenge-servers.ts';
import { ClientFolder } from '../../harness/client-files.ts';
import { privateKeyPem } from '../../harness/csr.ts';
import { runDaemon } from '../../harness/daemon.ts';
import { freePort } from '../../harness/free-port.ts';
import { askHttp } from '../../harness/http.ts';
import { TestCa } from '../../harness/pki.ts';
import type { AcmeServer, ExternalAccount } from './acme-task.ts';

export interface Pebble extends AcmeServer {
  eab(): Promise<ExternalAccount>;
  isRevoked(serialNumber: string): Promise<boolean>;
}

interface Programs {
  readonly pebble: string;
  readonly challengeServers: string;
}

/** Let's Encrypt's test server, in memory: what the clients are proven with where ours is not the one in question. */
export async function startPebble(
  programs: Programs,
  cleanup: Cleanup,
  { accountsBound = false, rejectedNonces = 0 } = {},
): Promise<Pebble> {
  const folder = await ClientFolder.make(cleanup);
  const { dns, managementUrl } = await startChallengeServers(programs.challengeServers, cleanup);
  const [listener, management, httpPort, tlsPort] = await Promise.all(
    Array.from({ length: 4 }, () => freePort()),
  );
  const root = TestCa.root('Root of the test server');
  const tls = root.endEntity({
    subject: [{ type: 'commonName', value: 'localhost' }],
    subjectAltName: [
      { kind: 'dns', value: 'localhost' },
      { kind: 'ip', value: '127.0.0.1' },
    ],
    extendedKeyUsage: ['serverAuth'],
  });
  await writeFile(folder.path('root.pem'), root.pem);
  await writeFile(folder.path('tls.pem'), tls.pem);
  await writeFile(folder.path('tls.key'), privateKeyPem(tls.key));
  const account = { kid: 'kid-1', hmacKey: randomBytes(32).toString('base64url') };
  const pebble = {
    listenAddress: `127.0.0.1:${listener}`,
    managementListenAddress: `127.0.0.1:${management}`,
    certificate: folder.path('tls.pem'),
    privateKey: folder.path('tls.key'),
    httpPort,
    tlsPort,
    ocspResponderURL: '',
    externalAccountBindingRequired: accountsBound,
    externalAccountMACKeys: { [account.kid]: account.hmacKey },
  };
  await writeFile(folder.path('pebble.json'), JSON.stringify({ pebble }));
  const words = ['-config', folder.path('pebble.json'), '-dnsserver', dns];
  const environment = {
    PEBBLE_VA_NOSLEEP: '1',
    PEBBLE_AUTHZREUSE: '0',
    PEBBLE_WFE_NONCEREJECT: String(rejectedNonces),
  };
  const daemon = runDaemon(cleanup, programs.pebble, words, { environment });
  const directoryUrl = `https://localhost:${listener}/dir`;
  await daemon.until('it had a directory', async () => {
    const { status } = await askHttp(directoryUrl, { tls: { ca: root.pem } });
    return status === 200;
  });
  return {
    directoryUrl,
    trustPem: folder.path('root.pem'),
    httpPort: httpPort!,
    tlsPort: tlsPort!,
    dns,
    dnsManagementUrl: managementUrl,
    eab: async () => account,
    async isRevoked(serialNumber) {
      const url = `https://127.0.0.1:${management}/cert-status-by-serial/${serialNumber}`;
      const { text } = await askHttp(url, { tls: { ca: root.pem } });
      return (JSON.parse(text) as { Status: string }).Status === 'Revoked';
    },
  };
}
