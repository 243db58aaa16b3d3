import { createServer } from 'node:net';

/** The first port from 8443 on that is free on loopback together with the next two, as `init --port-base` wants them. */
export async function freePortBase(): Promise<number> {
  for (let port = 8443; port < 8543; port += 3) {
    const free = await Promise.all([port, port + 1, port + 2].map(isFree));
    if (free.every(Boolean)) return port;
  }
  throw new Error('no three free ports from 8443 to 8543');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
