import type { Clients } from './clients.ts';

export interface LoadSize {
  readonly enrolling: number;
  readonly held: number;
  readonly renewing: number;
  readonly revoking: number;
}

/** Devices are made first. What is returned begins the load, all at once, and resolves when everybody has what they asked for. */
export async function prepareLoad(clients: Clients, size: LoadSize): Promise<() => Promise<void>> {
  const enrolling = await clients.devices(size.enrolling);
  const held = await clients.devices(size.held, false);
  const renewing = await clients.enrolled(size.renewing);
  const revoking = await clients.enrolled(size.revoking);
  return async () => {
    await Promise.all([
      ...enrolling.map((device) => clients.enroll(device)),
      ...held.map((device) => clients.enrollHeld(device)),
      ...renewing.map((device) => clients.renew(device)),
      ...revoking.map((device) => clients.revoke(device)),
    ]);
  };
}
