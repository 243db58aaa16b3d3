import type { Arena } from './arena.ts';

/** How many of each, by one protocol. */
export interface Share {
  readonly enrolling: number;
  readonly held: number;
  readonly renewing: number;
  readonly revoking: number;
}

export interface LoadSize {
  /** `attesting`: of a class that must, and with evidence of one nonce however often they ask. */
  readonly est?: Share & { readonly attesting: number };
  /** TPMs that have an attestation key certified. */
  readonly activating?: number;
  /** `presuming`: they cannot prove what they order. */
  readonly acme?: Share & { readonly presuming: number };
}

/** Who asks by one protocol. */
interface Clients<Device> {
  devices(count: number, approved?: boolean): Promise<Device[]>;
  enrolled(count: number): Promise<Device[]>;
  enroll(device: Device): Promise<void>;
  enrollHeld(device: Device): Promise<void>;
  renew(device: Device): Promise<void>;
  revoke(device: Device): Promise<void>;
}

type Begin = () => Promise<void>;

/** Devices are made first. What is returned begins the load, all at once, and resolves when everybody has what they asked for. */
export async function prepareLoad({ est, acme, activating }: Arena, size: LoadSize): Promise<Begin> {
  const begins = [
    ...(size.est === undefined ? [] : await prepareShare(est, size.est)),
    ...(size.acme === undefined ? [] : await prepareShare(acme, size.acme)),
  ];
  const attesting = await est.attested(size.est?.attesting ?? 0);
  begins.push(...attesting.map((device) => () => est.enrollAttested(device)));
  const tpms = await activating.devices(size.activating ?? 0);
  begins.push(...tpms.map((device) => () => activating.activate(device)));
  const presuming = await acme.devices(size.acme?.presuming ?? 0);
  begins.push(...presuming.map((device) => () => acme.presume(device)));
  return async () => {
    await Promise.all(begins.map((begin) => begin()));
  };
}

async function prepareShare<Device>(clients: Clients<Device>, size: Share): Promise<Begin[]> {
  const enrolling = await clients.devices(size.enrolling);
  const held = await clients.devices(size.held, false);
  const renewing = await clients.enrolled(size.renewing);
  const revoking = await clients.enrolled(size.revoking);
  return [
    ...enrolling.map((device) => () => clients.enroll(device)),
    ...held.map((device) => () => clients.enrollHeld(device)),
    ...renewing.map((device) => () => clients.renew(device)),
    ...revoking.map((device) => () => clients.revoke(device)),
  ];
}
