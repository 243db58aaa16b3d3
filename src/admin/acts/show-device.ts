import * as z from 'zod';
import { act } from '../act.ts';
import { knownDevice } from '../grant.ts';
import { deviceId, maximumPage } from '../input.ts';
import type { AdminStore, StoredRequest } from '../store.ts';
import { certificateView } from '../views/certificate.ts';
import { deviceView } from '../views/device.ts';
import { externalAccountKeyView } from '../views/external-account-key.ts';
import { requestView } from '../views/request.ts';
import { secretView } from '../views/secret.ts';

/** Of each kind; a device that has more is better asked for by the lists. */
const limit = 100;

export const showDevice = act(z.strictObject({ id: deviceId }), async (ports, _operator, { id }) => {
  const { store } = ports;
  const now = ports.clock.now();
  const [device, certificates, secrets, externalAccountKeys, requests] = await Promise.all([
    knownDevice(ports, id),
    store.certificates({ deviceId: id, now, limit }),
    store.secrets({ deviceId: id, limit }),
    store.externalAccountKeys({ deviceId: id, limit }),
    pendingRequests(store, id),
  ]);
  return {
    device: deviceView(device),
    certificates: certificates.map((certificate) => certificateView(certificate, now)),
    secrets: secrets.map((secret) => secretView(secret, now)),
    externalAccountKeys: externalAccountKeys.map((key) => externalAccountKeyView(key, now)),
    /** Those that wait for an operator. */
    requests: requests.map(requestView),
  };
});

/** Pending requests are what operators work off, so there are few: read through, they need no index by device. */
async function pendingRequests(store: AdminStore, id: string): Promise<StoredRequest[]> {
  const found: StoredRequest[] = [];
  let after: string | undefined;
  for (;;) {
    const filter = { state: 'pending', limit: maximumPage } as const;
    const rows = await store.requests(after === undefined ? filter : { ...filter, after });
    found.push(...rows.filter(({ deviceId: of }) => of === id));
    after = rows.at(-1)?.id;
    if (rows.length < maximumPage || found.length >= limit) return found.slice(0, limit);
  }
}
