import * as z from 'zod';
import { act } from '../act.ts';
import { recordAct } from '../act-entry.ts';
import { approvalBeforehand, granteeFor, liftableBeforehand, liftedBeforehand } from '../grant.ts';
import { deviceId, templateName } from '../input.ts';
import { isoTime } from '../views/time.ts';

const input = z.strictObject({
  id: deviceId,
  template: templateName,
  /** Instead of what a first enrollment is held for. */
  lifts: z
    .array(z.enum(liftableBeforehand))
    .min(1)
    .max(liftableBeforehand.length)
    .default([...liftedBeforehand]),
});

/** Beforehand: the device's next first enrollment of the template needs no operator, or its next certificate needs none for what is named. */
export const approveDevice = act(input, async (ports, operator, { id, template, lifts }) => {
  await granteeFor(ports, id, template);
  const approval = approvalBeforehand(ports, operator, id, template, ports.clock.now(), lifts);
  const { now, entry } = recordAct(ports, operator, 'device.approve', {
    device: id,
    template,
    approval: approval.id,
    lifts: approval.lifts,
    expiresAt: approval.expiresAt,
  });
  const { index } = await ports.store.approveDevice({ approval, now, entry });
  return {
    id: approval.id,
    device: id,
    template,
    lifts: [...approval.lifts],
    expiresAt: isoTime(approval.expiresAt),
    logIndex: index,
  };
});
