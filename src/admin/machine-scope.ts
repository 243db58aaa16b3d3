/** What a machine may be allowed to do. Whatever is not here, no machine can be allowed. */
export const machineScopes = [
  'secrets:create',
  'secrets:list',
  'secrets:void',
  'eab:create',
  'eab:list',
  'eab:void',
] as const;

export type MachineScope = (typeof machineScopes)[number];
