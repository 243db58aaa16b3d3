import * as z from 'zod';
import { eraseAct, inActs, rangesOf, sha256Hex } from '#enrollment';
import { isSallyportError, SallyportError } from '#errors';
import { act } from '../act.ts';
import { recordAct } from '../act-entry.ts';
import { DeviceTraces } from '../device-traces.ts';
import { knownDevice } from '../grant.ts';
import { newId } from '../identifiers.ts';
import { deviceId, maximumPage } from '../input.ts';
import type { Operator } from '../operator.ts';
import type { AdminPorts } from '../ports.ts';

/** Each time because an entry of the device came meanwhile; then that one is looked at. */
const attempts = 8;

/**
 * Takes a retired device out of the database, and its personal fields out of the log. Everything that is erased is verified before: what does not verify stays, for it
 * would be hidden. The act names entries by their indexes, and never the device.
 */
export const eraseDevice = act(z.strictObject({ id: deviceId }), async (ports, operator, { id }) => {
  await demandRetired(ports, id);
  const accounts = await accountsByEvidence(ports, id);
  let traces = new DeviceTraces(id, accounts, ports);
  for (let attempt = 1; ; attempt += 1) {
    await demandRetired(ports, id);
    const { erasures } = traces;
    await traces.look(ports.logVerifier.name);
    if (attempt > 1 && traces.erasures > erasures) {
      // What is beside its entries may have gone with another device's: a list of devices names several.
      traces = new DeviceTraces(id, accounts, ports);
      await traces.look(ports.logVerifier.name);
    }
    await demandCertificates(ports, id, traces);
    try {
      return await erase(ports, operator, id, traces);
    } catch (error) {
      if (attempt === attempts || !isSallyportError(error, 'conflict')) throw error;
    }
  }
});

async function erase(ports: AdminPorts, operator: Operator, id: string, traces: DeviceTraces) {
  const as = newId('erased', ports.random);
  const found = traces.logs.map(({ number, origin, indexes }) => ({
    log: number,
    origin,
    indexes: rangesOf(indexes),
  }));
  const told = inActs(found.map(({ origin, indexes }) => ({ log: origin, indexes })));
  // A device that left nothing is erased as well, and that is told.
  const recorded = (told.length === 0 ? [[]] : told).map((erased) =>
    recordAct(ports, operator, eraseAct, { as, erased }),
  );
  const { index, certificates } = await ports.store.eraseDevice({
    id,
    as,
    entries: found.map(({ log, indexes }) => ({ log, indexes })),
    blobs: traces.blobs,
    lookedThrough: traces.lookedThrough,
    now: recorded[0]!.now,
    acts: recorded.map(({ entry }) => entry),
  });
  return {
    /** What stands for the device from now on. */
    as,
    entries: traces.logs.reduce((sum, { indexes }) => sum + indexes.length, 0),
    certificates,
    /** Entries of version 1: they name the device in the tree itself, and stay. */
    staying: traces.staying,
    acts: recorded.length,
    /** Of the first act. */
    logIndex: index,
  };
}

/** Of a retired device no more are made. */
async function accountsByEvidence({ store }: AdminPorts, deviceId: string): Promise<string[]> {
  const found: string[] = [];
  let after: string | undefined;
  for (;;) {
    const filter = { deviceId, limit: maximumPage };
    const page = await store.accounts(after === undefined ? filter : { ...filter, after });
    found.push(...page.filter(({ externalAccountKey }) => externalAccountKey === null).map(({ id }) => id));
    after = page.at(-1)?.id;
    if (page.length < maximumPage) return found;
  }
}

async function demandRetired(ports: AdminPorts, id: string): Promise<void> {
  const { state } = await knownDevice(ports, id);
  if (state === 'retired') return;
  throw new SallyportError(
    'conflict',
    `device ${id} is ${state}; only what is retired can be erased: sallyport device retire ${id}`,
  );
}

/** Their bytes go as well: each is what its entry says, and that entry is among those that were looked at. */
async function demandCertificates(ports: AdminPorts, id: string, traces: DeviceTraces): Promise<void> {
  let after: string | undefined;
  for (;;) {
    const filter = { deviceId: id, now: ports.clock.now(), limit: maximumPage };
    const page = await ports.store.certificates(after === undefined ? filter : { ...filter, after });
    for (const { sha256, serialNumber, log, logIndex } of page) {
      const { der } = (await ports.store.certificateInfo(sha256))!;
      // Erased before: there is nothing to hide.
      if (der.length === 0) continue;
      if (!traces.has(log, logIndex) || sha256Hex(der) !== sha256) {
        throw new SallyportError(
          'forbidden',
          `certificate ${serialNumber} is not what entry ${logIndex} says, so nothing is erased; see \`sallyport log verify\``,
        );
      }
    }
    after = page.at(-1)?.sha256;
    if (page.length < maximumPage) return;
  }
}
