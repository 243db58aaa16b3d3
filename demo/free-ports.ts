import { createServer } from 'node:net';

/** The first port from 8443 on that is free on loopback together with the next one, as `init --port-base` wants them. */
export async function freePortBase(): Promise<number> {
  for (let port = 8443; port < 8543; port += 2) {
    if ((await isFree(port)) && (await isFree(port + 1))) return port;
  }
  throw new Error('no two free ports from 8443 to 8543');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
