import type { Workflow, WorkflowAnswer } from '#enrollment';

/** A device asks once, and once more when nobody answered. */
const maximumForDevice = 2;

/** Who knows a device's name can ask in it: no more than so many questions about one device wait at once, and leave the others' turns alone. */
export function fewForEachDevice(workflow: Workflow): Workflow {
  const underWay = new Map<string, number>();
  const busy: WorkflowAnswer = { decision: 'unavailable', code: 'busy', device: null };
  return {
    ...workflow,
    async validate(request) {
      const count = underWay.get(request.device) ?? 0;
      if (count >= maximumForDevice) return busy;
      underWay.set(request.device, count + 1);
      try {
        return await workflow.validate(request);
      } finally {
        const left = (underWay.get(request.device) ?? 1) - 1;
        if (left === 0) underWay.delete(request.device);
        else underWay.set(request.device, left);
      }
    },
  };
}
