import type { Workflow, WorkflowAnswer } from '#enrollment';

/** A device asks once, and once more when nobody answered. */
const maximumForDevice = 2;

/** Who knows a device's name can ask in it: no more than so many questions about one device wait at once, and leave the others' turns alone. Any further one is `busy`. */
export function fewAtOnce<Answer>(busy: Answer) {
  const underWay = new Map<string, number>();
  return async (device: string, ask: () => Promise<Answer>): Promise<Answer> => {
    const count = underWay.get(device) ?? 0;
    if (count >= maximumForDevice) return busy;
    underWay.set(device, count + 1);
    try {
      return await ask();
    } finally {
      const left = (underWay.get(device) ?? 1) - 1;
      if (left === 0) underWay.delete(device);
      else underWay.set(device, left);
    }
  };
}

export function fewForEachDevice(workflow: Workflow): Workflow {
  const few = fewAtOnce<WorkflowAnswer>({ decision: 'unavailable', code: 'busy', device: null });
  return { ...workflow, validate: (request) => few(request.device, () => workflow.validate(request)) };
}
