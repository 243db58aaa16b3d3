import type { Cleanup } from './authority.ts';
import { freePort } from './free-port.ts';
import { askHttp } from './http.ts';
import { runDaemon } from './daemon.ts';

export interface ChallengeServers {
  /** `127.0.0.1:port`, UDP and TCP. Every name has the address 127.0.0.1 there. */
  readonly dns: string;
  /** POST `/set-txt` with `{"host":"_acme-challenge.device.test.","value":"…"}`, and `/clear-txt` with the host alone. */
  readonly managementUrl: string;
}

/** pebble-challtestsrv: a DNS that says what tests want, told over HTTP. `program` is its path. */
export async function startChallengeServers(program: string, cleanup: Cleanup): Promise<ChallengeServers> {
  const dns = `127.0.0.1:${await freePort()}`;
  const management = `127.0.0.1:${await freePort()}`;
  const addresses = ['-defaultIPv4', '127.0.0.1', '-defaultIPv6', ''];
  const none = ['-http01', '', '-https01', '', '-tlsalpn01', ''];
  const words = [...addresses, ...none, '-dns01', dns, '-management', management];
  const daemon = runDaemon(cleanup, program, words);
  const managementUrl = `http://${management}`;
  await daemon.until('it is managed', async () => {
    await askHttp(`${managementUrl}/clear-txt`, { method: 'POST', body: Buffer.from('{"host":"ready."}') });
    return true;
  });
  return { dns, managementUrl };
}
