import * as z from 'zod';
import { sha256Hex } from '#enrollment';
import { type Device, parseDeviceList } from '#inventory';
import { act } from '../act.ts';
import { recordAct } from '../act-entry.ts';
import { approvalBeforehand, templateObstacle } from '../grant.ts';
import { templateName } from '../input.ts';
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
  readonly logIndex: number | null;
}

/** An entry of the log has room for so many ids; a longer list is known by its digest and number alone. */
const maximumIdsInEntry = 500;

const input = z.strictObject({
  format: z.enum(['csv', 'json']),
  /** The list, as the file has it. */
  list: z.string(),
  dryRun: z.boolean().default(false),
  /** Each device that is not active already is approved beforehand for those of these templates that its class may have. */
  approveFor: z.array(templateName).max(16).default([]),
});

/** All or nothing: one bad row, and no device of the list is imported. */
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
    const { existing, serialNumberConflicts } = await ports.store.compareDevices(devices);
    const templates = [...new Set(approveFor)];
    const approvable = templates.flatMap((template) =>
      devices
        .filter((device) => templateObstacle(references, device, template) === null)
        .map(({ id }) => ({ id, template })),
    );
    const problems: ImportProblem[] = [
      ...unreadable,
      ...serialNumberConflicts.map(({ id, serialNumber, heldBy }) => ({
        row: null,
        column: 'serialNumber',
        message: `device ${id} has serial number ${serialNumber}, which is that of device ${heldBy} already`,
      })),
      ...templates
        .filter((template) => !approvable.some((each) => each.template === template))
        .map((template) => uselessApproval(ports, template)),
      ...(templates.length === 0 ? [] : retiredProblems(existing)),
    ];
    const active = new Set(existing.filter(({ state }) => state === 'active').map(({ id }) => id));
    const report = {
      devices: devices.length,
      created: devices.length - existing.length,
      updated: existing.length,
      approvedFor: templates,
      approvals: approvable.filter(({ id }) => !active.has(id)).length,
      problems,
    };
    if (dryRun || problems.length > 0 || devices.length === 0) {
      return { ...report, imported: false, logIndex: null };
    }

    const { now, entry } = recordAct(ports, operator, 'device.import', {
      listSha256: sha256Hex(bytes),
      format,
      count: devices.length,
      devices: devices.length <= maximumIdsInEntry ? devices.map(({ id }) => id) : null,
      approvedFor: templates,
    });
    const approvals = approvable.map(({ id, template }) =>
      approvalBeforehand(ports, operator, id, template, now),
    );
    const approve = approvals.length === 0 ? null : { approvals };
    const imported = await ports.store.importDevices({ devices, approve, now, entry });
    const { index, created, updated, approved } = imported;
    return { ...report, imported: true, created, updated, approvals: approved, logIndex: index };
  },
);

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
