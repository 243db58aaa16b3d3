import type { Arena } from './arena.ts';

export interface LoadSize {
  readonly enrolling: number;
  readonly held: number;
  readonly renewing: number;
  readonly revoking: number;
}

/** Devices are made first. What is returned begins the load, all at once, and resolves when everybody has what they asked for. */
export async function prepareLoad({ est }: Arena, size: LoadSize): Promise<() => Promise<void>> {
  const enrolling = await est.devices(size.enrolling);
  const held = await est.devices(size.held, false);
  const renewing = await est.enrolled(size.renewing);
  const revoking = await est.enrolled(size.revoking);
  return async () => {
    await Promise.all([
      ...enrolling.map((device) => est.enroll(device)),
      ...held.map((device) => est.enrollHeld(device)),
      ...renewing.map((device) => est.renew(device)),
      ...revoking.map((device) => est.revoke(device)),
    ]);
  };
}
