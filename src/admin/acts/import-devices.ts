import * as z from 'zod';
import { sha256Hex } from '#enrollment';
import { isSallyportError, SallyportError } from '#errors';
import { type Device, parseDeviceList } from '#inventory';
import { act } from '../act.ts';
import { recordAct } from '../act-entry.ts';
import { approvalBeforehand, templateObstacle } from '../grant.ts';
import { newId } from '../identifiers.ts';
import { templateName } from '../input.ts';
import type { Operator } from '../operator.ts';
import type { AdminPorts } from '../ports.ts';

export interface ImportProblem {
  /** Of the list, where the problem has one. */
  readonly row: number | null;
  readonly column: string | null;
  readonly message: string;
}

export interface ImportReport {
  /** false: nothing was changed, for it was a dry run or the list has problems. */
  readonly imported: boolean;
  readonly devices: number;
  readonly created: number;
  readonly updated: number;
  readonly approvedFor: readonly string[];
  /** Given beforehand: one for each device that was not active already and each template that its class may have. */
  readonly approvals: number;
  readonly problems: readonly ImportProblem[];
  /** Of the last entry: where it is there, so is all of the list. */
  readonly logIndex: number | null;
}

/** An entry of the log has room for so many ids; a longer list is known by its digest and number alone. */
const maximumIdsInEntry = 500;

/**
 * All writers, on PostgreSQL those of all nodes, wait for one act: a tenth of a second for so many devices with their approvals, and a quarter
 * on a busy machine. Smaller acts take longer for each device, and larger ones do not take less.
 */
const devicesInAct = 1_000;

const input = z.strictObject({
  format: z.enum(['csv', 'json']),
  /** The list, as the file has it. */
  list: z.string(),
  dryRun: z.boolean().default(false),
  /** Each device that is not active already is approved beforehand for those of these templates that its class may have. */
  approveFor: z.array(templateName).max(16).default([]),
});

/**
 * The whole list is checked before its first device is written: one bad row, and none is imported. A long list is then several acts, each with
 * its entry, so that devices enroll between them. What ends it there leaves the acts before: the same list imported again finishes it.
 */
export const importDevices = act(
  input,
  async (ports, operator, { format, list, dryRun, approveFor }): Promise<ImportReport> => {
    const { references } = ports.authority();
    const bytes = Buffer.from(list);
    const { devices, problems: unreadable } = parseDeviceList(
      bytes,
      format,
      Object.keys(references.deviceClasses),
    );
    const { existing, conflicts } = await compare(ports, devices);
    const templates = [...new Set(approveFor)];
    const mayHave = (device: Device, template: string) =>
      templateObstacle(references, device, template) === null;
    const problems: ImportProblem[] = [
      ...unreadable,
      ...conflicts.map(({ id, column, value, heldBy }) => ({
        row: null,
        column,
        message: `device ${id} has ${columnWords[column]} ${value}, which is that of device ${heldBy} already`,
      })),
      ...templates
        .filter((template) => !devices.some((device) => mayHave(device, template)))
        .map((template) => uselessApproval(ports, template)),
      ...(templates.length === 0 ? [] : retiredProblems(existing)),
    ];
    const active = new Set(existing.filter(({ state }) => state === 'active').map(({ id }) => id));
    const plan = devices.map((device) => ({
      device,
      approveFor: templates.filter((template) => mayHave(device, template)),
    }));
    const report = {
      devices: devices.length,
      created: devices.length - existing.length,
      updated: existing.length,
      approvedFor: templates,
      approvals: sum(plan.map((each) => (active.has(each.device.id) ? 0 : each.approveFor.length))),
      problems,
    };
    if (dryRun || problems.length > 0 || devices.length === 0) {
      return { ...report, imported: false, logIndex: null };
    }
    const common = { listSha256: sha256Hex(bytes), format, approvedFor: templates };
    const imported = await importInActs(ports, operator, plan, common);
    return { ...report, imported: true, ...imported };
  },
);

const columnWords = { serialNumber: 'serial number', ekSha256: 'endorsement key' } as const;

interface PlannedDevice {
  readonly device: Device;
  readonly approveFor: readonly string[];
}

type Imported = Pick<ImportReport, 'created' | 'updated' | 'approvals' | 'logIndex'>;

async function importInActs(
  ports: AdminPorts,
  operator: Operator,
  plan: readonly PlannedDevice[],
  common: Readonly<Record<string, unknown>>,
): Promise<Imported> {
  let imported: Imported = { created: 0, updated: 0, approvals: 0, logIndex: null };
  for (let at = 0; at < plan.length; at += devicesInAct) {
    const some = plan.slice(at, at + devicesInAct);
    const devices = some.map(({ device }) => device);
    const { now, entry } = recordAct(ports, operator, 'device.import', {
      ...common,
      count: devices.length,
      devices: plan.length <= maximumIdsInEntry ? devices.map(({ id }) => id) : null,
      ...(plan.length <= devicesInAct ? {} : { part: { first: at + 1, of: plan.length } }),
    });
    const approvals = some.flatMap(({ device, approveFor }) =>
      approveFor.map((template) => approvalBeforehand(ports, operator, device.id, template, now)),
    );
    const approve = approvals.length === 0 ? null : { approvals };
    try {
      const done = await ports.store.importDevices({ devices, approve, now, entry });
      imported = {
        created: imported.created + done.created,
        updated: imported.updated + done.updated,
        approvals: imported.approvals + done.approved,
        logIndex: done.index,
      };
    } catch (error) {
      throw at === 0 ? error : brokenOff(ports, error, at, plan.length);
    }
  }
  return imported;
}

/** How many were imported is said whatever it was that ended it, a fault of ours too. */
function brokenOff(ports: AdminPorts, error: unknown, done: number, of: number): SallyportError {
  const isRefusal = isSallyportError(error, 'conflict', 'not-found', 'store');
  const id = newId('fault', ports.random);
  if (!isRefusal) ports.report({ id, error });
  const why = isRefusal ? error.message : `a fault of the authority, ${id} in what it printed`;
  const words = `${done} of ${of} devices were imported, and then it broke off: ${why}. Import the same list again, which finishes it`;
  return new SallyportError(isRefusal ? error.code : 'store', words, { cause: error });
}

/** In parts as well: on SQLite everything waits for one of them. */
async function compare(ports: AdminPorts, devices: readonly Device[]) {
  const parts: Awaited<ReturnType<typeof ports.store.compareDevices>>[] = [];
  for (let at = 0; at < devices.length; at += devicesInAct) {
    parts.push(await ports.store.compareDevices(devices.slice(at, at + devicesInAct)));
  }
  return {
    existing: parts.flatMap(({ existing }) => existing),
    conflicts: parts.flatMap(({ conflicts }) => conflicts),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Most likely a slip of the pen. */
function uselessApproval(ports: AdminPorts, template: string): ImportProblem {
  const known = ports.authority().references.templates[template] !== undefined;
  const words = known
    ? `no device of the list may have template ${template}`
    : `there is no template ${template}`;
  return { row: null, column: null, message: `${words}; approve for another one` };
}

/** A list changes no state, and a retired device gets no approval. */
function retiredProblems(existing: readonly Pick<Device, 'id' | 'state'>[]): ImportProblem[] {
  return existing
    .filter(({ state }) => state === 'retired')
    .map(({ id }) => ({
      row: null,
      column: null,
      message: `device ${id} is retired and cannot be approved; take it off the list`,
    }));
}
